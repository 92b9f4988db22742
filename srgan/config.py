"""The settings of a super-resolution run, and the named recipes they start from."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

from core.adversarial import LossName
from core.command import UserError, option
from core.settings import require_finite
from srgan.degradations import DegradationName
from srgan.discriminators import DiscriminatorName
from srgan.features import FeatureNetwork
from srgan.generators import GeneratorName
from srgan.losses import Distance

__all__ = ["RECIPES", "RecipeName", "TrainConfig"]

RecipeName = Literal["laptop", "srgan", "esrgan", "real-esrgan"]


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a run; --recipe sets them all, and each can be overridden.

    Attributes:
        recipe: laptop, srgan (Ledig et al. 2017), esrgan (Wang et al. 2018), real-esrgan (Wang et
            al. 2021).
        show_config: print the settings as JSON and stop.
        data: div2k, flickr2k and folders of pictures, separated by commas. A folder with HR/ and
            LRx4/ (by scale) inside brings its own low-resolution pictures.
        data_dir: where named data sets lie, and are downloaded to.
        cache_dir: where decoded pictures are kept.
        multiscale: shares of their size, such as 0.75 0.5, at which pictures that bring no
            low-resolution twin are trained on as well.
        holdout: pictures kept from training, to validate on.
        validate: further sets to validate on: folders as for srgan.evaluate.
        out: folder of the run.
        resume: go on from the run's checkpoint.
        init: a generator file to start from, which tells generator, scale, width and blocks; or a
            published .pth or .safetensors file of ESRGAN or Real-ESRGAN.
        degradation: what the generator learns to undo: bicubic (the benchmarks'; pictures that
            come in pairs stay as they are), camera (blur, noise and JPEG), real (Real-ESRGAN's
            second order).
        generator: plain and light (for processors), srresnet or rrdb.
        scale: output side over input side.
        width: channels of the generator's body.
        blocks: blocks of the generator's body.
        reparameterise: train each 3x3 kernel as a sum with a wider branch, which is folded into it
            in the file that is kept; take a third of the learning rate with it.
        discriminator: srgan, unet or patch.
        discriminator_width: channels of the discriminator's first layer.
        conditional: let the discriminator see the low-resolution picture too.
        luma: let the discriminator see luma alone, so that speckles of colour fool nobody.
        pixel_steps: steps of the first part, on the pixel loss alone.
        adversarial_steps: steps of the second part, on all losses.
        quantisation_steps: steps that follow, on the losses of the part before, in which the
            generator computes as its 8-bit twin will.
        minutes: shorten or stretch all parts alike, so that training takes about as long; 0
            leaves the steps as they are.
        batch_size: patches a batch.
        accumulate: batches a step, whose gradients are averaged.
        patch: side of a low-resolution patch.
        candidates: places drawn for each patch, of which those with detail are likelier taken; with
            1 every place is as likely.
        teacher: a finished upscaler, as for srgan.evaluate, to learn from as well.
        teacher_weight: of the distance to the teacher's picture, in both parts.
        pixel_loss: l1, charbonnier or mse.
        pixel_weight: of the pixel loss in the second part; it is 1 in the first.
        features: what the perceptual loss compares: vgg54 (SRGAN's), vgg54-linear (ESRGAN's, before
            the activation), vgg-five (Real-ESRGAN's five layers), all of a VGG19 that torchvision
            downloads; or efficientnet-lite0, which is installed.
        perceptual_loss: distance of features: mse or l1.
        perceptual_weight: of the perceptual loss, in the second part.
        lpips_weight: of shift-tolerant LPIPS, in the second part.
        frequency_weight: of the distance of spectra, in both parts.
        colour_weight: of the distance of the result's mean colours from the input's, in both parts;
            for degradations with noise.
        grid_weight: of the part of the error that repeats from low-resolution pixel to
            low-resolution pixel, in the second part; it keeps the checkerboard away.
        total_variation_weight: of total variation, in the second part.
        adversarial: adversarial loss.
        adversarial_weight: of the adversarial loss.
        adversarial_ramp: steps over which that weight rises from 0.
        r1: weight of the discriminator's squared gradient penalty on photographs.
        r2: the same on the generator's pictures.
        gradient_penalty: weight of WGAN-GP's penalty.
        lazy: compute the penalties at every n-th step only, n times as strong.
        optimizer: of the generator in the first part: muon, which needs far fewer steps, or adam;
            the second part is adam's.
        learning_rate: at the top of the first part.
        adversarial_learning_rate: of both players, at the top of the second part.
        quantisation_learning_rate: of the players that move, at the top of the steps for 8 bits.
        decay: of the learning rate within each part: cosine, or milestones.
        pixel_milestones: where the learning rate falls, as shares of the first part.
        adversarial_milestones: likewise of the second part.
        milestone_factor: what it is multiplied by there.
        warmup: steps at the start of each part over which the learning rate rises.
        clip_norm: largest norm of a player's gradient; 0 leaves it alone.
        ema: decay of the smoothed generator, which is the one that is kept; 0 for none.
        checkpoint_every: steps between checkpoints, samples and validations; a run in minutes has
            five of them at least.
        precision: number format; auto takes bf16 where it is faster; a run that goes on keeps to
            what it began with.
        compile: let torch.compile fuse the generator's operations.
        device: auto, cpu, cuda, ...
        seed: everything random follows from it.
    """

    recipe: RecipeName = "laptop"
    show_config: bool = False
    data: str = "div2k"
    data_dir: Path = Path("data")
    cache_dir: Path = Path("data/cache")
    multiscale: tuple[float, ...] = ()
    holdout: int = 8
    validate: tuple[Path, ...] = ()
    out: Path = Path("runs/srgan")
    resume: bool = False
    init: Path | None = None
    degradation: DegradationName = "bicubic"
    generator: GeneratorName = "plain"
    scale: int = 4
    width: int = 32
    blocks: int = 4
    reparameterise: bool = False
    discriminator: DiscriminatorName = "patch"
    discriminator_width: int = 32
    conditional: bool = False
    luma: bool = False
    pixel_steps: int = 30_000
    adversarial_steps: int = 5_000
    quantisation_steps: int = 0
    minutes: float = 0.0
    batch_size: int = 16
    accumulate: int = 1
    patch: int = 48
    candidates: int = 8
    teacher: str | None = None
    teacher_weight: float = 1.0
    pixel_loss: Distance = "l1"
    pixel_weight: float = 1.0
    features: FeatureNetwork = "efficientnet-lite0"
    perceptual_loss: Distance = "mse"
    perceptual_weight: float = 0.2
    lpips_weight: float = 0.0
    frequency_weight: float = 0.0
    colour_weight: float = 0.0
    grid_weight: float = 0.0
    total_variation_weight: float = 0.0
    adversarial: LossName = "relativistic-paired"
    adversarial_weight: float = 0.005
    adversarial_ramp: int = 0
    r1: float = 0.0
    r2: float = 0.0
    gradient_penalty: float = 0.0
    lazy: int = 1
    optimizer: Literal["muon", "adam"] = "muon"
    learning_rate: float = 2e-3
    adversarial_learning_rate: float = 2e-4
    quantisation_learning_rate: float = 2e-4
    decay: Literal["cosine", "milestones"] = "cosine"
    pixel_milestones: tuple[float, ...] = ()
    adversarial_milestones: tuple[float, ...] = ()
    milestone_factor: float = 0.5
    warmup: int = 100
    clip_norm: float = 0.0
    ema: float = 0.999
    checkpoint_every: int = 1000
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    compile: bool = False
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            if not getattr(self, name) >= least:
                raise UserError(f"{option(name)} must be at least {least}")
        for name in (
            "learning_rate",
            "adversarial_learning_rate",
            "quantisation_learning_rate",
            "milestone_factor",
        ):
            if not getattr(self, name) > 0:
                raise UserError(f"{option(name)} must be positive")
        if not self.steps:
            raise UserError(
                "--pixel-steps, --adversarial-steps and --quantisation-steps are all 0: nothing "
                "to train"
            )
        if not all(0 < size < 1 for size in self.multiscale):
            raise UserError(f"--multiscale must be shares between 0 and 1, not {self.multiscale}")
        for name in ("pixel_milestones", "adversarial_milestones"):
            shares = getattr(self, name)
            if list(shares) != sorted(shares) or not all(0 < share < 1 for share in shares):
                raise UserError(f"{option(name)} must rise between 0 and 1, not {shares}")
        if not 0 <= self.ema < 1:
            raise UserError(f"--ema must be at least 0 and below 1, not {self.ema}")
        require_finite(self)
        for field in fields(self):  # a recipe file or a program may hold what tyro would refuse
            allowed = get_args(_LITERALS.get(field.name))
            if allowed and getattr(self, field.name) not in allowed:
                raise UserError(
                    f"{option(field.name)} must be one of {', '.join(allowed)}, "
                    f"not {getattr(self, field.name)!r}"
                )

        self._refuse_contradictions()

    def _refuse_contradictions(self) -> None:
        penalised = self.r1 or self.r2 or self.gradient_penalty
        if self.adversarial == "wasserstein" and not penalised:
            raise UserError(
                "--adversarial wasserstein needs a bound on the discriminator: "
                "--gradient-penalty 10, --r1 or --r2"
            )
        if penalised and self.discriminator == "srgan":
            raise UserError(
                "--r1, --r2 and --gradient-penalty need a discriminator without batch "
                "normalisation: take --discriminator patch or unet"
            )

    @property
    def steps(self) -> int:
        """Steps of all parts."""
        return self.unrounded_steps + self.quantisation_steps

    @property
    def unrounded_steps(self) -> int:
        """Steps before the generator computes as its 8-bit twin will."""
        return self.pixel_steps + self.adversarial_steps


