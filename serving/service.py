"""Where the work is done: a server elsewhere, or one inside this process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated

import tyro

from serving.client import ClientTls, UpscalerClient
from serving.errors import InvalidConfig
from serving.hints import Hints
from serving.provider import Provider

TOKEN_VARIABLE = "UPSCALER_TOKEN"


@dataclass(frozen=True)
class Service:
    """Where the work is done; unless told otherwise, in this process.

    Raises:
        InvalidConfig: an option for the one is given beside one for the other.
    """

    server: str | None = None
    """HOST:PORT of a running server; without it, this process serves itself."""

    tls: bool = False
    """Encrypt the connection to --server; a token in UPSCALER_TOKEN is shown to it."""

    ca: Path | None = None
    """PEM file of the authorities that the server's certificate may come from; implies --tls."""

    certificate: Path | None = None
    """PEM file of this client's certificate, for servers that ask for one; implies --tls."""

    key: Path | None = None
    """PEM file of its private key."""

    models: Annotated[tuple[Path, ...], tyro.conf.arg(help_behavior_hint="")] = ()
    """More model files, or folders of them; only without --server."""

    hints: Hints = field(default_factory=Hints)
    """What is known of such models as do not describe themselves."""

    def __post_init__(self) -> None:
        if self.server == "":
            raise InvalidConfig("server", "an empty word", "HOST:PORT")
        for name in self._idle():
            raise InvalidConfig(
                name, "given", f"it only {'without' if self.server else 'with'} server"
            )

    def _idle(self) -> list[str]:
        """Options that are given and say nothing about where the work is done."""
        if not self.server:
            return [name for name in ("tls", "ca", "certificate", "key") if getattr(self, name)]
        hints = [each.name for each in fields(Hints)
                 if getattr(self.hints, each.name) != each.default]  # fmt: skip
        return ["models", *hints] if self.models else hints

    @contextmanager
    def connect(
        self,
        default_model: str = "",
        tile: int | None = None,
        threads: int | None = None,
        provider: Provider | None = None,
        *,
        unlimited: bool = False,
    ) -> Iterator[UpscalerClient]:
        """A client for as long as the context lasts.

        Args:
            default_model: what the server inside gets ready; empty for the usual one.
            tile: side of its tiles in input pixels; None for the usual one.
            threads: how many it computes on; None for what is fastest here.
            provider: what computes; None for the processors.
            unlimited: it takes files of any size, and as long as they need.

        Raises:
            ServingError: no server can be started with these models and settings.
            OSError: a certificate cannot be read.
        """
        if self.server:
            for name, value in (("tile", tile), ("threads", threads), ("provider", provider)):
                if value is not None:
                    raise InvalidConfig(name, "given", "it only without server")
            encrypted = self.tls or self.ca or self.certificate or self.key
            tls = ClientTls(self.ca, self.certificate, self.key) if encrypted else None
            token = os.environ.get(TOKEN_VARIABLE, "")
            with UpscalerClient(self.server, tls=tls, token=token) as client:
                yield client
            return
        with (
            self._inside(default_model, tile, threads, provider, unlimited) as address,
            UpscalerClient(address, direct=True) as client,
        ):
            yield client

    @contextmanager
    def _inside(
        self,
        default_model: str,
        tile: int | None,
        threads: int | None,
        provider: Provider | None,
        unlimited: bool,
    ) -> Iterator[str]:
        # Imported here because a mere client need not wait for what only a server needs.
        from serving.catalog import DEFAULT_MODEL
        from serving.config import ServerConfig
        from serving.embedded import embedded_server
        from serving.engine import DEFAULT_TILE
        from serving.load.limits import Limits

        config = ServerConfig(
            port=0,
            models=self.models,
            hints=self.hints,
            default_model=default_model or DEFAULT_MODEL,
            limits=Limits(
                max_file_mib=2**16,
                max_files_mib=2**16,
                max_input_pixels=2**31,
                max_call_s=86_400,
            )
            if unlimited
            else Limits(),
            tile=DEFAULT_TILE if tile is None else tile,
            # A tile is computed on one thread, and so many tiles at a time.
            concurrency=threads,
            provider=provider or "cpu",
        )
        with embedded_server(config) as address:
            yield address
