"""Programs that a developer or an operator runs."""
