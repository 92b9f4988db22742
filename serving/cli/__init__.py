"""The ``upscale`` command: a client of a server elsewhere, or of one inside the process."""

from serving.cli.command import main

__all__ = ["main"]
