"""What the command says of a server elsewhere that does not do what it asks."""

import grpc

from serving.cli.errors import sentence
from serving.client import UpscaleFailed


def test_who_shows_no_token_is_told_where_to_put_it() -> None:
    error = UpscaleFailed(
        grpc.StatusCode.UNAUTHENTICATED,
        "authorization is missing; expected a bearer token",
        "UNAUTHENTICATED",
    )
    assert sentence(error) == (
        "authorization is missing; expected a bearer token, "
        "in the environment variable UPSCALER_TOKEN"
    )


def test_a_server_that_says_itself_why_it_is_not_there_is_quoted() -> None:
    error = UpscaleFailed(grpc.StatusCode.UNAVAILABLE, "the server is stopping", "SERVER_STOPPING")
    assert sentence(error) == "the server is stopping"


def test_a_server_that_says_itself_that_it_takes_too_long_is_quoted() -> None:
    error = UpscaleFailed(
        grpc.StatusCode.DEADLINE_EXCEEDED, "call is 99 s long", "TIME_LIMIT_EXCEEDED"
    )
    assert sentence(error) == "call is 99 s long"
