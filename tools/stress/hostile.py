"""Requests that mean no good neither break the server nor wear it out."""

import random
import socket
import struct
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from threading import Event
from typing import Any

import grpc
import numpy as np
from grpc_health.v1 import health_pb2, health_pb2_grpc
from PIL import Image

from protos.upscaler.v1 import upscaler_pb2, upscaler_pb2_grpc
from tools.stress.figures import Figure
from tools.stress.load import picture
from tools.stress.process import ServerProcess

__all__ = ["Hostile"]

_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")
_FAULTS = ("INTERNAL", "UNKNOWN")
_SETTLE_S = 3.0
_SERVICE = "/upscaler.v1.UpscalerService/"
_UPSCALE = f"{_SERVICE}Upscale"

Request = upscaler_pb2.UpscaleStreamRequest
Stub = upscaler_pb2_grpc.UpscalerServiceStub


@dataclass(frozen=True)
class Hostile:
    """Damaged images, random messages, clients that break off, stand still or watch, bombs, noise.

    Attributes:
        requests: of all kinds together.
        clients: at the same time.
        seed: of what is random.
    """

    requests: int = 10_000
    clients: int = 8
    seed: int = 0

    def run(self) -> list[Figure]:
        """Return faults, and how many descriptors and how much memory were not given back."""
        options = ["--max-idle-s", "2", "--log-level", "error"]
        with ServerProcess(*options) as server:
            # The first half warms up: buffers and threads stay for later requests.
            codes = self._attack(server.address, self.requests // 2, self.seed + 1)
            time.sleep(_SETTLE_S)
            descriptors, resident = server.descriptors(), server.resident_mib()
            codes += self._attack(server.address, self.requests - self.requests // 2, self.seed)
            time.sleep(_SETTLE_S)
            alive = server.alive
            leaked = server.descriptors() - descriptors
            growth = server.resident_mib() - resident
            with grpc.insecure_channel(server.address) as channel:
                answer = Stub(channel).Upscale(
                    upscaler_pb2.UpscaleRequest(image=picture(64, 64)), timeout=30
                )
        told = ", ".join(f"{count} {code}" for code, count in sorted(codes.items()))
        return [
            Figure(f"requests ({told})", codes.total(), least=self.requests),
            Figure("crashes", not alive, most=0),
            Figure("ended by INTERNAL or UNKNOWN", sum(codes[code] for code in _FAULTS), most=0),
            Figure("width of an honest picture's result afterwards", answer.output.width, 256, 256),
            Figure("descriptors not given back by the second half", leaked, most=8),
            Figure("memory grows in the second half by, MiB", growth, most=64),
        ]

    def _attack(self, address: str, requests: int, seed: int) -> Counter[str]:
        def attack(number: int) -> str:
            chance = random.Random(seed * 1_000_003 + number)
            kind = _KINDS[number % len(_KINDS)]
            try:
                return kind(channels[number % self.clients], address, chance) or "OK"
            except grpc.RpcError as error:
                return str(error.code().name)
            except OSError:
                return "broken off"

        channels = [
            grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])
            for _ in range(self.clients)
        ]
        with ThreadPoolExecutor(self.clients) as threads:
            codes = Counter(threads.map(attack, range(requests)))
        for channel in channels:
            channel.close()
        return codes


def _image(chance: random.Random, side: int = 48) -> bytes:
    pixels = np.random.default_rng(chance.getrandbits(32)).integers(0, 256, (side, side, 3))
    file = BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, chance.choice(_FORMATS))
    return file.getvalue()


def _sent(channel: grpc.Channel, file: bytes) -> None:
    messages = [Request(chunk=file)] if file else []
    for _ in Stub(channel).UpscaleStream(iter(messages), timeout=60):
        pass


def _damaged(channel: grpc.Channel, _: str, chance: random.Random) -> None:
    file = bytearray(_image(chance))
    for _number in range(chance.choice((1, 2, 4, 16))):
        file[chance.randrange(min(len(file), 400))] = chance.randrange(256)
    _sent(channel, bytes(file))


def _truncated(channel: grpc.Channel, _: str, chance: random.Random) -> None:
    file = _image(chance)
    _sent(channel, file[: chance.randrange(len(file))])


def _random_message(channel: Any, _: str, chance: random.Random) -> None:
    data = chance.randbytes(chance.randrange(200))
    if chance.random() < 0.5:
        method = chance.choice(("Upscale", "ListModels", "GetModel", "Nonsense"))
        channel.unary_unary(f"{_SERVICE}{method}")(data, timeout=60)
    else:
        for _response in channel.stream_stream(f"{_SERVICE}UpscaleStream")(
            iter([data]), timeout=60
        ):
            pass


