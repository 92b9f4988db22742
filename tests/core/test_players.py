"""The pairs of networks by name."""

import pytest
import torch
from torch import nn

from core.command import UserError
from core.contrast import Contrasted, from_contrast, to_contrast
from core.game import Batch
from core.players import NetworkName, PlayerSpec

PAIRS: list[tuple[NetworkName, tuple[int, int, int]]] = [
    ("maxout", (1, 4, 5)),
    ("maxout-sigmoid", (3, 4, 4)),
    ("maxout-stacked", (1, 4, 4)),
    ("dense", (2, 4, 5)),
    ("dcgan", (3, 16, 16)),
    ("dcgan", (1, 28, 28)),
    ("residual", (3, 16, 16)),
]


@pytest.mark.parametrize(("name", "shape"), PAIRS)
@pytest.mark.parametrize("classes", [0, 4])
def test_a_pair_makes_and_judges_pictures_of_its_shape(
    name: NetworkName, shape: tuple[int, int, int], classes: int
) -> None:
    torch.manual_seed(0)
    game = PlayerSpec(name, shape, 8, 8, latent_size=6, classes=classes).build_game(
        torch.rand(shape)
    )
    labels = torch.arange(5) % 4 if classes else None
    batch = Batch(torch.rand(5, *shape), labels)
    fake = game.fake(batch)
    assert fake.shape == (5, *shape)
    assert 0 <= float(fake.min()) <= float(fake.max()) <= 1
    assert game.score(fake, batch).shape == (5, 1)
    game.score(fake, batch).sum().backward()
    for player in (game.generator, game.discriminator):
        assert all(p.grad is not None and p.grad.isfinite().all() for p in player.parameters())


@pytest.mark.parametrize("name", ["maxout", "dense", "residual", "dcgan"])
def test_spectral_norm_bounds_every_layer_and_leaves_no_batch_norm(name: NetworkName) -> None:
    spec = PlayerSpec(name, (1, 8, 8), 8, 8, spectral_norm=True)
    discriminator = spec.build_game(torch.rand(1, 8, 8)).discriminator
    for _ in range(20):  # the power method takes a step at each pass
        discriminator(torch.rand(2, 1, 8, 8))
    layers = [m for m in discriminator.modules() if isinstance(m, (nn.Linear, nn.Conv2d))]
    assert len(layers) >= 2
    for layer in layers:
        assert float(torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)) <= 1.2
    assert not any(isinstance(m, nn.BatchNorm2d) for m in discriminator.modules())


def test_players_of_equal_contrast_work_on_such_numbers() -> None:
    spec = PlayerSpec("maxout-sigmoid", (3, 4, 4), 8, 8, equal_contrast=True)
    game = spec.build_game(torch.rand(3, 4, 4))
    generator, discriminator = game.generator, game.discriminator
    assert isinstance(generator, Contrasted)
    assert isinstance(discriminator, Contrasted)
    noise = torch.randn(5, 100)
    pictures = generator(noise)
    assert torch.equal(pictures, from_contrast(generator.network(noise)))
    discriminator.eval()
    logits = discriminator.network(to_contrast(pictures))
    assert torch.equal(discriminator(pictures), logits)


@pytest.mark.slow
def test_the_convolutional_maxout_pair_has_the_published_shapes() -> None:
    with torch.device("meta"):
        game = PlayerSpec("maxout-convolutional", (3, 32, 32), 8000, 1).build_game(
            torch.rand(3, 32, 32)
        )
        fake = game.generator(torch.zeros(2, 100))
        assert fake.shape == (2, 3, 32, 32)
        assert game.discriminator(fake).shape == (2, 1)
    weights = {tuple(p.shape) for p in game.discriminator.parameters() if p.dim() > 1}
    assert weights == {(64, 3, 8, 8), (64, 32, 8, 8), (384, 32, 5, 5), (2500, 4800), (1, 500)}


@pytest.mark.parametrize(
    ("name", "shape", "sentence"),
    [
        ("maxout-convolutional", (1, 28, 28), "3 x 32 x 32, not of 1 x 28 x 28"),
        ("dcgan", (3, 16, 8), "square"),
        ("residual", (3, 18, 18), "side of 18"),
    ],
)
def test_a_shape_that_a_pair_cannot_make_is_refused(
    name: NetworkName, shape: tuple[int, int, int], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        PlayerSpec(name, shape, 8, 8).build_game(torch.rand(shape))
