"""Coverage-guided fuzzing of the decoders: ``python -m tools.fuzz``.

libFuzzer changes small pictures of each format so that ever more branches of our code and Pillow's
are taken. A file may be refused; any other exception, a result of another size than the header
tells, a crash, a hang or too much memory is a finding. Needs atheris (the extra fuzz).
"""

import logging
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import tyro

from serving.errors import ImageTooLarge, InvalidImage

# The decoders are imported late: only then does the fuzzer see each of their branches.
_WATCHED = ["PIL", "serving.codec"]
_MAX_PIXELS = 1 << 16
_SIDE = 12
_TIMEOUT_S = 5
_MEMORY_MIB = 2048
_MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "WEBP": ("RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"),
    "BMP": ("1", "L", "P", "RGB"),
}


@dataclass(frozen=True)
class Fuzz:
    """Changes pictures until the decoder does something that it must not.

    Attributes:
        minutes: that it looks for something.
        out: folder for what it finds.
        seed: of what is random.
    """

    minutes: float = 60.0
    out: Path = Path("findings")
    seed: int = 1


def seeds() -> dict[str, bytes]:
    """Return small files of each format and mode, some with metadata, by name."""
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (_SIDE, _SIDE, 4)).astype(np.uint8)
    whole = Image.fromarray(pixels, "RGBA")
    exif = Image.Exif()
    exif[0x0112] = 6
    found = {}
    for format, modes in _MODES.items():
        for mode in modes:
            image = whole.convert("L").convert("I;16") if mode == "I;16" else whole.convert(mode)
            for name, options in (("", {}), ("-exif", {"exif": exif, "dpi": (72, 96)})):
                file = BytesIO()
                image.save(file, format, **options)
                found[f"{format}-{mode.replace(';', '')}{name}"] = file.getvalue()
    return found


def try_one(data: bytes) -> None:
    """Decode a file as the service does, in pieces and as a whole.

    Raises:
        Exception: any that the service does not expect.
    """
    from serving.codec.decode import check_beginning, decode

    try:
        check_beginning(data[: len(data) // 2], _MAX_PIXELS)
        strips = decode(data, _MAX_PIXELS).strips
        rows = 0
        for part in strips.parts:
            rows += len(part)
            assert part.shape[1:] == (strips.width, strips.channels)
            assert part.dtype == strips.depth
        assert rows == strips.height
    except (InvalidImage, ImageTooLarge):
        return


def main(argv: Sequence[str] | None = None) -> None:
    """Fuzz; libFuzzer ends the process, with 0 where nothing was found.

    Raises:
        SystemExit: atheris is not installed.
    """
    fuzz = tyro.cli(Fuzz, prog="python -m tools.fuzz", args=argv)
    try:
        import atheris
    except ModuleNotFoundError as error:
        raise SystemExit("fuzzing needs atheris: pip install -e '.[fuzz]'") from error

    fuzz.out.mkdir(parents=True, exist_ok=True)
    logging.disable()
    with tempfile.TemporaryDirectory() as corpus:
        with atheris.instrument_imports(include=_WATCHED):
            for name, data in seeds().items():
                (Path(corpus) / name).write_bytes(data)
                try_one(data)
        options = {
            "max_total_time": round(60 * fuzz.minutes),
            "max_len": 4096,
            "timeout": _TIMEOUT_S,
            "rss_limit_mb": _MEMORY_MIB,
            "seed": fuzz.seed,
            "artifact_prefix": f"{fuzz.out}/",
            "print_final_stats": 1,
        }
        flags = [f"-{name}={value}" for name, value in options.items()]
        atheris.Setup([sys.argv[0], corpus, *flags], try_one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
