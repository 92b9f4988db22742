"""A client that does next to nothing: it knows one call by heart and hardly looks at answers.

What a client computes on the machine of the server that it loads is taken from that server. gRPC's
own client takes a good part of what a refusal costs; this one writes a few frames and reads no more
of an answer than how it ended (HTTP/2: RFC 9113; gRPC's protocol over it).
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Final, Self, cast

import grpc

__all__ = ["BareClient"]

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 8
_END_STREAM, _ACK, _END_HEADERS = 1, 1, 4
_HEADER_TABLE_SIZE, _INITIAL_WINDOW_SIZE = 1, 4
_LARGEST_WINDOW, _FIRST_WINDOW, _LARGEST_FRAME = 2**31 - 1, 2**16 - 1, 2**14
_FRAME_HEADER = 9
_MESSAGE_HEADER = 5
_LONGEST_REQUEST = _FIRST_WINDOW - _MESSAGE_HEADER  # what a server always takes at once

# With a header table of no size every field is spelt out, and gRPC's library compresses none.
_STATUS = re.compile(rb"grpc-status.(\d+)", re.DOTALL)
_CODES = {code.value[0]: code for code in grpc.StatusCode}


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


def _settings(values: Mapping[int, int]) -> bytes:
    payload = b"".join(key.to_bytes(2) + value.to_bytes(4) for key, value in values.items())
    return _frame(_SETTINGS, 0, 0, payload)


def _widen(octets: int) -> bytes:
    return _frame(_WINDOW_UPDATE, 0, 0, octets.to_bytes(4))


def _header_block(fields: Mapping[str, str]) -> bytes:
    """Return fields that no table remembers (RFC 7541, 6.2.2), each shorter than 127 octets."""
    words = ((name.encode(), value.encode()) for name, value in fields.items())
    return b"".join(
        b"\0" + bytes((len(name),)) + name + bytes((len(value),)) + value for name, value in words
    )


class BareClient(asyncio.Protocol):
    """A connection without TLS that makes the same unary call again, one at a time.

    To be opened and closed by ``async with``.
    """

    def __init__(self, address: str, method: str, request: bytes) -> None:
        """Learn the call.

        Args:
            address: ``HOST:PORT``.
            method: ``/package.Service/Method``.
            request: the message, serialised, of at most 65,530 bytes.

        Raises:
            ValueError: the message is longer.
        """
        self._address = address
        self._message = b"\0" + len(request).to_bytes(4) + request
        if len(request) > _LONGEST_REQUEST:
            raise ValueError(f"a request has at most {_LONGEST_REQUEST} bytes, not {len(request)}")
        self._headers = _header_block(
            {
                ":method": "POST",
                ":scheme": "http",
                ":path": method,
                ":authority": address,
                "te": "trailers",
                "content-type": "application/grpc",
            }
        )
        self._stream = -1
        self._may_send = _FIRST_WINDOW
        self._may_receive = _LARGEST_WINDOW
        self._received = bytearray()
        self._more_room = asyncio.Event()
        self._ended: asyncio.Future[grpc.StatusCode] | None = None

    async def __aenter__(self) -> Self:
        host, _, port = self._address.rpartition(":")
        await asyncio.get_running_loop().create_connection(lambda: self, host, int(port))
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._transport.close()

    async def call(self) -> grpc.StatusCode:
        """Make the call, and return how it ended.

        Raises:
            ConnectionError: there is no connection any more.
        """
        while self._may_send < len(self._message) and not self._transport.is_closing():
            self._more_room.clear()
            await self._more_room.wait()
        if self._transport.is_closing():
            raise ConnectionError("the connection was lost")
        self._ended = asyncio.get_running_loop().create_future()
        self._may_send -= len(self._message)
        self._stream += 2
        frames = [_frame(_HEADERS, _END_HEADERS, self._stream, self._headers)]
        for start in range(0, len(self._message), _LARGEST_FRAME):
            part = self._message[start : start + _LARGEST_FRAME]
            last = start + len(part) == len(self._message)
            frames.append(_frame(_DATA, _END_STREAM if last else 0, self._stream, part))
        self._transport.write(b"".join(frames))
        return await self._ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say which answers are welcome: large ones."""
        self._transport = cast("asyncio.Transport", transport)
        settings = {_HEADER_TABLE_SIZE: 0, _INITIAL_WINDOW_SIZE: _LARGEST_WINDOW}
        widened = _widen(_LARGEST_WINDOW - _FIRST_WINDOW)
        self._transport.write(_PREFACE + _settings(settings) + widened)

    def data_received(self, data: bytes) -> None:
        """Take whole frames off what has come."""
        self._received += data
        start, end = 0, len(self._received)
        while start + _FRAME_HEADER <= end:
            payload = start + _FRAME_HEADER
            after = payload + int.from_bytes(self._received[start : start + 3])
            if after > end:
                break
            kind, flags = self._received[start + 3], self._received[start + 4]
            if kind == _DATA:
                self._take(after - payload)
            else:
                stream = int.from_bytes(self._received[start + 5 : payload])
                self._heed(kind, flags, stream, bytes(self._received[payload:after]))
            start = after
        del self._received[:start]

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """Let a call that waits know."""
        self._more_room.set()
        if self._ended and not self._ended.done():
            self._ended.set_exception(ConnectionError("the connection was lost"))

    def _take(self, octets: int) -> None:
        self._may_receive -= octets
        if self._may_receive < _LARGEST_WINDOW // 2:
            self._transport.write(_widen(_LARGEST_WINDOW - self._may_receive))
            self._may_receive = _LARGEST_WINDOW

    def _heed(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == _WINDOW_UPDATE and stream == 0:
            self._may_send += int.from_bytes(payload)
            self._more_room.set()
        elif kind == _HEADERS and flags & _END_STREAM:
            status = _STATUS.search(payload)
            self._end(stream, _CODES[int(status[1])] if status else grpc.StatusCode.UNKNOWN)
        elif kind == _RST_STREAM:  # which has nothing to say after trailers
            self._end(stream, grpc.StatusCode.UNAVAILABLE)
        elif kind in (_SETTINGS, _PING) and not flags & _ACK:
            self._transport.write(_frame(kind, _ACK, 0, payload if kind == _PING else b""))

    def _end(self, stream: int, status: grpc.StatusCode) -> None:
        if stream == self._stream and self._ended and not self._ended.done():
            self._ended.set_result(status)
