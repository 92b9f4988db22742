"""The super-resolution service's interface, one package for each version."""
