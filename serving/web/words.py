"""What the page says: models, sizes, times and failures in words."""

import grpc

from protos.upscaler.v1 import upscaler_pb2
from serving.client import UpscaleFailed
from serving.codec.formats import TITLES
from serving.errors import InvalidImage, ServingError

_PRECISIONS = {
    upscaler_pb2.PRECISION_FP32: "32-bit floats",
    upscaler_pb2.PRECISION_FP16: "16-bit floats",
    upscaler_pb2.PRECISION_INT8: "8-bit integers",
}
_NO_PICTURE = (
    "This file is not a picture that can be read, or it is damaged. "
    f"Files of these kinds can be read: {TITLES}."
)
_AWAY = "The service cannot be reached at present. Please try again in a little while."
_BUSY = "The service is busy at present. Please try again in a little while."
_TOO_LONG = "This took longer than the service allows. A smaller picture takes less time."
_OURS = "Something went wrong on this page, not with your picture. Please try again."

_BY_REASON = {
    "INVALID_IMAGE": _NO_PICTURE,
    "UNKNOWN_MODEL": "This model is no longer offered. Please reload the page and choose again.",
    "SERVER_BUSY": _BUSY,
    "QUOTA_EXCEEDED": _BUSY,
    "SERVER_STOPPING": _AWAY,
    "TIME_LIMIT_EXCEEDED": _TOO_LONG,
    "UNAUTHENTICATED": "The service does not let this page in. Whoever runs the page has to give "
    "it a valid token.",
}
# Where no server of this project has said why.
_BY_CODE = {
    grpc.StatusCode.UNAVAILABLE: _AWAY,
    grpc.StatusCode.CANCELLED: _AWAY,
    grpc.StatusCode.DEADLINE_EXCEEDED: _TOO_LONG,
}


def model_in_words(model: upscaler_pb2.Model) -> str:
    """A model's name, scale and precision: ``x4-fast: 4x larger, 32-bit floats``."""
    precision = _PRECISIONS.get(model.precision)
    return f"{model.name}: {model.scale}x larger" + (f", {precision}" if precision else "")


def pixels_in_words(width: int, height: int) -> str:
    """``1,280 x 960 pixels``."""
    return f"{width:,} x {height:,} pixels"


def bytes_in_words(count: int) -> str:
    """``142 kB``, ``3.1 MB``; powers of ten, as file managers and browsers tell it."""
    if count < 1_000_000:
        return f"{max(1, round(count / 1000))} kB"
    return f"{count / 1_000_000:.1f} MB"


def seconds_in_words(seconds: float) -> str:
    """``0.4 seconds``, ``2 minutes 5 seconds``; tenths only below 10, and not of whole numbers."""
    if seconds < 9.95 and not isinstance(seconds, int):
        return f"{seconds:.1f} seconds"
    minutes, rest = divmod(round(seconds), 60)
    told = [_counted(minutes, "minute")] if minutes else []
    return " ".join(told + ([_counted(rest, "second")] if rest else []))


def sentence_of(error: Exception) -> str:
    """Why something failed, for somebody who knows nothing of services and codes."""
    if isinstance(error, UpscaleFailed):
        known = _BY_REASON.get(error.reason)
        if known is None and not error.reason:
            known = _BY_CODE.get(error.code)
        return known or _as_sentence(error.message)
    if isinstance(error, InvalidImage):
        return _NO_PICTURE
    return _as_sentence(str(error)) if isinstance(error, ServingError) else _OURS


def _as_sentence(message: str) -> str:
    text = message.strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
