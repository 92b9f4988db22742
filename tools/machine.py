"""What a benchmark says about the machine that it ran on."""

from core.machine import processor

__all__ = ["processor"]
