"""The ``upscale`` command: a client of a server elsewhere, or of one inside the process."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Annotated, BinaryIO

import grpc
import tyro

from protos.upscaler.v1 import upscaler_pb2
from serving.client import ClientTls, UpscaleFailed, UpscalerClient
from serving.codec.formats import SUFFIXES, ImageFormat
from serving.errors import ServingError
from serving.hints import Hints

TOKEN_VARIABLE = "UPSCALER_TOKEN"

_OK, _FAILED, _WRONG_USE = 0, 1, 2
_WRONG_USE_CODES = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)


@dataclass(frozen=True)
class Arguments:
    """Makes an image larger.

    Exits with 0 when it is written, 2 for wrong arguments or an unusable image, 1 for any other
    failure.
    """

    image: tyro.conf.Positional[Path]
    """The image file: PNG, JPEG, WebP, TIFF or BMP."""

    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """File to write, its format told by its suffix; by default IMAGE_x4.png beside the image."""

    scale: float | None = None
    """Factor of each side, 1 to 16; by default the model's own."""

    width: int | None = None
    """Pixels from left to right of the result; alone it keeps proportions."""

    height: int | None = None
    """Pixels from top to bottom of the result; alone it keeps proportions."""

    max_width: int | None = None
    """The result is made smaller, in proportion, where it would be wider."""

    max_height: int | None = None
    """The result is made smaller, in proportion, where it would be higher."""

    server: str | None = None
    """HOST:PORT of a running server; without it, this process serves itself."""

    tls: bool = False
    """Encrypt the connection to --server; a token in UPSCALER_TOKEN is shown to it."""

    ca: Path | None = None
    """PEM file of the authorities that the server's certificate may come from; implies --tls."""

    certificate: Path | None = None
    """PEM file of this client's certificate, for servers that ask for one."""

    key: Path | None = None
    """PEM file of its private key."""

    model: str = ""
    """Name of a model; empty for the default."""

    models: tuple[Path, ...] = ()
    """More model files, or folders of them; only without --server."""

    hints: tyro.conf.OmitArgPrefixes[Hints] = field(default_factory=Hints)
    """What is known of such models as do not describe themselves."""

    quality: int | None = None
    """1 (smallest file) to 100 (best), for JPEG and WebP; by default 95."""

    timeout_s: float = 600.0
    """Seconds after which to give up."""


class WrongUse(Exception):
    """The arguments cannot be carried out."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    arguments = tyro.cli(Arguments, prog="upscale", args=argv)
    try:
        line = run(arguments)
    except (WrongUse, ServingError) as error:
        return _fail(_WRONG_USE, str(error))
    except UpscaleFailed as error:
        return _fail(_WRONG_USE if error.code in _WRONG_USE_CODES else _FAILED, error.message)
    except OSError as error:
        return _fail(_FAILED, str(error))
    sys.stdout.write(f"{line}\n")
    return _OK


def run(arguments: Arguments) -> str:
    """Upscales as told and returns a line that says what was written.

    Raises:
        WrongUse: a file is not there, or the output's suffix is not one of a known format.
        ServingError: no server can be started with these models.
        UpscaleFailed: the call did not succeed.
        OSError: a file cannot be read or written.
    """
    output = arguments.output
    format = ImageFormat.of_suffix(output) if output else ImageFormat.PNG
    if format is None:
        raise WrongUse(f"output is {output}; expected a name that ends in one of {SUFFIXES}")
    if not arguments.image.is_file():
        raise WrongUse(f"image is {arguments.image}; expected a file that exists")
    if output and not output.parent.is_dir():
        raise WrongUse(f"output is {output}; expected a folder that exists")
    if arguments.server and arguments.models:
        raise WrongUse("models is given; expected it only without server")
    encrypted = arguments.tls or arguments.ca or arguments.certificate
    tls = ClientTls(arguments.ca, arguments.certificate, arguments.key) if encrypted else None
    token = os.environ.get(TOKEN_VARIABLE, "") if arguments.server else ""
    started = perf_counter()
    folder = (output or arguments.image).parent
    with (
        _written_whole(folder) as (file, put_at),
        _address(arguments) as address,
        UpscalerClient(address, tls=tls, token=token) as client,
    ):
        response = client.upscale_into(
            file,
            arguments.image,
            model=arguments.model,
            format=format,
            quality=arguments.quality,
            scale=arguments.scale,
            width=arguments.width,
            height=arguments.height,
            max_width=arguments.max_width,
            max_height=arguments.max_height,
            timeout_s=arguments.timeout_s,
        )
        output = output or arguments.image.with_name(_default_name(arguments, format, response))
        put_at(output)
    milliseconds = round(1000 * (perf_counter() - started))
    size = f"{response.output.width}x{response.output.height}"
    return f"{output}: {size} by {response.model.name} in {milliseconds} ms"


@contextmanager
def _address(arguments: Arguments) -> Iterator[str]:
    if arguments.server:
        yield arguments.server
        return
    # Imported here because a mere client need not wait for what only a server needs.
    from serving.catalog import DEFAULT_MODEL
    from serving.config import ServerConfig
    from serving.embedded import embedded_server
    from serving.load.limits import Limits

    config = ServerConfig(
        port=0,
        models=arguments.models,
        hints=arguments.hints,
        default_model=arguments.model or DEFAULT_MODEL,
        limits=Limits(max_file_mib=2**16, max_files_mib=2**16, max_call_s=86_400),
    )
    with embedded_server(config) as address:
        yield address


def _default_name(
    arguments: Arguments, format: ImageFormat, response: upscaler_pb2.UpscaleResponse
) -> str:
    resized = (arguments.width, arguments.height, arguments.max_width, arguments.max_height)
    if resized == (None, None, None, None):
        size = f"x{arguments.scale or response.model.scale:g}"
    else:
        size = f"{response.output.width}x{response.output.height}"
    return f"{arguments.image.stem}_{size}{format.value.suffixes[0]}"


@contextmanager
def _written_whole(folder: Path) -> Iterator[tuple[BinaryIO, Callable[[Path], None]]]:
    """A file to write, and the function that gives it its name in the end: whole or not at all."""
    partial = folder / f".upscale.{os.getpid()}.part"

    def put_at(path: Path) -> None:
        file.close()
        partial.replace(path)

    try:
        with partial.open("wb") as file:
            yield file, put_at
    finally:
        partial.unlink(missing_ok=True)


def _fail(code: int, message: str) -> int:
    sys.stderr.write(f"upscale: error: {message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
