"""What this machine has for us: processors, and memory."""

import os
import platform
import sys
from functools import cache
from math import ceil
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_MEMORY = Path("/proc/self/statm")
# Dot products of 8-bit integers: AVX-512 VNNI, AVX VNNI, and Arm's.
_DOT_PRODUCTS = {"avx512_vnni", "avx_vnni", "asimddp", "i8mm"}


def available_processors() -> int:
    """Processors that this process may keep busy: those it may run on, or a container's quota."""
    if sys.platform != "linux":
        return os.cpu_count() or 1
    processors = len(os.sched_getaffinity(0))
    try:
        quota, period = _QUOTA.read_text().split()
        return min(processors, max(1, ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # There is no quota, which is told as "max".
        return processors


@cache
def has_integer_dot_products() -> bool:
    """Whether 8-bit networks run faster than others, as exact as anywhere.

    Without such instructions they gain little, and sums of products may overflow on x86.
    """
    if _CPU_INFO.exists():
        for line in _CPU_INFO.read_text().splitlines():
            name, _, flags = line.partition(":")
            if name.strip() in ("flags", "Features"):
                return not _DOT_PRODUCTS.isdisjoint(flags.split())
        return False
    return sys.platform == "darwin" and platform.machine() == "arm64"


def processor_name() -> str:
    """The processor's name as its maker gives it, or its architecture's."""
    if _CPU_INFO.exists():
        for line in _CPU_INFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def resident_mib() -> float:
    """Memory that this process has resident; 0 where only the system itself knows."""
    try:
        pages = int(_MEMORY.read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
