"""A web page for people who want a picture enlarged: ``python -m serving.web``."""
