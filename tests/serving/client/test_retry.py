import grpc
import pytest

from serving.client import RetryPolicy, UpscaleFailed

POLICY = RetryPolicy(attempts=4, first_wait_s=0.2, max_wait_s=10)


def failure(
    code: grpc.StatusCode, retry_after_s: float | None = None, final: bool = False
) -> UpscaleFailed:
    return UpscaleFailed(code, "no", retry_after_s=retry_after_s, final=final)


def test_the_server_tells_how_long_to_wait() -> None:
    wait = POLICY.wait_s(failure(grpc.StatusCode.RESOURCE_EXHAUSTED, 3), 1)
    assert wait is not None
    assert 3 <= wait <= 4.5


def test_an_unreachable_server_is_tried_ever_more_rarely() -> None:
    waits = [POLICY.wait_s(failure(grpc.StatusCode.UNAVAILABLE), failed) for failed in (1, 2, 3)]
    for wait, least in zip(waits, (0.2, 0.4, 0.8), strict=True):
        assert wait is not None
        assert least <= wait <= 1.5 * least


def test_all_attempts_are_made_however_long_the_waits_would_become() -> None:
    policy = RetryPolicy(attempts=5000, first_wait_s=0.2, max_wait_s=1)
    gone = failure(grpc.StatusCode.UNAVAILABLE)
    assert [policy.wait_s(gone, failed) for failed in range(4, 5000)] == [1] * 4996
    assert policy.wait_s(gone, 5000) is None


def test_what_is_added_at_random_exceeds_no_maximum() -> None:
    policy = RetryPolicy(max_wait_s=3)
    for code in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE):
        assert policy.wait_s(failure(code, 3), 1) == 3


@pytest.mark.parametrize(
    ("failure", "failed"),
    [
        (failure(grpc.StatusCode.RESOURCE_EXHAUSTED), 1),
        (failure(grpc.StatusCode.INVALID_ARGUMENT), 1),
        (failure(grpc.StatusCode.DEADLINE_EXCEEDED), 1),
        (failure(grpc.StatusCode.CANCELLED), 1),
        (failure(grpc.StatusCode.UNAVAILABLE), 4),
        (failure(grpc.StatusCode.RESOURCE_EXHAUSTED, 3), 4),
        (failure(grpc.StatusCode.RESOURCE_EXHAUSTED, 11), 1),
        (failure(grpc.StatusCode.UNAVAILABLE, final=True), 1),
    ],
    ids=[
        "no word",
        "wrong",
        "late",
        "given up",
        "too often",
        "refused too often",
        "too long",
        "half done",
    ],
)
def test_everything_else_is_final(failure: UpscaleFailed, failed: int) -> None:
    assert POLICY.wait_s(failure, failed) is None
