"""Both players are told the class."""

import pytest
import torch
from torch import Tensor, nn

from core.conditional import ClassDiscriminator, ClassGame, ClassGenerator
from core.game import Batch

LABELS = torch.tensor([2, 0])


class Seen(nn.Module):
    """Gives back what it was shown."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def test_the_generator_takes_the_class_as_a_one_hot_vector_behind_the_noise() -> None:
    got = ClassGenerator(Seen(), 3)(torch.full((2, 2), 7.0), LABELS)
    assert got.tolist() == [[7, 7, 0, 0, 1], [7, 7, 1, 0, 0]]


def test_the_discriminator_is_shown_it_as_numbers_or_as_planes() -> None:
    pictures = torch.full((2, 1, 2, 2), 5.0)
    flat = ClassDiscriminator(Seen(), 3, planes=False)(pictures, LABELS)
    assert flat.tolist() == [[5, 5, 5, 5, 0, 0, 1], [5, 5, 5, 5, 1, 0, 0]]
    planes = ClassDiscriminator(Seen(), 3, planes=True)(pictures, LABELS)
    assert planes.shape == (2, 4, 2, 2)
    assert torch.equal(planes[:, 0], pictures[:, 0])
    assert planes[:, 1:, 0, 0].tolist() == [[0, 0, 1], [1, 0, 0]]
    assert torch.equal(planes[:, 1:, 1, 1], planes[:, 1:, 0, 0])


def test_samples_are_made_and_judged_for_the_batchs_classes() -> None:
    game = ClassGame(ClassGenerator(Seen(), 3), ClassDiscriminator(Seen(), 3, planes=False), 2)
    batch = Batch(torch.zeros(2, 5), LABELS)
    fake = game.fake(batch)
    assert fake[:, 2:].tolist() == [[0, 0, 1], [1, 0, 0]]
    assert game.score(fake, batch)[:, 5:].tolist() == [[0, 0, 1], [1, 0, 0]]


def test_a_batch_without_classes_is_an_error() -> None:
    game = ClassGame(ClassGenerator(Seen(), 3), nn.Identity(), 2)
    with pytest.raises((TypeError, AttributeError)):
        game.fake(Batch(torch.zeros(2, 5)))
