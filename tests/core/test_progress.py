"""Progress without a terminal: no bar, and a line now and then."""

import logging

import pytest

from core.progress import Progress


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


@pytest.fixture(autouse=True)
def logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def test_a_line_says_how_far_it_is_and_names_the_values_short(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    progress = Progress(until=100)
    progress.write(10, {"generator/pixel": 0.123456, "discriminator/win_rate": 0.5})
    progress.close()
    (line,) = lines(caplog)
    assert line.startswith("step 10 of 100  00:00 left")
    assert line.endswith("g/pixel 0.1235  d/win_rate 0.5")
    assert capfd.readouterr().err == ""


def test_there_is_one_line_in_its_time_and_one_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    progress = Progress(until=100, log_seconds=3600)
    for step in range(10, 101, 10):
        progress.write(step, {"x": 1.0})
    assert [line.partition("  ")[0] for line in lines(caplog)] == [
        "step 10 of 100",
        "step 100 of 100",
    ]
