"""Which requests go first."""

from enum import IntEnum


class Priority(IntEnum):
    """How urgent a request is; its numbers are those of the public interface."""

    LOW = 1
    NORMAL = 2
    HIGH = 3
