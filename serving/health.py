"""Asks a server for its health: ``python -m serving.health``, for container runtimes.

Without an address it asks the server of this machine, which it finds by the settings in the file
that ``UPSCALER_CONFIG`` names and in the environment.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
import tyro
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.client.connection import ClientTls, open_channel
from serving.errors import InvalidConfig, ServingError
from serving.security.certificate import check_pair
from serving.settings import PREFIX, read_file

_HEALTHY, _NOT_HEALTHY = 0, 1
_SHOWN = ("health_certificate", "health_key")
_NAMES = ("host", "port", "tls_certificate", "tls_key", "tls_client_ca", *_SHOWN)
# Where a server is asked that listens everywhere.
_THIS_MACHINE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True)
class Question:
    """Asks a server whether it serves; exits with 0 if it does, 1 if not.

    Without an address, it asks the one that UPSCALER_PORT, UPSCALER_HOST, UPSCALER_TLS_CERTIFICATE
    and UPSCALER_TLS_KEY, or the file in UPSCALER_CONFIG, tell of, and trusts its certificate. Where
    that asks for a client's, it shows those of UPSCALER_HEALTH_CERTIFICATE and UPSCALER_HEALTH_KEY,
    or else the server's own.
    """

    address: tyro.conf.Positional[str | None] = None
    """HOST:PORT of the server; by default this machine's, by its settings."""

    ca: Path | None = None
    """PEM file of the authorities that its certificate may come from; for encrypted servers."""

    certificate: Path | None = None
    """PEM file of a client certificate, for servers that ask for one."""

    key: Path | None = None
    """PEM file of its private key."""

    timeout_s: float = 3.0
    """Seconds after which to give up."""


@dataclass(frozen=True, slots=True)
class _Server:
    address: str
    tls: ClientTls | None
    # What its certificate calls it; empty for its address.
    name: str = ""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    question = tyro.cli(Question, prog="python -m serving.health", args=argv)
    address = question.address or "this machine's server"
    try:
        server = _named(question) if question.address else _own(_told(os.environ))
        address = server.address
        with open_channel(
            server.address, server.tls, server.name, direct=not question.address
        ) as channel:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=question.timeout_s
            )
    except (grpc.RpcError, OSError, ServingError) as error:
        told = error.details() if isinstance(error, grpc.Call) else str(error)
        sys.stderr.write(f"{address}: {told}\n")
        return _NOT_HEALTHY
    sys.stdout.write(f"{health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)}\n")
    return _HEALTHY if answer.status == health_pb2.HealthCheckResponse.SERVING else _NOT_HEALTHY


def _named(question: Question) -> _Server:
    files = question.ca, question.certificate, question.key
    return _Server(question.address or "", ClientTls(*files) if any(files) else None)


def _told(environment: Mapping[str, str]) -> dict[str, str]:
    """What the server's settings say of how it is reached."""
    path = environment.get(f"{PREFIX}CONFIG")
    file = read_file(Path(path)) if path else {}
    variables = {name: environment.get(f"{PREFIX}{name.upper()}") for name in _NAMES}
    return {name: str(text) for name in _NAMES if (text := variables[name] or file.get(name))}


def _own(told: Mapping[str, str]) -> _Server:
    """The server with such settings, on this machine.

    Raises:
        InvalidConfig: its certificate is not valid now, or of a pair only one half is told.
        OSError: a file cannot be read.
    """
    host = told.get("host", "127.0.0.1")
    host = _THIS_MACHINE.get(host, host)
    address = f"[{host}]" if ":" in host else host
    address += f":{told.get('port', '50051')}"
    if "tls_certificate" not in told:
        return _Server(address, None)
    if "tls_key" not in told:
        raise InvalidConfig("tls_key", "missing", "it beside tls_certificate")
    pair = Path(told["tls_certificate"]), Path(told["tls_key"])
    # It is made for the name that clients call, and who issued it may be unknown here.
    names = check_pair(*pair)
    shown = [Path(told[name]) for name in _SHOWN if name in told]
    if len(shown) == 1:
        raise InvalidConfig(" and ".join(_SHOWN), "one alone", "both or none")
    tls = ClientTls(pair[0], *(shown or pair)) if "tls_client_ca" in told else ClientTls(pair[0])
    return _Server(address, tls, names[0] if names else "")


if __name__ == "__main__":
    sys.exit(main())
