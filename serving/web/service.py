"""Which service the page is a client of: one elsewhere, or one inside the process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import tyro

from serving.cli import TOKEN_VARIABLE
from serving.client import ClientTls, UpscalerClient
from serving.errors import InvalidConfig
from serving.hints import Hints


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
def connected(service: Service) -> Iterator[UpscalerClient]:
    """A client of the service, for as long as the context lasts.

    Raises:
        ServingError: no server can be started with these models.
        OSError: a file for the connection cannot be read.
    """
    if service.server:
        encrypted = service.tls or service.ca or service.certificate
        tls = ClientTls(service.ca, service.certificate, service.key) if encrypted else None
        token = os.environ.get(TOKEN_VARIABLE, "")
        with UpscalerClient(service.server, tls=tls, token=token) as client:
            yield client
        return
    # Imported here because a mere client need not wait for what only a server needs.
    from serving.config import ServerConfig
    from serving.embedded import embedded_server

    config = ServerConfig(port=0, models=service.models, hints=service.hints)
    with embedded_server(config) as address, UpscalerClient(address) as client:
        yield client
