import os
import sys
from contextlib import closing
from threading import get_native_id

import pytest

from serving.tasks import TaskPool

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has a priority for each thread"
)


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, get_native_id())


def test_threads_that_compute_let_others_go_first() -> None:
    found: list[int] = []
    with closing(TaskPool(1)) as pool:
        list(pool.products([("tile", [lambda: found.append(niceness())])]))
    assert found[0] > niceness()
