"""Which service the page is a client of: one elsewhere, or one inside the process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import tyro

from serving.client import ClientTls, UpscalerClient
from serving.errors import InvalidConfig
from serving.hints import Hints

_TOKEN_VARIABLE = "UPSCALER_TOKEN"


@dataclass(frozen=True)
class Service:
    """The service that enlarges.

    Raises:
        InvalidConfig: models are given for a server elsewhere.
    """

    server: str | None = None
    """HOST:PORT of a running server; without it, this process serves itself."""

    tls: bool = False
    """Encrypt the connection to --server; a token in UPSCALER_TOKEN is shown to it."""

    ca: Path | None = None
    """PEM file of the authorities that the server's certificate may come from; implies --tls."""

    certificate: Path | None = None
    """PEM file of this page's certificate, for servers that ask for one."""

    key: Path | None = None
    """PEM file of its private key."""

    models: tuple[Path, ...] = ()
    """More model files, or folders of them; only without --server."""

    hints: tyro.conf.OmitArgPrefixes[Hints] = field(default_factory=Hints)
    """What is known of such models as do not describe themselves."""

    def __post_init__(self) -> None:
        if self.server and self.models:
            raise InvalidConfig("models", "given", "it only without server")

    @contextmanager
    def connect(self) -> Iterator[UpscalerClient]:
        """A client for as long as the context lasts.

        Raises:
            ServingError: no server can be started with these models.
            OSError: a certificate cannot be read.
        """
        if self.server:
            encrypted = self.tls or self.ca or self.certificate
            tls = ClientTls(self.ca, self.certificate, self.key) if encrypted else None
            token = os.environ.get(_TOKEN_VARIABLE, "")
            with UpscalerClient(self.server, tls=tls, token=token) as client:
                yield client
            return
        # Imported here because a mere client need not wait for what only a server needs.
        from serving.config import ServerConfig
        from serving.embedded import embedded_server

        config = ServerConfig(port=0, models=self.models, hints=self.hints)
        with embedded_server(config) as address, UpscalerClient(address) as client:
            yield client
