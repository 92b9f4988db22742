"""Averages of what training reports, and the events that TensorBoard shows."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
    EventAccumulator,
)

from core.averages import Averages
from core.divergence import Diverged
from core.tensorboard import TensorBoard
from core.trainer import StepReport
from tests.core.games import DiracGame, dirac_trainer


class Kept:
    def __init__(self) -> None:
        self.written: list[tuple[int, dict[str, float]]] = []
        self.closed = 0

    def write(self, step: int, values: Mapping[str, float]) -> None:
        self.written.append((step, dict(values)))

    def close(self) -> None:
        self.closed += 1


def test_sinks_get_the_mean_over_the_steps_that_had_the_value() -> None:
    sinks = [Kept(), Kept()]
    averages = Averages(sinks, every=4)
    trainer = dirac_trainer(DiracGame())
    for step in range(1, 11):
        values = {"always": torch.tensor(float(step))}
        if step % 2:
            values["odd"] = torch.tensor(10.0 * step)
        averages.after_step(trainer, StepReport(step, values))
    for sink in sinks:
        assert sink.written == [
            (4, {"always": 2.5, "odd": 20.0, "time/data_wait": 0.0}),
            (8, {"always": 6.5, "odd": 60.0, "time/data_wait": 0.0}),
        ]


def test_values_in_half_precision_are_added_up_in_single() -> None:
    sink = Kept()
    averages = Averages([sink], every=400)
    trainer = dirac_trainer(DiracGame())
    for step in range(1, 401):  # in bfloat16 the sum would stop growing at 256
        one = torch.tensor(1.0, dtype=torch.bfloat16)
        averages.after_step(trainer, StepReport(step, {"x": one}))
    assert sink.written[0][1]["x"] == 1.0


def test_the_wait_for_data_is_a_share_of_the_time_of_all_steps() -> None:
    sink = Kept()
    averages = Averages([sink], every=2)
    trainer = dirac_trainer(DiracGame())
    for step, (seconds, wait) in enumerate([(1.0, 0.5), (3.0, 0.5), (1.0, 0.0), (1.0, 0.0)], 1):
        averages.after_step(trainer, StepReport(step, {}, seconds, wait))
    assert sink.written == [(2, {"time/data_wait": 0.25}), (4, {"time/data_wait": 0.0})]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_an_average_that_is_not_finite_ends_it_and_is_not_written(value: float) -> None:
    sink = Kept()
    averages = Averages([sink], every=2)
    trainer = dirac_trainer(DiracGame())
    averages.after_step(trainer, StepReport(1, {"g/x": torch.tensor(value)}))
    with pytest.raises(Diverged, match="diverged: at step 2 g/x is no longer finite"):
        averages.after_step(trainer, StepReport(2, {"g/x": torch.tensor(1.0)}))
    assert sink.written == []


def test_closing_closes_the_sinks() -> None:
    sinks = [Kept(), Kept()]
    Averages(sinks, every=1).close()
    assert [sink.closed for sink in sinks] == [1, 1]


@pytest.mark.parametrize("every", [0, -3])
def test_averages_over_no_steps_are_refused(every: int) -> None:
    with pytest.raises(ValueError, match=f"not {every}"):
        Averages([], every)


def test_tensorboard_shows_one_curve_also_after_a_resumption(tmp_path: Path) -> None:
    for first, steps in ((0, [10, 20, 30]), (20, [30, 40])):
        sink = TensorBoard(tmp_path, first)
        for step in steps:
            sink.write(step, {"generator/x": step + first})
        sink.close()
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    curve = [(event.step, event.value) for event in events.Scalars("generator/x")]
    assert [point for point in curve if point[0] >= 30] == [(30, 50.0), (40, 60.0)]
    assert curve[0] == (10, 10.0)
