"""Which models there are: those that ship with the package, and those an operator adds."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np

from serving.digest import sha256_of
from serving.errors import InvalidConfig, InvalidModel, UnknownModel
from serving.folders import Contents, contents, model_files
from serving.hints import Hints
from serving.model import SUFFIX, Model, Precision, load_model
from serving.names import FIRST, ModelName
from serving.pixels import Depth
from serving.processor import has_integer_dot_products
from serving.residency import Known, OpenModels
from serving.session import Computing

_PLAIN = f"-{Precision.FP32.value}"
_TWIN = f"-{Precision.INT8.value}"

BUNDLED = Path(__file__).parent / "models"
DEFAULT_MODEL = "x4-fast"


class Catalog:
    """Models by name and version, each opened when it is first asked for.

    A model's name is its file's, less the suffix: what the metadata calls it, optionally followed
    by its precision (``x4-fast.onnx``, ``x4-fast-int8.onnx``). Where a file has an 8-bit twin, the
    name alone means whichever is better here: the twin for pictures of 8 bits on processors with
    instructions for that, else the file itself, whose own name then ends in ``-fp32``.

    At the end of a name may be a version (``x4-fast@2.onnx``); a file without has version 1. A name
    without asks for the newest that there is. A file tells its version by its name, so that it can
    be known, and chosen, without being opened, and a newer one is put in place by one rename.

    Attributes:
        default: the model of those who name none.

    Args:
        extra: model files, or folders of them, offered beside the bundled models.
        default: the model of those who name none.
        computing: how models are run.
        hints: what is known of those among `extra` that do not describe themselves.
        memory_mib: where the process has more, models that nobody uses are closed; None keeps all.

    Raises:
        InvalidConfig: a path is neither a folder nor a model file, or two files share a name.
        UnknownModel: there is no model called `default`.
    """

    def __init__(
        self,
        extra: Sequence[Path] = (),
        default: str = DEFAULT_MODEL,
        computing: Computing | None = None,
        hints: Hints | None = None,
        memory_mib: int | None = None,
    ) -> None:
        found: dict[ModelName, Path] = {}
        for source in (BUNDLED, *extra):
            paths = model_files(source)
            if not (paths or source.is_dir()):  # A folder may be filled later.
                raise InvalidConfig("models", f"{str(source)!r}", f"a {SUFFIX} file, or a folder")
            for path in paths:
                name = ModelName.of_file(path)
                if name in found:
                    raise InvalidConfig(
                        "models", f"{str(path)!r}", f"another name than {found[name]} has"
                    )
                found[name] = path
        self._paths = {
            replace(name, stem=name.stem + _PLAIN)
            if replace(name, stem=name.stem + _TWIN) in found
            else name: path
            for name, path in found.items()
        }
        self._extra = tuple(extra)
        self.default = default
        self.resolve()
        self._computing = computing
        self._hints = hints
        self._known = self.files()
        self._refused: set[Path] = set()
        self._memory_mib = memory_mib
        self._open = OpenModels(memory_mib)

    @property
    def names(self) -> list[str]:
        """What a model can be asked for by, in order."""
        stems = {
            stem for name in self._paths for stem in (name.stem, name.stem.removesuffix(_PLAIN))
        }
        versioned = {
            str(ModelName(stem, version))
            for stem in stems
            if self._has_several(stem)
            for version in self._versions(stem)
        }
        return sorted(stems | versioned)

    def path(self, name: str = "") -> Path:
        """The file of the model that `name` asks for.

        Raises:
            UnknownModel: there is none of that name.
        """
        return self._paths[self._resolve(name)]

    def resolve(self, name: str = "", depth: Depth = np.uint8) -> str:
        """The full name of the model that `name` asks for; empty asks for the default.

        Args:
            name: of a model, with or without its precision and its version.
            depth: of the samples of the picture that it is for.

        Returns:
            The name with its precision, and with its version where there are several.

        Raises:
            UnknownModel: there is none of that name.
        """
        full = self._resolve(name, depth)
        stems = (full.stem, full.stem.removesuffix(_PLAIN))
        return str(full) if any(map(self._has_several, stems)) else full.stem

    def load(self, name: str = "", depth: Depth = np.uint8) -> Model:
        """The model that `name` asks for, ready to run; arguments as :meth:`resolve`.

        Raises:
            UnknownModel: there is none of that name.
            InvalidModel: its file cannot be served.
        """
        return self.open(self._paths[self._resolve(name, depth)])

    def known(self, name: str = "") -> Known:
        """What is known of a model since its file was opened; errors as :meth:`load`."""
        path = self.path(name)
        return self._open.known(path, partial(self._read, path, self._computing), self.path())

    def read(self, computing: Computing) -> Model:
        """The default model, opened anew and run in another way than the catalog's.

        Raises:
            InvalidModel: its file cannot be served.
        """
        return self._read(self.path(), computing)

    def digest(self) -> str:
        """A number that tells the default model's file from others."""
        return sha256_of(self.path())[:16]

    def files(self) -> Contents:
        """What identifies the content of each file that there is now."""
        return contents(BUNDLED, *self._extra)

    @property
    def is_current(self) -> bool:
        """Whether the files are still those that this catalogue was made of."""
        return self.files() == self._known

    def successor(self) -> Self:
        """A catalogue of the files as they are now; what has not changed stays loaded.

        Those that were refused count as never opened: what was wrong may not be in the file.

        Raises:
            InvalidConfig: a path is gone, or two files share a name.
            UnknownModel: the default model is gone.
        """
        new = type(self)(self._extra, self.default, self._computing, self._hints, self._memory_mib)
        for path, content in new._known.items():
            if self._known.get(path) == content and path not in self._refused:
                new._open.take_over(path, self._open)
        return new

    def fall_back(self, path: Path, predecessor: Self) -> None:
        """Offers a refused file's model as `predecessor` has it open, or no more if it has not.

        Raises:
            UnknownModel: it is the default, and is not offered any more.
        """
        self._refused.add(path)
        if not self._open.take_over(path, predecessor._open):
            self.leave_out(path)

    @property
    def untried(self) -> list[Path]:
        """The files of the operator's models that have not been opened yet."""
        extra = contents(*self._extra)
        paths = (path for path in self._paths.values() if path in extra)
        return sorted(path for path in paths if not self._open.knows(path))

    def leave_out(self, path: Path) -> None:
        """Offers a file's model no more.

        Raises:
            UnknownModel: it is the default.
        """
        self._paths = {name: other for name, other in self._paths.items() if other != path}
        self._resolve()

    def open(self, path: Path) -> Model:
        """The model of one of the files, ready to run.

        Raises:
            InvalidModel: it cannot be served.
        """
        return self._open.get(path, partial(self._read, path, self._computing), self.path())

    def _versions(self, stem: str) -> list[int]:
        """Those that there are of a name, the newest first."""
        both = (stem, stem + _PLAIN)
        found = {name.version or FIRST for name in self._paths if name.stem in both}
        return sorted(found, reverse=True)

    def _has_several(self, stem: str) -> bool:
        return len(self._versions(stem)) > 1

    def _resolve(self, name: str = "", depth: Depth = np.uint8) -> ModelName:
        asked = ModelName.parse(name or self.default)
        versions = [asked.version] if asked.version else self._versions(asked.stem)
        integers = depth == np.uint8 and has_integer_dot_products()
        for version in versions:
            exact, plain, twin = (
                ModelName(asked.stem + suffix, version) for suffix in ("", _PLAIN, _TWIN)
            )
            if exact in self._paths:
                return exact
            if plain in self._paths:
                return twin if integers and twin in self._paths else plain
        offered = ", ".join(self.names) or "(no models found)"
        raise UnknownModel("model", repr(name or self.default), f"one of: {offered}")

    def _read(self, path: Path, computing: Computing | None) -> Model:
        model = load_model(path, computing, self._hints)
        allowed = (model.info.name, f"{model.info.name}-{model.info.precision.value}")
        stem = ModelName.of_file(path).stem
        if stem not in allowed:
            raise InvalidModel(
                f"name of {path}",
                repr(stem),
                f"what its metadata says: {' or '.join(allowed)}",
            )
        return model
