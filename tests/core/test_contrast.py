"""Pictures of equal contrast."""

import torch
from torch import nn

from core.contrast import Contrasted, from_contrast, normalise_contrast, to_contrast


def test_each_picture_stands_for_numbers_of_mean_0_and_variance_1() -> None:
    pictures = torch.rand(5, 3, 8, 8) * torch.rand(5, 1, 1, 1)
    values = to_contrast(normalise_contrast(pictures)).flatten(1)
    assert torch.allclose(values.mean(dim=1), torch.zeros(5), atol=1e-5)
    assert torch.allclose(values.square().mean(dim=1), torch.ones(5), atol=1e-4)


def test_an_even_picture_becomes_grey() -> None:
    assert torch.equal(
        normalise_contrast(torch.full((1, 3, 4, 4), 0.25)), torch.full((1, 3, 4, 4), 0.5)
    )


def test_there_and_back_is_the_same() -> None:
    values = torch.randn(4, 3)
    assert torch.allclose(to_contrast(from_contrast(values)), values, atol=1e-6)


def test_a_generator_gives_pictures_and_a_discriminator_takes_them() -> None:
    values = torch.randn(2, 3)
    given = Contrasted(nn.Identity(), gives=True)(values)
    assert torch.equal(given, from_contrast(values))
    assert torch.allclose(Contrasted(nn.Identity(), gives=False)(given), values, atol=1e-6)
