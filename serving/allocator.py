"""What the C library does with memory that is free again."""

import ctypes
import sys

from serving.processor import available_processors

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
# Larger than the tiles of a usual picture, which are wanted again at once.
_LARGE = 8 << 20


def give_back_memory() -> None:
    """Has what is free go back to the system, large blocks at once; with glibc only.

    Otherwise it takes the first large block that is freed for a sign that more will be needed, and
    from then on keeps up to 64 MiB in each of its arenas, for good. Of these it makes up to eight a
    processor, for as many threads; with one a processor, threads take what others have freed.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, 2 * _LARGE)
        mallopt(_M_ARENA_MAX, available_processors())
