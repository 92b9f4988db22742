import grpc
import pytest

from protos.upscaler.v1 import upscaler_pb2
from serving.client import UpscaleFailed
from serving.errors import ImageTooLarge, InvalidImage
from serving.web.words import (
    bytes_in_words,
    model_in_words,
    pixels_in_words,
    seconds_in_words,
    sentence_of,
)


@pytest.mark.parametrize(
    ("precision", "words"),
    [
        (upscaler_pb2.PRECISION_FP32, "mine: 4x larger, 32-bit floats"),
        (upscaler_pb2.PRECISION_INT8, "mine: 4x larger, 8-bit integers"),
        (upscaler_pb2.PRECISION_UNSPECIFIED, "mine: 4x larger"),
    ],
)
def test_a_model_is_told_by_name_scale_and_precision(
    precision: upscaler_pb2.Precision.ValueType, words: str
) -> None:
    assert model_in_words(upscaler_pb2.Model(name="mine", scale=4, precision=precision)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 seconds"),
        (9.94, "9.9 seconds"),
        (9.96, "10 seconds"),
        (3, "3 seconds"),
        (1, "1 second"),
        (60, "1 minute"),
        (61.2, "1 minute 1 second"),
        (125, "2 minutes 5 seconds"),
    ],
)
def test_times(seconds: float, words: str) -> None:
    assert seconds_in_words(seconds) == words


def test_sizes() -> None:
    assert pixels_in_words(1280, 960) == "1,280 x 960 pixels"
    assert [bytes_in_words(count) for count in (1, 1499, 999_999, 3_140_000)] == [
        "1 kB",
        "1 kB",
        "1000 kB",
        "3.1 MB",
    ]


FAILURES = [
    (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_IMAGE", "not a picture that can be read"),
    (grpc.StatusCode.NOT_FOUND, "UNKNOWN_MODEL", "reload the page"),
    (grpc.StatusCode.RESOURCE_EXHAUSTED, "SERVER_BUSY", "busy"),
    (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED", "valid token"),
    (grpc.StatusCode.UNAVAILABLE, "", "cannot be reached"),
    (grpc.StatusCode.DEADLINE_EXCEEDED, "", "longer than the service allows"),
    (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_OPTION", "The words of the server."),
]


@pytest.mark.parametrize(("code", "reason", "words"), FAILURES)
def test_a_failure_is_a_sentence_without_codes(
    code: grpc.StatusCode, reason: str, words: str
) -> None:
    sentence = sentence_of(UpscaleFailed(code, "the words of the server", reason))
    assert words in sentence
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert code.name not in sentence
    assert not reason or reason not in sentence


def test_the_pages_own_refusals_are_sentences() -> None:
    assert "PNG" in sentence_of(InvalidImage("image", "not readable (3 bytes)", "a file"))
    assert sentence_of(ImageTooLarge("image", "9x9", "at most 8")) == (
        "Image is 9x9; expected at most 8."
    )


def test_what_nobody_foresaw_is_told_without_its_details() -> None:
    assert "secret" not in sentence_of(RuntimeError("/secret/path"))
