"""Named settings that a noise-to-picture run starts from; each can be overridden."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from core.vanilla_config import RecipeName, VanillaConfig

__all__ = ["RECIPES"]

# Goodfellow et al. 2014, the published mnist.yaml; the smoothed generator is ours.
_PAPER = VanillaConfig(recipe="paper-mnist")

# tfd_pretrain/pretrain.yaml
_TFD = replace(
    _PAPER,
    recipe="paper-tfd-pretrain",
    noise="gaussian",
    dataset="tfd",
    networks="maxout-sigmoid",
    width=8000,
    discriminator_width=1200,
    learning_rate=0.05,
    max_norm=1.9365,
)

# cifar10_fully_connected.yaml
_CIFAR10 = replace(
    _PAPER,
    recipe="paper-cifar10",
    noise="gaussian",
    dataset="cifar10",
    equal_contrast=True,
    networks="maxout-sigmoid",
    width=8000,
    discriminator_width=1600,
    learning_rate=0.025,
)

# Radford et al. 2016, section 3.
_DCGAN = VanillaConfig(
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
)

# A regularised relativistic game (Huang et al. 2024), at a size for processors.
_RESIDUAL = replace(
    _DCGAN,
    recipe="residual",
    noise="gaussian",
    batch_size=64,
    networks="residual",
    width=32,
    discriminator_width=32,
    loss="relativistic-paired",
    beta1=0.0,
    beta2=0.99,
    r1=1.0,
    r2=1.0,
)

# The same game of two small dense networks; many small steps do most in a given time.
_MNIST = replace(
    _RESIDUAL,
    recipe="mnist",
    dataset="mnist",
    epochs=180,
    networks="dense",
    width=384,
    discriminator_width=384,
    latent_size=24,
    learning_rate=2e-3,
    anneal=True,
    r1=0.2,
    r2=0.2,
    lazy=4,
    sample_every=10,
)

RECIPES: Mapping[RecipeName, VanillaConfig] = MappingProxyType(
    {
        recipe.recipe: recipe
        for recipe in (
            _PAPER,
            _TFD,
            # tfd_pretrain/train.yaml: two more layers under the first stage's.
            replace(
                _TFD,
                recipe="paper-tfd",
                networks="maxout-stacked",
                pretrained=Path("runs/paper-tfd-pretrain/generator.safetensors"),
                epochs=22,
            ),
            _CIFAR10,
            # cifar10_convolutional.yaml; the networks' sizes are fixed.
            replace(
                _CIFAR10,
                recipe="paper-cifar10-convolutional",
                networks="maxout-convolutional",
                batch_size=128,
                learning_rate=0.004,
            ),
            _MNIST,
            # Mirza and Osindero 2014: the paper's first extension.
            replace(_MNIST, recipe="classes", conditional=True, epochs=20, sample_every=1),
            replace(
                _MNIST,
                recipe="digits",
                dataset="digits",
                epochs=150,
                batch_size=100,
                width=256,
                discriminator_width=256,
                latent_size=100,
                learning_rate=1e-3,
                anneal=False,
                r1=0.3,
                r2=0.3,
                lazy=1,
                ema=0.99,
                sample_every=15,
            ),
            _DCGAN,
            _RESIDUAL,
        )
    }
)