_LEAST = {
    "accumulate": 1,
    "adversarial_ramp": 0,
    "adversarial_steps": 0,
    "adversarial_weight": 0,
    "batch_size": 1,
    "candidates": 1,
    "checkpoint_every": 1,
    "clip_norm": 0,
    "colour_weight": 0,
    "discriminator_width": 1,
    "frequency_weight": 0,
    "gradient_penalty": 0,
    "grid_weight": 0,
    "holdout": 0,
    "lazy": 1,
    "lpips_weight": 0,
    "minutes": 0,
    "patch": 8,
    "perceptual_weight": 0,
    "pixel_steps": 0,
    "pixel_weight": 0,
    "quantisation_steps": 0,
    "r1": 0,
    "r2": 0,
    "seed": 0,
    "teacher_weight": 0,
    "total_variation_weight": 0,
    "warmup": 0,
}

_LITERALS = {
    "adversarial": LossName,
    "degradation": DegradationName,
    "discriminator": DiscriminatorName,
    "features": FeatureNetwork,
    "generator": GeneratorName,
    "perceptual_loss": Distance,
    "pixel_loss": Distance,
}


RECIPES: Mapping[RecipeName, TrainConfig] = MappingProxyType(
    {
        # A small generator on a processor: an hour gives a model worth shipping.
        "laptop": TrainConfig(minutes=60.0, quantisation_steps=1_000, grid_weight=6.0),
        # Ledig et al. 2017, section 3.2: 96x96 pictures, 10^6 steps on MSE, then 10^5 at 1e-4 and
        # 10^5 at 1e-5 against the discriminator.
        "srgan": TrainConfig(
            recipe="srgan",
            generator="srresnet",
            width=64,
            blocks=16,
            discriminator="srgan",
            discriminator_width=64,
            pixel_steps=1_000_000,
            adversarial_steps=200_000,
            patch=24,
            candidates=1,
            pixel_loss="mse",
            pixel_weight=0.0,
            features="vgg54",
            perceptual_weight=1.0,
            adversarial="non-saturating",
            adversarial_weight=1e-3,
            optimizer="adam",
            learning_rate=1e-4,
            adversarial_learning_rate=1e-4,
            decay="milestones",
            adversarial_milestones=(0.5,),
            milestone_factor=0.1,
            warmup=0,
            ema=0.0,
            checkpoint_every=5_000,
        ),
        # Wang et al. 2018, section 4.1: 128x128 pictures, the learning rate halved at steps 2, 4,
        # 6 and 8 x 10^5 of the first part and 50, 100, 200 and 300 x 10^3 of the second.
        "esrgan": TrainConfig(
            recipe="esrgan",
            generator="rrdb",
            width=64,
            blocks=23,
            discriminator="srgan",
            discriminator_width=64,
            pixel_steps=1_000_000,
            adversarial_steps=400_000,
            patch=32,
            candidates=1,
            pixel_weight=0.01,
            features="vgg54-linear",
            perceptual_weight=1.0,
            perceptual_loss="l1",
            adversarial="relativistic-average",
            adversarial_weight=5e-3,
            optimizer="adam",
            learning_rate=2e-4,
            adversarial_learning_rate=1e-4,
            decay="milestones",
            pixel_milestones=(0.2, 0.4, 0.6, 0.8),
            adversarial_milestones=(0.125, 0.25, 0.5, 0.75),
            warmup=0,
            ema=0.0,
            checkpoint_every=5_000,
        ),
        # Wang et al. 2021, section 4.1: 256x256 pictures degraded twice over, a U-Net judge.
        "real-esrgan": TrainConfig(
            recipe="real-esrgan",
            degradation="real",
            generator="rrdb",
            width=64,
            blocks=23,
            discriminator="unet",
            discriminator_width=64,
            pixel_steps=1_000_000,
            adversarial_steps=400_000,
            batch_size=48,
            patch=64,
            candidates=1,
            features="vgg-five",
            perceptual_weight=1.0,
            perceptual_loss="l1",
            adversarial="non-saturating",
            adversarial_weight=0.1,
            optimizer="adam",
            learning_rate=2e-4,
            adversarial_learning_rate=1e-4,
            decay="milestones",
            warmup=0,
            checkpoint_every=5_000,
        ),
    }
)