def _random_options(channel: grpc.Channel, _: str, chance: random.Random) -> None:
    options = upscaler_pb2.UpscaleOptions(
        model=chance.choice(("", "x4-fast", "../x4-fast", "\0", "x" * 5000)),
        format=chance.randrange(-3, 9),  # type: ignore[arg-type]
        quality=chance.choice((None, -1, 0, 1, 101, 2**31 - 1)),
        scale=chance.choice((None, 0.0, -1.0, 1.5, float("nan"), float("inf"), 1e300)),
        width=chance.choice((None, 0, 1, 2**32 - 1)),
        max_height=chance.choice((None, 0, 1, 2**32 - 1)),
    )
    messages = [Request(options=options), Request(chunk=_image(chance, 16))]
    for _response in Stub(channel).UpscaleStream(iter(messages), timeout=60):
        pass


def _broken_off(channel: grpc.Channel, _: str, chance: random.Random) -> str:
    file = picture(512, 512)
    messages = iter([Request(chunk=file[: len(file) // 2]), Request(chunk=file[len(file) // 2 :])])
    call: Any = Stub(channel).UpscaleStream(islice(messages, chance.choice((1, 2))))
    time.sleep(chance.uniform(0, 0.02))
    call.cancel()
    return "broken off"


def _half_open(channel: grpc.Channel, _: str, chance: random.Random) -> str:
    """A stream that says nothing more; only now and then is it waited for."""
    over = time.monotonic() + (4 if chance.random() < 0.02 else 0.02)

    def messages() -> Iterator[Request]:
        yield Request(chunk=b"\x89PNG")
        while time.monotonic() < over:
            time.sleep(0.01)

    call: Any = Stub(channel).UpscaleStream(messages())
    time.sleep(max(0.0, over - time.monotonic() - 0.01))
    call.cancel()
    return "broken off"


def _half_open_message(channel: grpc.Channel, _: str, chance: random.Random) -> str:
    """Calls whose one message does not come; only now and then are they waited for."""
    over = Event()
    method = chance.choice((_UPSCALE, "/grpc.health.v1.Health/Check"))
    start = channel.stream_unary(method, None, None).future
    calls: list[Any] = [start(iter(over.wait, True)) for _call in range(4)]
    time.sleep(4 if chance.random() < 0.02 else 0.02)
    for call in calls:
        call.cancel()
    over.set()
    return "broken off"


def _watchers(channel: grpc.Channel, _: str, chance: random.Random) -> str:
    """More questions for health than anybody needs, which stay open."""
    watch = health_pb2_grpc.HealthStub(channel).Watch
    calls: list[Any] = [watch(health_pb2.HealthCheckRequest()) for _call in range(100)]
    try:
        for call in calls:
            next(call)
    finally:
        time.sleep(chance.uniform(0, 0.05))
        for call in calls:
            call.cancel()
    return "broken off"


def _slow_reader(channel: grpc.Channel, _: str, chance: random.Random) -> str:
    call: Any = Stub(channel).UpscaleStream(iter([Request(chunk=picture(300, 300))]), timeout=60)
    next(call)
    time.sleep(chance.uniform(0, 0.05))
    call.cancel()
    return "broken off"


def _lying_header(channel: grpc.Channel, _: str, chance: random.Random) -> None:
    width, height = (chance.choice((1, 500, 60_000, 2**31 - 1)) for _side in range(2))
    _sent(channel, _png(width, height, zlib.compress(bytes(1000))))


def _bomb(channel: grpc.Channel, _: str, chance: random.Random) -> None:
    """Little that becomes much: text and profiles of 16 MiB of zeros, and rows without end."""
    much = zlib.compress(bytes(16 << 20), 9)
    kind, head = chance.choice(((b"zTXt", b"a\0\0"), (b"iCCP", b"a\0\0"), (b"IDAT", b"")))
    _sent(channel, _png(16, 16, zlib.compress(bytes(16 * 49)), _chunk(kind, head + much)))


def _noise(_: grpc.Channel, address: str, chance: random.Random) -> str:
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(
            chance.choice((b"", b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
            + chance.randbytes(chance.randrange(1000))
        )
    return "broken off"


def _chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def _png(width: int, height: int, rows: bytes, more: bytes = b"") -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + more + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


_KINDS: tuple[Callable[[grpc.Channel, str, random.Random], str | None], ...] = (
    _damaged,
    _truncated,
    _damaged,
    _random_message,
    _random_options,
    _broken_off,
    _half_open,
    _half_open_message,
    _watchers,
    _slow_reader,
    _lying_header,
    _bomb,
    _noise,
)
