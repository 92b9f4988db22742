"""When a call that failed is tried again."""

from dataclasses import dataclass
from random import uniform

import grpc

from serving.client.failure import UpscaleFailed

# More than any wait has, and few enough for a float.
_MOST_DOUBLINGS = 64


@dataclass(frozen=True)
class RetryPolicy:
    """Tries again where the server says when (RetryInfo), or where it could not be reached.

    Attributes:
        attempts: of a call, the first included.
        first_wait_s: seconds before the second try if the server does not tell; doubled each time.
        max_wait_s: the most between two tries; a server that asks for more is not waited for.
    """

    attempts: int = 5
    first_wait_s: float = 0.2
    max_wait_s: float = 60.0

    def wait_s(self, failure: UpscaleFailed, failed: int) -> float | None:
        """Seconds to wait before the next try, or None if there shall be none.

        Up to a half is added at random, so that not all who were refused come back together.

        Args:
            failure: of the last try.
            failed: tries so far.
        """
        if failure.final or failed >= self.attempts:
            return None
        wait = failure.retry_after_s
        if wait is None:
            if failure.code is not grpc.StatusCode.UNAVAILABLE:
                return None
            wait = self.first_wait_s * 2 ** min(failed - 1, _MOST_DOUBLINGS)
        elif wait > self.max_wait_s:
            return None
        return min(wait * uniform(1, 1.5), self.max_wait_s)
