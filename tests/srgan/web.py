"""A web server for tests of downloads, whose faults are chosen."""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from srgan.download import RemoteFile


@dataclass
class Web:
    """What the server gives, and what it was asked.

    Attributes:
        content: the file.
        name: the last part of its address.
        ranges: whether it knows the Range header.
        breaks_after: bytes after which each of the next connections is cut.
        status: an error to answer with instead.
        delay: seconds before an answer.
        asked: the Range header of each request.
    """

    content: bytes
    name: str = "file.zip"
    ranges: bool = True
    breaks_after: list[int] = field(default_factory=list)
    status: int | None = None
    delay: float = 0.0
    asked: list[str | None] = field(default_factory=list)
    port: int = 0

    @property
    def remote(self) -> RemoteFile:
        digest = hashlib.sha256(self.content).hexdigest()
        return RemoteFile(f"http://127.0.0.1:{self.port}/{self.name}", len(self.content), digest)


def _answer(web: Web, handler: BaseHTTPRequestHandler) -> None:
    wanted = handler.headers["Range"]
    web.asked.append(wanted)
    time.sleep(web.delay)
    if web.status is not None:
        handler.send_error(web.status)
        return
    start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and web.ranges else 0
    if start and start >= len(web.content):
        handler.send_error(416)
        return
    body = web.content[start:]
    handler.send_response(206 if wanted and web.ranges else 200)
    if wanted and web.ranges:
        whole = len(web.content)
        handler.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if web.breaks_after:
        body = body[: web.breaks_after.pop(0)]
    handler.wfile.write(body)


@contextmanager
def serving(web: Web) -> Iterator[Web]:
    """Answer on a free port while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(web, self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        web.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield web
        finally:
            server.shutdown()
            thread.join()
