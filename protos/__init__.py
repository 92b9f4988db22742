"""Interface definitions of the services and the modules generated from them."""
