"""Which number format is taken."""

import pytest
import torch

from core import precision
from core.precision import Precision, autocast, pick_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize("wanted", ["fp32", "bf16"])
@pytest.mark.parametrize("device", ["cpu", "cuda", "mps"])
def test_an_explicit_wish_is_respected_without_a_trial(
    wanted: Precision, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_precision: Precision) -> float:
        raise AssertionError("tried")

    monkeypatch.setattr(precision, "_seconds", never)
    assert pick_precision(wanted, torch.device(device)) == wanted


@pytest.mark.parametrize(
    ("bf16", "fp32", "chosen"), [(1.0, 5.0, "bf16"), (5.0, 1.0, "fp32"), (0.9, 1.0, "fp32")]
)
def test_on_a_processor_the_clearly_faster_one_is_taken(
    bf16: float, fp32: float, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "_seconds", {"bf16": bf16, "fp32": fp32}.__getitem__)
    assert pick_precision("auto", CPU) == chosen


def test_the_trial_itself_ends_in_one_of_both_and_draws_no_random_numbers() -> None:
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    assert pick_precision("auto", CPU) in ("fp32", "bf16")
    assert torch.equal(torch.rand(3), wanted)


@pytest.mark.parametrize(("begun", "warned"), [("bf16", True), ("fp32", False)])
def test_a_run_that_goes_on_keeps_its_format_and_says_so_where_another_one_fits(
    begun: Precision, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    assert pick_precision("auto", torch.device("mps"), begun) == begun
    assert ("goes on in bf16, as it began, though --precision auto would take fp32" in
            caplog.text) == warned  # fmt: skip


def test_processes_that_train_together_take_the_main_ones_choice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.distributed.gather", lambda own: ["bf16", own])
    assert pick_precision("auto", torch.device("mps")) == "bf16"


def test_an_unknown_device_computes_in_single() -> None:
    assert pick_precision("auto", torch.device("mps")) == "fp32"


@pytest.mark.parametrize(("wanted", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_a_forward_pass_runs_in_that_format(wanted: Precision, dtype: torch.dtype) -> None:
    layer = torch.nn.Linear(3, 3)
    with autocast(wanted, CPU):
        assert layer(torch.rand(2, 3)).dtype == dtype
    assert layer(torch.rand(2, 3)).dtype == torch.float32
