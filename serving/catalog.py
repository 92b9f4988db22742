"""Which models there are: those that ship with the package, and those an operator adds."""

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Self

import numpy as np

from serving.digest import sha256_of
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

    Attributes:
        default: the model of those who name none.

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
        found: dict[str, Path] = _find(BUNDLED)
        for source in extra:
            more = _find(source)
            if not more:
                raise InvalidConfig(
                    "models", f"{str(source)!r}", f"a {SUFFIX} file, or a folder that holds some"
                )
            for name in more.keys() & found.keys():
                raise InvalidConfig(
                    "models", f"{str(more[name])!r}", f"another name than {found[name]} has"
                )
            found |= more
        self._paths = {
            name + _PLAIN if name + _TWIN in found else name: path for name, path in found.items()
        }
        self._extra = tuple(extra)
        self.default = default
        self.resolve()
        self._computing = computing
        self._hints = hints
        self._known = self.files()
        self._loaded: dict[str, Model] = {}
        self._loading = Lock()

    @property
    def names(self) -> list[str]:
        """What a model can be asked for by, in order."""
        both = (name.removesuffix(_PLAIN) for name in self._paths)
        return sorted({*self._paths, *both})

    def path(self, name: str = "") -> Path:
        """The file of the model that `name` asks for.

        Raises:
            UnknownModel: there is none of that name.
        """
        return self._paths[self.resolve(name)]

    def resolve(self, name: str = "", depth: Depth = np.uint8) -> str:
        """The full name of the model that `name` asks for; empty asks for the default.

        Args:
            name: of a model, with or without its precision.
            depth: of the samples of the picture that it is for.

        Raises:
            UnknownModel: there is none of that name.
        """
        name = name or self.default
        if name in self._paths:
            return name
        if name + _PLAIN not in self._paths:
            raise UnknownModel("model", repr(name), self._offer())
        integers = depth == np.uint8 and has_integer_dot_products()
        return name + (_TWIN if integers and name + _TWIN in self._paths else _PLAIN)

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
        return sha256_of(self.path())[:16]

    def files(self) -> dict[Path, tuple[int, int, int]]:
        """What identifies the content of each file that there is now."""
        found = [_find(source) for source in (BUNDLED, *self._extra)]
        return {
            path: (status.st_ino, status.st_mtime_ns, status.st_size)
            for paths in found
            for path in paths.values()
            if (status := _status(path))
        }

    @property
    def is_current(self) -> bool:
        """Whether the files are still those that this catalogue was made of."""
        return self.files() == self._known

    def successor(self) -> Self:
        """A catalogue of the files as they are now; what has not changed stays loaded.

        Raises:
            InvalidConfig: a path holds no model any more, or two files share a name.
            UnknownModel: the default model is gone.
        """
        new = type(self)(self._extra, self.default, self._computing, self._hints)
        with self._loading:
            for name, model in self._loaded.items():
                path = new._paths.get(name)
                if path and new._known.get(path) == self._known.get(path):
                    new._loaded[name] = model
        return new

    def fall_back(self, name: str, predecessor: Self) -> None:
        """Offers a model as `predecessor` did, or no more if it had not loaded it.

        Raises:
            UnknownModel: it is the default, and is not offered any more.
        """
        self._loaded.pop(name, None)
        if name in predecessor._loaded:
            self._loaded[name] = predecessor._loaded[name]
        else:
            del self._paths[name]
            self.resolve()

    @property
    def unloaded(self) -> list[str]:
        """The models that nobody has asked for yet."""
        return sorted(self._paths.keys() - self._loaded.keys())

    def _read(self, name: str, computing: Computing | None) -> Model:
        path = self._paths[name]
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
        return f"one of: {', '.join(self.names) or '(no models found)'}"


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _find(source: Path) -> dict[str, Path]:
    paths = sorted(source.glob(f"*{SUFFIX}")) if source.is_dir() else [source]
    return {
        path.stem: path
        for path in paths
        # Hidden files may be half written.
        if path.is_file() and path.suffix == SUFFIX and not path.name.startswith(".")
    }
