import math

import pytest

from core.schedule import Schedule, at, constant, cosine, exponential, followed, linear, milestones


def test_a_number_is_its_own_schedule() -> None:
    assert [at(0.3, step) for step in (0, 9)] == [0.3, 0.3]
    assert at(lambda step: step / 2, 9) == 4.5
    assert [constant(2.0)(step) for step in (0, 10**9)] == [2.0, 2.0]


@pytest.mark.parametrize(
    ("step", "value"), [(0, 0.5), (10, 0.5), (11, 0.55), (12, 0.6), (14, 0.7), (15, 0.7), (99, 0.7)]
)
def test_linear_goes_in_equal_paces_and_stays(step: int, value: float) -> None:
    assert linear(0.5, 0.7, steps=4, begin=10)(step) == pytest.approx(value)


def test_linear_over_no_steps_is_a_jump() -> None:
    assert [linear(1.0, 3.0, steps=0, begin=2)(step) for step in (2, 3)] == [1.0, 3.0]


def test_exponential_divides_each_step_down_to_the_smallest() -> None:
    schedule = exponential(0.1, 1.000004, smallest=1e-6)
    for step in (0, 1, 1000, 100_000):
        assert schedule(step) == pytest.approx(0.1 * math.exp(-step * math.log(1.000004)))
    assert schedule(10_000_000) == 1e-6


def test_cosine_warms_up_in_equal_paces_and_falls_to_the_floor() -> None:
    schedule = cosine(2.0, 110, warmup=10, floor=0.5)
    assert [schedule(step) for step in range(10)] == pytest.approx(
        [0.2 * (step + 1) for step in range(10)]
    )
    assert schedule(10) == 2.0
    assert schedule(60) == pytest.approx(1.25)
    assert schedule(35) == pytest.approx(0.5 + 1.5 * (1 + math.sqrt(0.5)) / 2)
    assert schedule(110) == pytest.approx(0.5)
    assert schedule(10_000) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "schedule", [cosine(1.0, 50, warmup=5), exponential(1.0, 1.1, 1e-3), linear(1.0, 0.0, 50)]
)
def test_schedules_only_fall_after_the_warm_up(schedule: Schedule) -> None:
    values = [schedule(step) for step in range(5, 80)]
    assert values == sorted(values, reverse=True)


def test_milestones_multiply_from_their_step_on_after_the_warmup() -> None:
    schedule = milestones(0.8, [4, 6], 0.5, warmup=2)
    assert [schedule(step) for step in range(8)] == pytest.approx(
        [0.4, 0.8, 0.8, 0.8, 0.4, 0.4, 0.2, 0.2]
    )
    assert milestones(0.8, [], 0.5)(0) == 0.8


def test_a_schedule_that_follows_another_begins_anew() -> None:
    schedule = followed(linear(1.0, 0.0, steps=4), 3, linear(0.5, 0.7, steps=2))
    assert [schedule(step) for step in range(7)] == pytest.approx(
        [1.0, 0.75, 0.5, 0.5, 0.6, 0.7, 0.7]
    )
