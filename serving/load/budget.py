"""A limited amount of something that several requests share."""

from collections.abc import Iterator
from contextlib import contextmanager

from serving.errors import ServerBusy


class Budget:
    """An amount, and how much of it is taken; for one thread.

    Args:
        what: is shared, as a caller knows it.
        unit: it is counted in.
        most: that may be taken at a time.
    """

    def __init__(self, what: str, unit: str, most: int) -> None:
        self._what = what
        self._unit = unit
        self.most = most
        self.taken = 0

    def take(self, amount: int, retry_after_s: float = 1.0) -> None:
        """Takes `amount`; whoever is alone gets even what is more than all.

        Raises:
            ServerBusy: others have too much of it.
        """
        if self.taken and self.taken + amount > self.most:
            raise ServerBusy(
                self._what,
                f"full with {self.taken} {self._unit}",
                f"at most {self.most}; try again later",
                retry_after_s,
            )
        self.taken += amount

    @contextmanager
    def lent(self, amount: int) -> Iterator[None]:
        """Takes `amount` for as long as the context lasts.

        Raises:
            ServerBusy: others have too much of it.
        """
        self.take(amount)
        try:
            yield
        finally:
            self.give_back(amount)

    def give_back(self, amount: int) -> None:
        """What was taken is free again."""
        self.taken -= amount
