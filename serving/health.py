"""Asks a server for its health: ``python -m serving.health``, for container runtimes."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
import tyro
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.client.connection import ClientTls, open_channel

_HEALTHY, _NOT_HEALTHY = 0, 1


@dataclass(frozen=True)
class Question:
    """Asks a server whether it serves; exits with 0 if it does, 1 if not."""

    address: tyro.conf.Positional[str] = "127.0.0.1:50051"
    """HOST:PORT of the server."""

    ca: Path | None = None
    """PEM file of the authorities that its certificate may come from; for encrypted servers."""

    certificate: Path | None = None
    """PEM file of a client certificate, for servers that ask for one."""

    key: Path | None = None
    """PEM file of its private key."""

    timeout_s: float = 3.0
    """Seconds after which to give up."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    question = tyro.cli(Question, prog="python -m serving.health", args=argv)
    tls = ClientTls(question.ca, question.certificate, question.key) if question.ca else None
    try:
        with open_channel(question.address, tls) as channel:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=question.timeout_s
            )
    except (grpc.RpcError, OSError) as error:
        told = error.details() if isinstance(error, grpc.Call) else str(error)
        sys.stderr.write(f"{question.address}: {told}\n")
        return _NOT_HEALTHY
    sys.stdout.write(f"{health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)}\n")
    return _HEALTHY if answer.status == health_pb2.HealthCheckResponse.SERVING else _NOT_HEALTHY


if __name__ == "__main__":
    sys.exit(main())
