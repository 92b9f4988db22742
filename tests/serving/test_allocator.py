import platform
import subprocess
import sys

import pytest

LEFT = """
from serving.allocator import give_back_large_blocks
from serving.processor import resident_mib

{}
before = resident_mib()
for _ in range(3):
    bytes(range(256)) * (16 << 12)
print(resident_mib() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps them")
def test_large_blocks_go_back_to_the_system() -> None:
    def left_mib(first: str) -> float:
        program = [sys.executable, "-c", LEFT.format(first)]
        return float(subprocess.run(program, capture_output=True, check=True, text=True).stdout)

    assert left_mib("give_back_large_blocks()") < 4
    assert left_mib("") > 12
