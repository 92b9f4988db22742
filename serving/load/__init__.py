"""Who may have how much of the server at a time, and what they are told who may not."""
