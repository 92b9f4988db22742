import platform
import subprocess
import sys

import pytest

PROGRAM = """
import os
from threading import Barrier, Lock, Thread
from serving.allocator import give_back_memory
from serving.processor import resident_mib

os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}})
{0}
before = resident_mib()
{1}
print(resident_mib() - before)
"""
LARGE_BLOCKS = """
for _ in range(3):
    bytes(range(256)) * (16 << 12)
"""
MANY_THREADS = """
def fill():
    with one_by_one:
        blocks = [bytes(range(256)) * (4 << 10) for _ in range(8)]
        blocks.clear()
    all_have.wait()

one_by_one, all_have = Lock(), Barrier(7)
for _ in range(6):
    Thread(target=fill, daemon=True).start()
all_have.wait()
"""

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps them")


def left_mib(first: str, work: str) -> float:
    program = [sys.executable, "-c", PROGRAM.format(first, work)]
    return float(subprocess.run(program, capture_output=True, check=True, text=True).stdout)


def test_large_blocks_go_back_to_the_system() -> None:
    assert left_mib("give_back_memory()", LARGE_BLOCKS) < 4
    assert left_mib("", LARGE_BLOCKS) > 12


def test_what_one_thread_has_freed_is_there_for_the_others() -> None:
    a_thread = 8  # MiB that each of six fills
    assert left_mib("give_back_memory()", MANY_THREADS) < 2 * a_thread
