"""Which models there are: those that ship with the package, and those an operator adds."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from threading import Lock

import numpy as np

from serving.errors import InvalidConfig, InvalidModel, UnknownModel
from serving.hints import Hints
from serving.model import SUFFIX, Model, Precision, load_model
from serving.pixels import Depth
from serving.processor import has_integer_dot_products
from serving.session import Computing

_PLAIN = f"-{Precision.FP32.value}"
_TWIN = f"-{Precision.INT8.value}"

BUNDLED = Path(__file__).parent / "models"
DEFAULT_MODEL = "x4-fast"


class Catalog:
    """Models by name, each loaded when it is first asked for and then kept.

    A model's name is its file's, less the suffix: what the metadata calls it, optionally followed
    by its precision (``x4-fast.onnx``, ``x4-fast-int8.onnx``). Where a file has an 8-bit twin, the
    name alone means whichever is better here: the twin for pictures of 8 bits on processors with
    instructions for that, else the file itself, whose own name then ends in ``-fp32``.

    Args:
        extra: model files, or folders of them, offered beside the bundled models.
        default: the model of those who name none.
        computing: how models are run.
        hints: what is known of those among `extra` that do not describe themselves.

    Raises:
        InvalidConfig: a path does not exist or holds no model, or two files share a name.
        UnknownModel: there is no model called `default`.
    """

    def __init__(
        self,
        extra: Sequence[Path] = (),
        default: str = DEFAULT_MODEL,
        computing: Computing | None = None,
        hints: Hints | None = None,
    ) -> None:
        self._paths = _find(BUNDLED)
        for source in extra:
            found = _find(source)
            if not found:
                raise InvalidConfig(
                    "models", f"{str(source)!r}", f"a {SUFFIX} file, or a folder that holds some"
                )
            for name in found.keys() & self._paths.keys():
                raise InvalidConfig(
                    "models", f"{str(found[name])!r}", f"another name than {self._paths[name]} has"
                )
            self._paths |= found
        self._default = default
        self.resolve()
        self._computing = computing
        self._hints = hints
        self._loaded: dict[str, Model] = {}
        self._loading = Lock()

    def resolve(self, name: str = "", depth: Depth = np.uint8) -> str:
        """The name of the model that `name` asks for; empty asks for the default.

        Args:
            name: of a model, with or without its precision.
            depth: of the samples of the picture that it is for.

        Raises:
            UnknownModel: there is none of that name.
        """
        name = name or self._default
        plain = name.removesuffix(_PLAIN)
        if name not in self._paths and not (name.endswith(_PLAIN) and self._has_twin(plain)):
            raise UnknownModel("model", repr(name), self._offer())
        if name != plain or not self._has_twin(name):
            return name
        integers = depth == np.uint8 and has_integer_dot_products()
        return name + (_TWIN if integers else _PLAIN)

    def load(self, name: str = "", depth: Depth = np.uint8) -> Model:
        """The model that `name` asks for, ready to run; arguments as :meth:`resolve`.

        Raises:
            UnknownModel: there is none of that name.
            InvalidModel: its file cannot be served.
        """
        name = self.resolve(name, depth)
        with self._loading:
            if name not in self._loaded:
                self._loaded[name] = self._read(name, self._computing)
            return self._loaded[name]

    def read(self, computing: Computing) -> Model:
        """The default model, opened anew and run in another way than the catalog's.

        Raises:
            InvalidModel: its file cannot be served.
        """
        return self._read(self.resolve(), computing)

    def digest(self) -> str:
        """A number that tells the default model's file from others."""
        return sha256(self._path(self.resolve()).read_bytes()).hexdigest()[:16]

    def _path(self, name: str) -> Path:
        return self._paths.get(name) or self._paths[name.removesuffix(_PLAIN)]

    def _has_twin(self, name: str) -> bool:
        return name in self._paths and name + _TWIN in self._paths

    def _read(self, name: str, computing: Computing | None) -> Model:
        path = self._path(name)
        model = load_model(path, computing, self._hints)
        allowed = (model.info.name, f"{model.info.name}-{model.info.precision.value}")
        if path.stem not in allowed:
            raise InvalidModel(
                f"name of {path}",
                repr(path.stem),
                f"what its metadata says: {' or '.join(allowed)}",
            )
        return model

    def _offer(self) -> str:
        return f"one of: {', '.join(sorted(self._paths)) or '(no models found)'}"


def _find(source: Path) -> dict[str, Path]:
    paths = sorted(source.glob(f"*{SUFFIX}")) if source.is_dir() else [source]
    return {path.stem: path for path in paths if path.is_file() and path.suffix == SUFFIX}
