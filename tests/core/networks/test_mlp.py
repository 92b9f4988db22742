"""The networks of the 2014 paper."""

import torch
from torch import nn

from core.networks.mlp import (
    Maxout,
    MaxoutDiscriminator,
    MlpGenerator,
    SigmoidMlpGenerator,
    StackedGenerator,
    clamp_column_norms,
)


def test_the_generator_starts_at_the_pixel_means_for_noise_of_zero() -> None:
    means = torch.rand(2, 3, 4) * 0.9 + 0.05
    generator = MlpGenerator(6, (2, 3, 4), 16, means)
    got = generator(torch.zeros(5, 6))
    assert got.shape == (5, 2, 3, 4)
    assert torch.allclose(got, means.expand_as(got), atol=1e-6)


def test_the_generator_starts_near_the_pixel_means_for_any_noise() -> None:
    torch.manual_seed(0)
    means = torch.rand(1, 8, 8) * 0.8 + 0.1
    noise = (2 * torch.rand(1000, 100) - 1) * 3**0.5
    got = MlpGenerator(100, (1, 8, 8), 64, means)(noise).detach()
    assert float((got.mean(dim=0) - means).abs().max()) < 0.05


def test_pixels_that_are_always_black_or_white_start_at_finite_logits() -> None:
    generator = MlpGenerator(4, (1, 1, 2), 8, torch.tensor([[[0.0, 1.0]]]))
    got = generator(torch.zeros(1, 4))
    assert torch.allclose(got.flatten(), torch.tensor([1e-3, 1 - 1e-3]), atol=1e-6)


def test_initial_weights_lie_within_the_published_bounds() -> None:
    torch.manual_seed(0)
    generator = MlpGenerator(50, (1, 5, 5), 60, torch.full((1, 5, 5), 0.5))
    for network, bound in ((generator, 0.05), (MaxoutDiscriminator(25), 0.005)):
        weights = [m.weight for m in network.modules() if isinstance(m, nn.Linear)]
        assert len(weights) == 3
        for weight in weights:
            assert 0.9 * bound < float(weight.detach().abs().max()) <= bound


def test_a_maxout_unit_is_the_largest_of_its_pieces() -> None:
    layer = Maxout(2, units=2, pieces=3)
    with torch.no_grad():
        layer.linear.weight.copy_(
            torch.tensor([[1.0, 0], [0, 1], [-1, -1], [2, 0], [0, 2], [0, 0]])
        )
        layer.linear.bias.copy_(torch.tensor([0.0, 0, 0, 0, 0, 0.5]))
    got = layer(torch.tensor([[3.0, 1.0], [-2.0, -5.0], [0.0, 0.1]]))
    assert torch.allclose(got, torch.tensor([[3, 6], [7, 0.5], [0.1, 0.5]]))


def test_the_discriminator_gives_a_logit_a_picture_and_drops_out_in_training_alone() -> None:
    torch.manual_seed(0)
    network = MaxoutDiscriminator(12, units=20, pieces=2)
    pictures = torch.rand(3, 1, 3, 4)
    assert network(pictures).shape == (3, 1)
    assert not torch.equal(network(pictures), network(pictures))
    network.eval()
    assert torch.equal(network(pictures), network(pictures))
    rates = [m.p for m in network.modules() if isinstance(m, nn.Dropout)]
    assert rates == [0.2, 0.5, 0.5]


def test_clamping_shortens_the_weights_into_each_unit_to_the_limit() -> None:
    network = nn.Sequential(nn.Linear(2, 4), nn.ReLU())
    layer = network[0]
    assert isinstance(layer, nn.Linear)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[3.0, 4.0], [0.6, 0.8], [0.0, 0.0], [0.0, -2.0]]))
        layer.bias.fill_(9.0)
    clamp_column_norms(network, 2.0)
    wanted = [[1.2, 1.6], [0.6, 0.8], [0.0, 0.0], [0.0, -2.0]]
    assert torch.allclose(layer.weight, torch.tensor(wanted))
    assert layer.bias.tolist() == [9.0] * 4


def test_the_faces_generator_starts_at_the_pixel_means_with_sparse_last_weights() -> None:
    torch.manual_seed(0)
    means = torch.rand(1, 6, 6) * 0.8 + 0.1
    generator = SigmoidMlpGenerator(5, (1, 6, 6), 300, means, "sigmoid")
    linear = [m for m in generator.modules() if isinstance(m, nn.Linear)]
    assert ((linear[2].weight != 0).sum(dim=1) == 100).all()
    assert torch.allclose(linear[2].bias, torch.logit(means).flatten(), atol=1e-5)
    assert torch.equal(linear[1].bias, torch.full((300,), -2.0))


def test_the_photographs_generator_gives_any_number() -> None:
    torch.manual_seed(0)
    generator = SigmoidMlpGenerator(5, (3, 4, 4), 30, torch.rand(3, 4, 4), "linear")
    linear = [m for m in generator.modules() if isinstance(m, nn.Linear)]
    assert 0.45 < float(linear[2].weight.detach().abs().max()) <= 0.5
    got = generator(torch.randn(20, 5)).detach()
    assert got.shape == (20, 3, 4, 4)
    assert float(got.min()) < 0 < 1 < float(got.max())


def test_a_stacked_generator_feeds_sigmoids_to_the_earlier_one() -> None:
    upper = nn.Identity()
    generator = StackedGenerator(5, 12, upper, 7)
    got = generator(torch.randn(4, 5)).detach()
    assert got.shape == (4, 7)
    assert 0 < float(got.min()) <= float(got.max()) < 1
