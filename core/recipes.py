"""Named settings that a noise-to-picture run starts from; each can be overridden."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from core.vanilla_config import RecipeName, VanillaConfig

__all__ = ["RECIPES"]

_TFD = VanillaConfig(
    recipe="paper-tfd-pretrain",
    noise="gaussian",
    dataset="tfd",
    networks="maxout-sigmoid",
    width=8000,
    discriminator_width=1200,
    learning_rate=0.05,
    max_norm=1.9365,
)

RECIPES: Mapping[RecipeName, VanillaConfig] = MappingProxyType(
    {
        # Goodfellow et al. 2014, the published mnist.yaml; the smoothed generator is ours.
        "paper-mnist": VanillaConfig(),
        # tfd_pretrain/pretrain.yaml, then train.yaml: two more layers under the first stage's.
        "paper-tfd-pretrain": _TFD,
        "paper-tfd": VanillaConfig(
            **vars(_TFD)
            | {
                "recipe": "paper-tfd",
                "networks": "maxout-stacked",
                "pretrained": Path("runs/paper-tfd-pretrain/generator.safetensors"),
                "epochs": 22,
            }
        ),
        # cifar10_fully_connected.yaml
        "paper-cifar10": VanillaConfig(
            recipe="paper-cifar10",
            noise="gaussian",
            dataset="cifar10",
            equal_contrast=True,
            networks="maxout-sigmoid",
            width=8000,
            discriminator_width=1600,
            learning_rate=0.025,
        ),
        # cifar10_convolutional.yaml; the networks' sizes are fixed.
        "paper-cifar10-convolutional": VanillaConfig(
            recipe="paper-cifar10-convolutional",
            noise="gaussian",
            dataset="cifar10",
            equal_contrast=True,
            networks="maxout-convolutional",
            batch_size=128,
            learning_rate=0.004,
        ),
        # A regularised relativistic game of two small networks (Huang et al. 2024).
        "mnist": VanillaConfig(
            recipe="mnist",
            noise="gaussian",
            networks="dense",
            width=512,
            discriminator_width=512,
            epochs=60,
            loss="relativistic-paired",
            order="alternating",
            discriminator_weight=1.0,
            optimizer="adam",
            learning_rate=1e-3,
            beta1=0.0,
            beta2=0.99,
            r1=1.0,
            r2=1.0,
        ),
        # Mirza and Osindero 2014: the paper's first extension.
        "classes": VanillaConfig(
            recipe="classes",
            noise="gaussian",
            conditional=True,
            networks="dense",
            width=512,
            discriminator_width=512,
            epochs=20,
            loss="relativistic-paired",
            order="alternating",
            discriminator_weight=1.0,
            optimizer="adam",
            learning_rate=1e-3,
            beta1=0.0,
            beta2=0.99,
            r1=1.0,
            r2=1.0,
        ),
        "digits": VanillaConfig(
            recipe="digits",
            noise="gaussian",
            dataset="digits",
            epochs=150,
            networks="dense",
            width=256,
            discriminator_width=256,
            loss="relativistic-paired",
            order="alternating",
            discriminator_weight=1.0,
            optimizer="adam",
            learning_rate=1e-3,
            beta1=0.0,
            beta2=0.99,
            r1=0.3,
            r2=0.3,
            ema=0.99,
            sample_every=15,
        ),
        # Radford et al. 2016, section 3.
        "dcgan": VanillaConfig(
            recipe="dcgan",
            dataset="cifar10",
            epochs=100,
            batch_size=128,
            networks="dcgan",
            width=64,
            discriminator_width=64,
            order="alternating",
            discriminator_weight=1.0,
            optimizer="adam",
            learning_rate=2e-4,
            sample_every=5,
        ),
        # Huang et al. 2024, at a size for processors.
        "residual": VanillaConfig(
            recipe="residual",
            noise="gaussian",
            dataset="cifar10",
            epochs=100,
            batch_size=64,
            networks="residual",
            width=32,
            discriminator_width=32,
            loss="relativistic-paired",
            order="alternating",
            discriminator_weight=1.0,
            optimizer="adam",
            learning_rate=2e-4,
            beta1=0.0,
            beta2=0.99,
            r1=1.0,
            r2=1.0,
            sample_every=5,
        ),
    }
)
