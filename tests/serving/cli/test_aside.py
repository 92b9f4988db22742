"""Ctrl-C reaches the thread that waits, and stops the other one in an orderly way."""

import os
import signal
import time
from threading import current_thread, main_thread

import pytest

from serving.cli.aside import aside
from serving.stop import Stop


def test_what_a_call_returns_or_raises_comes_through() -> None:
    assert aside(lambda _stop: 3) == 3
    with pytest.raises(ZeroDivisionError):
        aside(lambda _stop: 1 // 0)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_ctrl_c_stops_the_call_but_is_not_raised_within_it() -> None:
    ended = []

    def call(stop: Stop) -> None:
        time.sleep(0.1)  # until the other thread waits
        os.kill(os.getpid(), signal.SIGINT)
        try:
            stop.sleep(60)
        finally:
            ended.append(current_thread() is not main_thread())

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            aside(call)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended == [True]
