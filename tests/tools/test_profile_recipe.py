"""The profile of a recipe: costs go to the network that caused them, and add up to the step."""

import time
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from core.game import Batch
from core.phase import Forward, Phase, Term
from core.schedule import constant
from core.trainer import Trainer
from tools import profile_recipe as program
from tools.profile_recipe import shares_of_time


class Costly(torch.autograd.Function):
    """The identity, which takes its time: once forward and twice backward."""

    @staticmethod
    def forward(ctx: object, x: Tensor, seconds: float) -> Tensor:
        ctx.seconds = seconds  # type: ignore[attr-defined]
        time.sleep(seconds)
        return x.clone()

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> tuple[Tensor, None]:
        time.sleep(2 * ctx.seconds)  # type: ignore[attr-defined]
        return gradient, None


class Slow(nn.Module):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.seconds = seconds

    def forward(self, x: Tensor) -> Tensor:
        return Costly.apply(self.weight * x, self.seconds)  # type: ignore[no-any-return]


class Chain:
    """Three networks one after the other, of which the first learns."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self.generator, self.discriminator, self.judge = networks

    def fake(self, batch: Batch) -> Tensor:
        return self.generator(batch.real)  # type: ignore[no-any-return]

    def score(self, sample: Tensor, batch: Batch) -> Tensor:  # noqa: ARG002
        return self.judge(self.discriminator(sample))  # type: ignore[no-any-return]

    def batch(self, index: int) -> Batch:  # noqa: ARG002
        return Batch(torch.ones(2))


def test_each_network_is_charged_for_its_own_passes() -> None:
    networks = {"a": Slow(0.01), "b": Slow(0.02), "c": Slow(0.03)}
    game = Chain(list(networks.values()))
    term = Term("score", lambda forward: forward.fake_logits.mean())

    def forgetful(forward: Forward) -> Tensor:
        with torch.no_grad():  # a pass that is never gone back through
            return game.discriminator(forward.real).mean()  # type: ignore[no-any-return]

    phase = Phase(
        "generator",
        torch.optim.SGD(game.generator.parameters()),
        [term, Term("again", forgetful)],
        constant(0.1),
    )
    shares = shares_of_time(Trainer(game, [phase], game), networks, 3)
    spent = {"a, forward": 1, "b, forward": 4, "c, forward": 3, "a, backward": 2, "b, backward": 4,
             "c, backward": 6}  # fmt: skip
    for name, units in spent.items():
        assert shares[name] == pytest.approx(units / 20, abs=0.03)
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)


@pytest.mark.slow
def test_the_command_names_the_costs_of_the_papers_recipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--batch-size", "1", "--steps", "1", "--device", "cpu"]
    monkeypatch.setattr("sys.argv", ["profile_recipe", "srgan", *options])
    with pytest.raises(SystemExit) as end:
        program.main()
    assert end.value.code == 0
    _, features, speed, *rows = capsys.readouterr().out.splitlines()
    assert "vgg54" in features
    assert "steps/s" in speed
    names = {row.rpartition(" ")[0].strip() for row in rows}
    assert names >= {"discriminator, backward", "perceptual network, forward", "optimisers"}


@pytest.mark.parametrize("options", [["srgan", "--steps", "0"], ["srgan", "--batch-size", "0"]])
def test_wrong_settings_are_exit_code_2(
    options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["profile_recipe", *options])
    with pytest.raises(SystemExit) as end:
        program.main()
    assert end.value.code == 2
