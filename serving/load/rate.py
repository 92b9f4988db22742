"""How often something may happen."""

from time import monotonic

from serving.errors import QuotaExceeded


class Rate:
    """A bucket that fills steadily and holds what one minute brings; for one thread.

    Args:
        a_minute: how often, on average.
    """

    def __init__(self, a_minute: float) -> None:
        self._a_minute = a_minute
        self._left = float(max(a_minute, 1))
        self._since = monotonic()

    def take(self, client: str) -> None:
        """Notes that it happens once more.

        Raises:
            QuotaExceeded: it happens too often.
        """
        now = monotonic()
        a_second = self._a_minute / 60
        self._left = min(self._left + (now - self._since) * a_second, max(self._a_minute, 1))
        self._since = now
        if self._left < 1:
            raise QuotaExceeded(
                "calls_per_minute",
                f"exceeded by {client}",
                f"at most {self._a_minute:g}",
                retry_after_s=(1 - self._left) / a_second,
            )
        self._left -= 1
