"""What the C library does with memory that is free again."""

import ctypes
import sys

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
# Larger than the tiles of a usual picture, which are wanted again at once.
_LARGE = 8 << 20


def give_back_large_blocks() -> None:
    """Has large blocks go back to the system as soon as they are free; with glibc only.

    Otherwise it takes the first of them that is freed for a sign that more will be needed, and from
    then on keeps up to 64 MiB for each of many threads, for good.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, 2 * _LARGE)
