"""A model file: what it says of itself, and how to run it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

import numpy as np

from serving.cache import Cache
from serving.digest import sha256_of
from serving.errors import InvalidModel
from serving.hints import LARGEST_HALO, Hints
from serving.names import ModelName
from serving.probe import LEVELS, SMALLEST_CARD, Traits, probe
from serving.session import Bytes, Computing, Floats, Session
from serving.stop import Stop

FORMAT_VERSION = "1"
SUFFIX = ".onnx"
_LARGEST_SCALE = 16
_FEW_DIGITS = re.compile(r"[0-9]{1,9}")
_QUOTED = 60


class Precision(Enum):
    """Number format of a network's arithmetic, as its metadata spells it."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a model file says of itself in its ONNX metadata.

    Attributes:
        name: what its makers call it.
        scale: factor by which each side grows.
        halo: radius of the receptive field in input pixels: an output pixel depends on no input
            pixel that is further away. None where it depends on the whole picture.
        precision: number format inside.
        license: under which terms the weights may be used.
        training_run: how it was made, free text or JSON.
    """

    name: str
    scale: int
    halo: int | None
    precision: Precision
    license: str
    training_run: str

    @classmethod
    def from_metadata(
        cls, metadata: Mapping[str, str], source: str, levels: str = "0..1"
    ) -> ModelInfo:
        """Reads and checks a model file's metadata.

        Args:
            metadata: the file's keys and values.
            source: names the file in errors.
            levels: the range of values that the network's type of input implies.

        Raises:
            InvalidModel: a key is missing, or its value is not one that this program can serve.
        """

        def value(key: str) -> str:
            if key not in metadata:
                raise InvalidModel(f"{source}: metadata key {key!r}", "missing", "a value")
            return metadata[key]

        def exactly(key: str, allowed: str) -> None:
            if value(key) != allowed:
                raise InvalidModel(f"{source}: {key}", _quoted(value(key)), repr(allowed))

        def integer(key: str, least: int, most: int) -> int:
            text = value(key)
            if not (_FEW_DIGITS.fullmatch(text) and least <= int(text) <= most):
                raise InvalidModel(
                    f"{source}: {key}", _quoted(text), f"a whole number of {least} to {most}"
                )
            return int(text)

        exactly("format_version", FORMAT_VERSION)
        exactly("input_range", levels)
        exactly("color_order", "RGB")
        precisions = [precision.value for precision in Precision]
        if value("precision") not in precisions:
            raise InvalidModel(
                f"{source}: precision", _quoted(value("precision")), " or ".join(precisions)
            )
        return cls(
            name=value("name"),
            scale=integer("scale", 1, _LARGEST_SCALE),
            halo=integer("halo", 0, LARGEST_HALO),
            precision=Precision(value("precision")),
            license=value("license"),
            training_run=value("training_run"),
        )


class Model:
    """A network that is ready to run; several threads may run it at once.

    Attributes:
        info: what it is.
        fixed_size: the only height and width that the network takes, or None for any.
        run_pixels: None for a network on floats; else upscales uint8 RGB, [N, H, W, 3] to
            [N, scale*H, scale*W, 3].
        multiple: what tiles' sides and positions must be multiples of, for the result not to
            depend on where they lie.
        least: the shortest side that the network takes.
    """

    def __init__(
        self,
        info: ModelInfo,
        network: Callable[[Floats, Stop], Floats],
        fixed_size: tuple[int, int] | None = None,
        pixel_network: Callable[[Bytes, Stop], Bytes] | None = None,
        multiple: int = 1,
        least: int = 1,
        stop: Stop | None = None,
    ) -> None:
        self.info = info
        self.fixed_size = fixed_size
        self.multiple = multiple
        self.least = least
        self._network = network
        self._pixel_network = pixel_network
        self._stop = stop or Stop()
        self.run_pixels: Callable[[Bytes], Bytes] | None = None
        if pixel_network:
            self.run_pixels = lambda batch: pixel_network(batch, self._stop)

    def until(self, stop: Stop) -> Model:
        """The same model, whose runs end by :class:`~serving.stop.Stopped` once `stop` is set."""
        return Model(
            self.info,
            self._network,
            self.fixed_size,
            self._pixel_network,
            self.multiple,
            self.least,
            stop,
        )

    def run(self, batch: Floats) -> Floats:
        """Upscales RGB in [0, 1]: float32 [N, 3, H, W] to [N, 3, scale*H, scale*W], unclipped.

        Where the network takes only some sizes, pictures are continued by their last row and
        column.
        """
        height, width = batch.shape[2:]
        rows, columns = self.fixed_size or (
            -(-max(side, self.least) // self.multiple) * self.multiple for side in (height, width)
        )
        padded = (rows, columns) != (height, width)
        if padded:
            missing = [(0, 0), (0, 0), (0, rows - height), (0, columns - width)]
            batch = np.pad(batch, missing, mode="edge")
        singly = self.fixed_size is not None and len(batch) > 1
        result = (
            np.concatenate([self._network(each[None], self._stop) for each in batch])
            if singly
            else self._network(batch, self._stop)
        )
        scale = self.info.scale
        return result[:, :, : height * scale, : width * scale] if padded else result


def load_model(path: Path, computing: Computing | None = None, hints: Hints | None = None) -> Model:
    """Loads a model file.

    What a file from elsewhere has no metadata for is found out by :mod:`serving.probe`.

    Args:
        path: of the file.
        computing: how its runs are computed; by default on one thread of the processor.
        hints: what is known of it if it has no metadata.

    Raises:
        InvalidModel: the file is no ONNX model, its interface is none that
            :class:`~serving.session.Session` knows, or its metadata is not acceptable, or what it
            lacks cannot be found out, or anything else fails with it.
    """
    try:
        return _loaded(path, computing or Computing(), hints or Hints())
    except InvalidModel:
        raise
    except Exception as error:  # A file that lies can fail anywhere.
        raise InvalidModel(str(path), f"unreadable ({error})", "an ONNX model") from error


def _loaded(path: Path, computing: Computing, hints: Hints) -> Model:
    session = Session(path, computing)
    if "format_version" not in session.metadata:
        return _probed(session, path, hints)
    levels = "0..1" if session.pixels is None else "0..255"
    info = ModelInfo.from_metadata(session.metadata, str(path), levels)
    pixel_network = None if session.fixed_size else session.pixels
    return Model(info, session.floats, session.fixed_size, pixel_network)


def _probed(session: Session, path: Path, hints: Hints) -> Model:
    """A model without metadata; it is called what its file is called."""

    def unstopped(batch: Floats) -> Floats:
        return session.floats(batch, Stop())

    cache, key = Cache("probed"), f"{sha256_of(path)}, {hints}"
    try:
        traits = Traits(**cache.get(key))
    except TypeError:  # not known yet, or no longer understood
        traits = probe(unstopped, session.fixed_size, hints, str(path))
        cache.put(key, asdict(traits))
    most = np.float32(LEVELS[traits.input_range])
    order = slice(None, None, -1 if hints.color_order == "BGR" else None)

    def network(batch: Floats, stop: Stop) -> Floats:
        result = session.floats(np.ascontiguousarray(batch[:, order]) * most, stop)[:, order]
        return np.divide(result, most, dtype=np.float32)

    name = ModelName.of_file(path).stem
    info = ModelInfo(name, traits.scale, traits.halo, Precision.FP32, "unknown", "unknown")
    # Some continue a picture by its mirror image, which is no larger than the picture. Tiles are
    # never as small as their halo; a whole picture may be.
    least = SMALLEST_CARD if traits.halo is None else traits.halo + 1
    return Model(info, network, session.fixed_size, multiple=traits.multiple, least=least)


def _quoted(text: str) -> str:
    """A value of a file's metadata, which may be of any length, for a sentence."""
    return repr(text if len(text) <= _QUOTED else f"{text[:_QUOTED]}...")
