"""The game of the 2014 paper: noise in, samples out."""

import pytest
import torch
from torch import nn

from core.game import Batch, Noise, NoiseGame
from core.phase import Forward


@pytest.mark.parametrize(("kind", "largest"), [("uniform", 3**0.5), ("gaussian", 6.0)])
def test_noise_has_unit_variance(kind: Noise, largest: float) -> None:
    torch.manual_seed(0)
    noise = NoiseGame(nn.Identity(), nn.Identity(), 50, kind).noise(4000, torch.device("cpu"))
    assert noise.shape == (4000, 50)
    assert 0.6 * largest < float(noise.abs().max()) <= largest
    assert abs(float(noise.mean())) < 0.01
    assert abs(float(noise.var()) - 1) < 0.01


def test_there_are_as_many_samples_as_data_each_from_fresh_noise() -> None:
    game = NoiseGame(nn.Identity(), nn.Identity(), 7)
    batch = Batch(torch.zeros(5, 2))
    assert game.fake(batch).shape == (5, 7)
    assert not torch.equal(game.fake(batch), game.fake(batch))


def test_the_discriminator_sees_the_sample_alone() -> None:
    game = NoiseGame(nn.Identity(), nn.Linear(2, 1), 7)
    sample = torch.rand(3, 2)
    assert torch.equal(game.score(sample, Batch(torch.zeros(3, 2))), game.discriminator(sample))


def test_a_batch_moves_with_its_condition() -> None:
    meta = torch.device("meta")
    moved = Batch(torch.zeros(2), torch.zeros(2)).to(meta)
    assert moved.cond is not None
    assert (moved.real.device, moved.cond.device) == (meta, meta)
    assert Batch(torch.zeros(2)).to(meta).cond is None


def test_a_forward_keeps_only_the_graph_that_the_mover_needs() -> None:
    game = NoiseGame(nn.Linear(3, 2), nn.Linear(2, 1), 3)
    batch = Batch(torch.rand(4, 2))
    generator, discriminator = (
        Forward(game, batch, "generator"),
        Forward(game, batch, "discriminator"),
    )
    assert generator.fake.requires_grad
    assert generator.fake_logits.requires_grad
    assert not generator.real_logits.requires_grad
    assert not discriminator.fake.requires_grad
    assert discriminator.fake_logits.requires_grad
    assert discriminator.real_logits.requires_grad
    assert generator.fake is generator.fake
