"""Version 1 of the super-resolution service's interface."""
