"""A page about a run, or about several side by side: ``python -m core.report RUN``."""
