"""Random choices of a degradation, all from one seed."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

__all__ = ["Draw"]


class Draw:
    """Draws numbers on the processor, and fields of noise on the device.

    A batch's degradation depends on the seed alone, not on what was drawn before it.
    """

    def __init__(self, seed: Sequence[int], device: torch.device) -> None:
        self._numbers = np.random.default_rng(tuple(seed))
        self.device = device
        self._field = torch.Generator(device=device)
        self._field.manual_seed(int(self._numbers.integers(2**62)))

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return bool(self._numbers.random() < probability)

    def uniform(self, bounds: tuple[float, float]) -> float:
        """Return a number between the bounds."""
        return float(self._numbers.uniform(*bounds))

    def uniforms(self, count: int, bounds: tuple[float, float]) -> Tensor:
        """Return ``count`` numbers between the bounds: float32 ``[count]`` on the device."""
        numbers = self._numbers.uniform(*bounds, size=count)
        return torch.tensor(numbers, dtype=torch.float32, device=self.device)

    def chances(self, count: int, probability: float) -> Tensor:
        """Return ``count`` times True with that probability: bool ``[count]`` on the device."""
        return torch.tensor(self._numbers.random(count) < probability, device=self.device)

    def odds(self, count: int, bounds: tuple[int, int]) -> list[int]:
        """Return ``count`` odd whole numbers between the bounds, which are odd themselves."""
        halves = self._numbers.integers(bounds[0] // 2, bounds[1] // 2 + 1, size=count)
        return [2 * int(half) + 1 for half in halves]

    def around_one(self, count: int, bounds: tuple[float, float]) -> Tensor:
        """Return ``count`` numbers, half of them below 1, half above: float32 on the device."""
        below = self.uniforms(count, (bounds[0], 1.0))
        above = self.uniforms(count, (1.0, bounds[1]))
        return torch.where(self.chances(count, 0.5), below, above)

    def choices(self, count: int, shares: Sequence[float]) -> list[int]:
        """Return ``count`` indices into ``shares``, each as likely as its share."""
        weights = np.asarray(shares, dtype=np.float64)
        picked = self._numbers.choice(len(weights), size=count, p=weights / weights.sum())
        return [int(index) for index in picked]

    def normal(self, shape: Sequence[int]) -> Tensor:
        """Return standard normal noise on the device."""
        return torch.randn(tuple(shape), generator=self._field, device=self.device)

    def poisson(self, rates: Tensor) -> Tensor:
        """Return counts with the given rates."""
        return torch.poisson(rates, generator=self._field)
