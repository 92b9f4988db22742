"""Logging to stderr: a line for each call, and for what an operator should know."""

import json
import logging
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from serving.rpc.call import Call

_FIELDS = "fields"

_calls = logging.getLogger("serving.calls")


@dataclass(frozen=True)
class Logs:
    """What is logged, and how."""

    log_format: Literal["text", "json"] = "text"
    """Lines for people, or one JSON object a line."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important that is logged; calls that end well are info."""


def set_up(logs: Logs) -> None:
    """Directs the whole process's log to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if logs.log_format == "json" else TextLines())
    logging.basicConfig(level=logs.log_level.upper(), handlers=[handler], force=True)
    # What a decoder thinks of a damaged picture, its caller is told.
    logging.getLogger("pyvips").setLevel(logging.ERROR)


def tell_failure(error: Exception, log_format: str) -> None:
    """Says on stderr why the program ends: as a line of the log where programs read that."""
    if log_format == "json":
        set_up(Logs("json"))
        logging.getLogger("serving").error("%s", error)
    else:
        sys.stderr.write(f"error: {error}\n")


def log_call(call: Call) -> None:
    """Writes the line of a call that has ended: whose, how, how long, and no picture."""
    fields: dict[str, object] = {
        "request_id": call.request_id,
        "method": call.method,
        "client": call.client,
        "address": call.address,
        "code": call.code.name,
        "seconds": round(call.seconds, 4),
        **({"reason": call.reason} if call.reason else {}),
        **call.notes,
    }
    _calls.info("%s %s", call.method, call.code.name, extra={_FIELDS: fields})


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextLines(logging.Formatter):
    """Time, level, message, and the fields as ``name=value``."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The lines of a record."""
        fields = getattr(record, _FIELDS, {})
        told = ("method", "code")  # by the message already
        rest = "".join(f" {name}={value}" for name, value in fields.items() if name not in told)
        return super().format(record) + rest
