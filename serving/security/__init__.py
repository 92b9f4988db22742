"""Who may call, and over which connections."""
