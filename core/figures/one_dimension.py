"""The 2014 paper's figure 1, alive: data, the generator's density and the discriminator's curve.

Run ``python -m core.figures.one_dimension``: it plays the game on one-dimensional data and writes
frames and an animated GIF. Arrows from the lower line, of noise, to the upper one, of samples, show
the mapping G: it is dense where the data are.
"""

import io
import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor, nn

from core import random_state
from core.adversarial import adversarial_loss
from core.command import UserError, run_command
from core.files import appearing
from core.game import Batch, NoiseGame
from core.penalties import r1_term
from core.phase import Phase, adversarial_discriminator_term, adversarial_generator_term
from core.schedule import linear
from core.trainer import Trainer

__all__ = ["FigureConfig", "Moment", "draw", "line_trainer", "look"]

logger = logging.getLogger(__name__)

MEAN, DEVIATION = 3.0, 0.6  # of the data
_RANGE = (-1.0, 6.0)  # of the plot


@dataclass(frozen=True)
class FigureConfig:
    """How long is played, and where the pictures go.

    Attributes:
        out: folder for the frames, and for one_dimension.gif.
        steps: of training.
        frames: pictures, evenly spread over them.
        seed: everything random follows from it.
    """

    out: Path = Path("figures")
    steps: int = 1200
    frames: int = 30
    seed: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.frames <= self.steps:
            raise UserError(f"--frames must be from 1 to --steps, {self.steps}, not {self.frames}")


@dataclass(frozen=True)
class NormalBatches:
    """Endless points of the data; each batch is a pure function of seed and index."""

    seed: int

    def batch(self, index: int) -> Batch:
        """Return 256 points, ``[256, 1]``."""
        random = torch.Generator().manual_seed(self.seed * 1_000_003 + index)
        return Batch(MEAN + DEVIATION * torch.randn(256, 1, generator=random))


def _network() -> nn.Module:
    return nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(),
                         nn.Linear(32, 1))  # fmt: skip


def line_trainer(seed: int, steps: int) -> Trainer:
    """Return a trainer of two small networks that play on a line, from uniform noise.

    The discriminator moves three times a step, the k of Algorithm 1, and learning rates fall to 0
    over ``steps``.
    """
    random_state.seed_all(seed)
    game = NoiseGame(_network(), _network(), 1, "uniform")
    loss = adversarial_loss("non-saturating")

    def adam(network: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.Adam(network.parameters(), betas=(0.0, 0.9))

    # R1 is not in the paper: it keeps the curves from circling around each other.
    terms = [adversarial_discriminator_term(loss), r1_term(0.02)]
    return Trainer(
        game,
        [
            Phase("discriminator", adam(game.discriminator), terms, linear(1e-2, 0.0, steps),
                  repeats=3),
            Phase("generator", adam(game.generator), [adversarial_generator_term(loss)],
                  linear(3e-3, 0.0, steps)),
        ],
        NormalBatches(seed),
    )  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """The game at one step, on ``x`` from one end of the plot to the other.

    Attributes:
        step: steps done.
        x: ``[N]``.
        data: density of the data at x.
        samples: density of the generator's samples at x.
        probability: D(x), the chance that x is from the data.
        noise: a few z, evenly spread, ``[K]``.
        mapped: what G makes of them, ``[K]``.
    """

    step: int
    x: Tensor
    data: Tensor
    samples: Tensor
    probability: Tensor
    noise: Tensor
    mapped: Tensor


@torch.no_grad()
def look(trainer: Trainer) -> Moment:
    """Return the game as it stands; the samples' density is a histogram of evenly spread noise."""
    x = torch.linspace(*_RANGE, 281)
    width = float(x[1] - x[0])
    noise = (torch.linspace(-1, 1, 100_001) * 3**0.5)[:, None]
    made = trainer.game.generator(noise).flatten()
    counts = torch.histc(made, len(x), _RANGE[0] - width / 2, _RANGE[1] + width / 2)
    few = (torch.linspace(-0.98, 0.98, 25) * 3**0.5)[:, None]
    return Moment(
        trainer.step,
        x,
        torch.distributions.Normal(MEAN, DEVIATION).log_prob(x).exp(),
        counts / (len(noise) * width),
        torch.sigmoid(trainer.game.discriminator(x[:, None])).flatten(),
        few.flatten(),
        trainer.game.generator(few).flatten(),
    )


def draw(moment: Moment) -> Image.Image:
    """Draw a moment as the paper's figure does: data dotted, samples green, D dashed blue."""
    figure = Figure(figsize=(4.2, 3.4), dpi=80, layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=False, height_ratios=(3, 1))
    upper.plot(moment.x, moment.data, "k:", label="data")
    upper.plot(moment.x, moment.samples.clamp(max=1.5), color="tab:green", label="samples")
    upper.plot(moment.x, moment.probability, "--", color="tab:blue", label="D(x)")
    upper.set(xlim=_RANGE, ylim=(0, 1.5), yticks=(0, 0.5, 1))
    upper.legend(loc="upper left", fontsize=8, frameon=False)
    upper.set_title(f"step {moment.step}", loc="right", fontsize=9)
    left, right = _RANGE
    shares = 0.5 + moment.noise / (2 * 3**0.5)
    starts = (left + (right - left) * shares).tolist()
    for start, end in zip(starts, moment.mapped.tolist(), strict=True):
        lower.plot((start, end), (0, 1), color="0.4", linewidth=0.7)
    lower.set(xlim=_RANGE, ylim=(0, 1), yticks=(0, 1), yticklabels=("z", "x"), xticks=())
    packed = io.BytesIO()
    figure.savefig(packed, format="png")
    return Image.open(packed).convert("RGB")


def make(config: FigureConfig) -> bool:
    """Play, and write a frame every so many steps and all of them as a GIF."""
    trainer = line_trainer(config.seed, config.steps)
    config.out.mkdir(parents=True, exist_ok=True)
    frames = []
    for number in range(config.frames + 1):
        trainer.train(number * config.steps // config.frames)
        frame = draw(look(trainer))
        frame.save(config.out / f"one_dimension_{number:03}.png")
        frames.append(frame.quantize(32))
    with appearing(config.out / "one_dimension.gif") as temporary:
        frames[0].save(
            temporary, format="GIF", save_all=True, append_images=frames[1:], duration=150, loop=0
        )
    logger.info("%d frames and one_dimension.gif in %s", len(frames), config.out)
    return True


if __name__ == "__main__":
    run_command(FigureConfig, make)
