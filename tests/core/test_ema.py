"""The smoothed generator against the closed form of its average."""

import pytest
from torch import nn

from core.ema import Ema
from tests.core.games import DiracGame, dirac_trainer


def network(weight: float, mean: float) -> nn.BatchNorm1d:
    layer = nn.BatchNorm1d(1)
    layer.weight.data.fill_(weight)
    layer.running_mean.fill_(mean)  # type: ignore[union-attr]
    layer.num_batches_tracked.fill_(int(mean))  # type: ignore[union-attr]
    return layer


def averaged(ema: Ema) -> tuple[float, float, int]:
    layer = ema.network
    assert isinstance(layer, nn.BatchNorm1d)
    assert layer.running_mean is not None
    assert layer.num_batches_tracked is not None
    return (
        layer.weight.item(),
        layer.running_mean.item(),
        int(layer.num_batches_tracked.item()),
    )


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999])
def test_parameters_are_averaged_and_buffers_copied(decay: float) -> None:
    ema = Ema(network(2.0, 1.0), decay)
    average = 2.0
    for n in range(12):
        weight = 3.0 + n**2
        ema.update(network(weight, 10.0 + n))
        share = min(decay, (1 + n) / (10 + n))
        average = share * average + (1 - share) * weight
        assert averaged(ema) == pytest.approx((average, 10.0 + n, 10 + n), rel=1e-6)
    assert ema.updates == 12


def test_the_copy_is_for_sampling_alone() -> None:
    source = network(2.0, 1.0)
    ema = Ema(source, 0.9)
    assert not ema.network.training
    assert not any(p.requires_grad for p in ema.network.parameters())
    assert source.training
    assert source.weight.requires_grad
    source.weight.data.fill_(9.0)
    assert averaged(ema)[0] == 2.0


@pytest.mark.parametrize("decay", [-0.1, 1.0, float("nan")])
def test_a_decay_outside_its_range_is_refused(decay: float) -> None:
    with pytest.raises(ValueError, match=str(decay)):
        Ema(network(0.0, 0.0), decay)


def test_the_trainer_updates_it_once_a_step_after_all_moves() -> None:
    game = DiracGame(0.7, -0.4)
    trainer = dirac_trainer(game, repeats=2, ema_decay=0.9)
    assert trainer.ema is not None
    average = 0.7
    for n in range(4):
        trainer.train(n + 1)
        share = min(0.9, (1 + n) / (10 + n))
        average = share * average + (1 - share) * game.position[0]
        assert next(trainer.ema.network.parameters()).item() == pytest.approx(average, abs=1e-6)
    assert trainer.ema.updates == 4
