"""How many calls one client may have under way."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from serving.errors import QuotaExceeded


class ClientLimit:
    """Counts calls by client; for one thread.

    Args:
        max_calls: that one client may have under way at a time.
    """

    def __init__(self, max_calls: int) -> None:
        self._max_calls = max_calls
        self._calls: Counter[str] = Counter()

    @contextmanager
    def call(self, client: str, max_calls: int | None = None) -> Iterator[None]:
        """One call of a client, for as long as the context lasts.

        Args:
            client: who calls.
            max_calls: this client's own limit, if there is one.

        Raises:
            QuotaExceeded: it has too many under way.
        """
        most = self._max_calls if max_calls is None else max_calls
        if self._calls[client] >= most:
            raise QuotaExceeded(
                "calls", f"{self._calls[client]} of {client}", f"at most {most} at a time"
            )
        self._calls[client] += 1
        try:
            yield
        finally:
            self._calls[client] -= 1
            if not self._calls[client]:
                del self._calls[client]
