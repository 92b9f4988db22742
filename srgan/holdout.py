"""Pictures kept from training: which they are, and that they stay so while a run goes on."""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.command import UserError
from core.files import appearing
from srgan.pairs import PictureFile

__all__ = ["Division", "hold_out"]

logger = logging.getLogger(__name__)

_Parts = tuple[Sequence[PictureFile], Sequence[PictureFile]]


def _lot(file: PictureFile) -> list[str]:
    """Return what puts pictures in an order by chance: of its name, then of its folders' names."""
    parts = reversed(file.hr.resolve().parts)
    return [hashlib.sha256(os.fsencode(part)).hexdigest() for part in parts]


def hold_out(pictures: Sequence[PictureFile], count: int) -> _Parts:
    """Divide pictures into those to train on and ``count`` others, drawn by a hash of their names.

    So a picture that joins or leaves a collection moves at most itself and one other, and it does
    not matter where the collection lies.

    Where only some bring a low-resolution twin, the others are the ones that are held out: a score
    over both kinds would mean nothing, and pairs of a teacher's that join a collection leave it
    with the same pictures held out.

    Raises:
        UserError: if more than half would be held out.
    """
    eligible = [p for p in pictures if p.lr is None] or pictures
    if count * 2 > len(eligible):
        raise UserError(
            f"--holdout {count} would take more than half of the {len(eligible)} pictures"
        )
    return _divided(pictures, set(sorted(eligible, key=_lot)[:count]))


def _divided(pictures: Sequence[PictureFile], held_out: set[PictureFile]) -> _Parts:
    return (
        [picture for picture in pictures if picture not in held_out],
        [picture for picture in pictures if picture in held_out],
    )


@dataclass(frozen=True)
class Division:
    """What a run trains on and what it holds out, so that it goes on with the same.

    Attributes:
        training: paths of the pictures, those below ``data_dir`` as seen from there.
        held_out: likewise.
    """

    training: frozenset[str]
    held_out: frozenset[str]

    @classmethod
    def of(
        cls, training: Iterable[PictureFile], held_out: Iterable[PictureFile], data_dir: Path
    ) -> "Division":
        """Return the division into these two parts."""
        return cls(
            *(frozenset(_path(file, data_dir) for file in part) for part in (training, held_out))
        )

    @classmethod
    def load(cls, path: Path) -> "Division | None":
        """Read what :meth:`save` wrote; None, with a warning, where it is not there."""
        if not path.exists():
            logger.warning("%s is missing: which pictures to hold out is drawn anew", path)
            return None
        kept = json.loads(path.read_text())
        return cls(frozenset(kept["training"]), frozenset(kept["held_out"]))

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        parts = {"training": sorted(self.training), "held_out": sorted(self.held_out)}
        with appearing(path) as temporary:
            temporary.write_text(json.dumps(parts, indent=1) + "\n")

    def divide(self, pictures: Sequence[PictureFile], data_dir: Path) -> _Parts:
        """Divide pictures likewise; what is new is trained on."""
        return _divided(pictures, {p for p in pictures if _path(p, data_dir) in self.held_out})

    def require(self, now: "Division") -> None:
        """See that a collection is still the same.

        Raises:
            UserError: if pictures have joined or gone.
        """
        before, after = self.training | self.held_out, now.training | now.held_out
        gone, new = sorted(before - after), sorted(after - before)
        if gone or new:
            raise UserError(
                f"--data is not what it was when the run began: {len(gone)} pictures are gone and "
                f"{len(new)} are new, such as {(gone or new)[0]}; make it so again, or begin a new "
                "run, from the old weights with --init"
            )


def _path(file: PictureFile, data_dir: Path) -> str:
    path = file.hr
    return (path.relative_to(data_dir) if path.is_relative_to(data_dir) else path).as_posix()
