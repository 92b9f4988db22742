"""The settings of a noise-to-picture run."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import tyro

from core.adversarial import LossName
from core.command import UserError, option
from core.evaluation.metrics import MetricName
from core.game import Noise
from core.players import NetworkName
from core.precision import Precision
from core.settings import require_finite
from core.trainer import Order

__all__ = ["OnCollapse", "RecipeName", "VanillaConfig"]

OnCollapse = Literal["warn", "stop", "rollback"]
RecipeName = Literal[
    "paper-mnist",
    "paper-tfd-pretrain",
    "paper-tfd",
    "paper-cifar10",
    "paper-cifar10-convolutional",
    "mnist",
    "classes",
    "digits",
    "dcgan",
    "residual",
]


@dataclass(frozen=True)
class VanillaConfig:
    """Settings of a run; --recipe sets them all, and each can be overridden.

    Attributes:
        recipe: paper-... as the 2014 paper's code has them; mnist for the best digits; classes for
            digits by class; digits (8x8, comes with scikit-learn); dcgan and residual for small
            colour pictures.
        dataset: mnist, digits, cifar10, tfd, or a folder of pictures.
        data_dir: where the named data sets lie; mnist and cifar10 are downloaded where missing.
        size: side that a folder's pictures are brought to.
        equal_contrast: bring each picture to mean 0 and variance 1 first.
        conditional: tell both players the class.
        out: folder of the run; by default runs/ and the recipe's name.
        resume: go on from the run's checkpoint.
        epochs: passes over the training pictures.
        batch_size: samples a step.
        networks: which pair of networks plays.
        width: hidden units of the generator, or its channels at full resolution.
        discriminator_width: the same of the discriminator.
        latent_size: length of the noise vector.
        noise: gaussian or uniform.
        pretrained: for maxout-stacked: the generator file whose layers come last.
        spectral_norm: divide each of the discriminator's weights by its spectral norm.
        loss: adversarial loss.
        order: simultaneous takes both players' gradients before either moves, as the paper's code
            did; alternating is its Algorithm 1.
        discriminator_steps: the k of Algorithm 1: moves of the discriminator for each of the
            generator, each on fresh data.
        discriminator_weight: factor of the discriminator's loss; the paper's code has 0.5.
        optimizer: sgd with the paper's schedules (momentum from 0.5 to 0.7, the learning rate
            divided by 1.000004 at each update), or adam.
        learning_rate: at the start.
        momentum_epochs: over which sgd's momentum rises; fewer for a shorter run.
        beta1: of adam.
        beta2: of adam.
        anneal: let adam's learning rate fall to 0 over the epochs, as a cosine.
        max_norm: longest weight vector into a unit, of both players; 0 for no limit.
        r1: weight of the squared gradient penalty on data.
        r2: weight of the squared gradient penalty on samples.
        gradient_penalty: weight of WGAN-GP's penalty.
        lazy: compute the penalties at every n-th step only, n times as strong.
        ema: decay of the smoothed generator that samples are drawn from; 0 turns it off.
        sample_every: epochs between sample grids and checkpoints.
        metrics: what is measured then: parzen, or features (on a classifier's), or both.
        classifier: for features: the file that python -m core.evaluation.classifier wrote.
        on_collapse: what happens when the samples become alike, or unlike any data, or the
            discriminator runs away: warn; stop; or rollback, to before, and on with other batches,
            three times at most. Numbers that are no longer finite stop the run, or roll it back.
        precision: number format of the forward passes.
        device: auto, cpu, cuda, ...
        seed: everything random follows from it.
    """

    recipe: RecipeName = "paper-mnist"
    dataset: str = "mnist"
    data_dir: Path = Path("data")
    size: int = 64
    equal_contrast: bool = False
    conditional: bool = False
    out: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    resume: bool = False
    epochs: int = 50
    batch_size: int = 100
    networks: NetworkName = "maxout"
    width: int = 1200
    discriminator_width: int = 240
    latent_size: int = 100
    noise: Noise = "uniform"
    pretrained: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    spectral_norm: bool = False
    loss: LossName = "non-saturating"
    order: Order = "simultaneous"
    discriminator_steps: int = 1
    discriminator_weight: float = 0.5
    optimizer: Literal["sgd", "adam"] = "sgd"
    learning_rate: float = 0.1
    momentum_epochs: int = 250
    beta1: float = 0.5
    beta2: float = 0.999
    anneal: bool = False
    max_norm: float = 0.0
    r1: float = 0.0
    r2: float = 0.0
    gradient_penalty: float = 0.0
    lazy: int = 1
    ema: float = 0.999
    sample_every: int = 1
    metrics: tuple[MetricName, ...] = ()
    classifier: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    on_collapse: OnCollapse = "warn"
    precision: Precision = "fp32"
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if not value >= least:
                raise UserError(f"{option(name)} must be at least {least}, not {value}")
        for name in ("learning_rate", "discriminator_weight"):
            if not getattr(self, name) > 0:
                raise UserError(f"{option(name)} must be positive, not {getattr(self, name)}")
        for name in ("ema", "beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise UserError(
                    f"{option(name)} must be at least 0 and below 1, not {getattr(self, name)}"
                )
        require_finite(self)
        for field in fields(self):  # a program may hold what tyro would refuse
            allowed = get_args(_LITERALS.get(field.name))
            if allowed and getattr(self, field.name) not in allowed:
                raise UserError(
                    f"{option(field.name)} must be one of {', '.join(allowed)}, "
                    f"not {getattr(self, field.name)!r}"
                )
        self._refuse_contradictions()

    def _refuse_contradictions(self) -> None:
        if self.order == "simultaneous" and self.discriminator_steps != 1:
            raise UserError("--order simultaneous needs --discriminator-steps 1")
        if self.anneal and self.optimizer != "adam":
            raise UserError("--anneal needs --optimizer adam: sgd has the paper's schedules")
        if self.max_norm and self.spectral_norm:
            raise UserError("--max-norm and --spectral-norm both scale the weights: choose one")
        if (self.networks == "maxout-stacked") != (self.pretrained is not None):
            raise UserError("--networks maxout-stacked and --pretrained FILE need each other")
        if self.pretrained and (self.conditional or self.equal_contrast):
            raise UserError("--pretrained goes with neither --conditional nor --equal-contrast")
        if self.equal_contrast and self.networks in ("maxout", "dense", "dcgan", "residual"):
            raise UserError(
                "--equal-contrast needs a generator without bounds: --networks maxout-sigmoid or "
                "maxout-convolutional"
            )
        if self.max_norm and self.networks in ("dcgan", "residual"):
            raise UserError(
                f"--max-norm is for units that see all of a picture, and --networks "
                f"{self.networks} has convolutions: take --spectral-norm"
            )
        if "features" in self.metrics and self.classifier is None:
            raise UserError(
                "--metrics features needs --classifier: the file that "
                "python -m core.evaluation.classifier wrote"
            )
        penalised = self.r1 or self.r2 or self.gradient_penalty
        if self.loss == "wasserstein" and not (penalised or self.max_norm or self.spectral_norm):
            raise UserError(
                "--loss wasserstein needs a bound on the discriminator: --gradient-penalty 10, "
                "--r1, --r2, --max-norm or --spectral-norm"
            )
        if penalised and self.networks == "dcgan" and not self.spectral_norm:
            raise UserError(
                "--r1, --r2 and --gradient-penalty need a discriminator without batch "
                "normalisation: add --spectral-norm, or take --networks residual"
            )

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "VanillaConfig":
        """Return the settings that a generator file tells of its training.

        Raises:
            UserError: if they are not such settings.
        """
        paths = ("classifier", "data_dir", "out", "pretrained")
        values = dict(settings) | {
            name: Path(settings[name]) for name in paths if settings.get(name) is not None
        }
        values["metrics"] = tuple(settings.get("metrics", ()))
        try:
            return cls(**values)
        except TypeError as error:
            raise UserError(f"the generator was trained by another program: {error}") from error

    @property
    def folder(self) -> Path:
        """Where the run is kept."""
        return self.out or Path("runs") / self.recipe


_LEAST = {
    "batch_size": 1,
    "discriminator_steps": 1,
    "discriminator_width": 1,
    "epochs": 1,
    "gradient_penalty": 0,
    "latent_size": 1,
    "lazy": 1,
    "max_norm": 0,
    "momentum_epochs": 1,
    "r1": 0,
    "r2": 0,
    "sample_every": 1,
    "seed": 0,
    "size": 8,
    "width": 1,
}

_LITERALS = {
    "loss": LossName,
    "networks": NetworkName,
    "noise": Noise,
    "on_collapse": OnCollapse,
    "order": Order,
    "precision": Precision,
    "recipe": RecipeName,
}
