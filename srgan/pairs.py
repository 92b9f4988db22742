"""Pictures that bring their low-resolution twin, as cameras and published data sets give them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.command import UserError

__all__ = ["PictureFile", "check_sizes", "low_resolution", "pair_up", "reduced"]


@dataclass(frozen=True)
class PictureFile:
    """A picture to train on.

    Attributes:
        hr: the file.
        lr: its low-resolution twin; None where that is to be made from it.
        size: share of its sides that it is reduced to before all else; 1 leaves it alone.
    """

    hr: Path
    lr: Path | None = None
    size: float = 1.0


def pair_up(
    large: Sequence[Path], hr_folder: Path, small: Sequence[Path], lr_folder: Path, scale: int
) -> list[PictureFile]:
    """Pair the files of two folders by name.

    A twin has the same name in the same subfolder, whatever the suffix, or the name with ``x4``
    appended (by scale), as DIV2K has it.

    Args:
        large: files below ``hr_folder``.
        hr_folder: holds the pictures.
        small: files below ``lr_folder``.
        lr_folder: holds their twins.
        scale: side of a picture over that of its twin.

    Raises:
        UserError: if a file has no twin, or more than one.
    """
    twins: dict[Path, Path] = {}
    for path in small:
        name = path.relative_to(lr_folder).with_suffix("")
        if name in twins:
            raise UserError(f"{path} and {twins[name]} are twins of one picture: remove one")
        twins[name] = path
    pairs = []
    for path in large:
        name = path.relative_to(hr_folder).with_suffix("")
        twin = twins.pop(name, None) or twins.pop(name.with_name(f"{name.name}x{scale}"), None)
        if twin is None:
            raise UserError(f"{path} has no low-resolution twin of its own in {lr_folder}")
        pairs.append(PictureFile(path, twin))
    for path in twins.values():
        raise UserError(f"{path} has no high-resolution twin in {hr_folder}")
    return pairs


def check_sizes(file: PictureFile, hr: Sequence[int], lr: Sequence[int], scale: int) -> None:
    """Refuse a twin whose size is not its picture's over ``scale``, rounded down.

    Args:
        file: the pair.
        hr: the picture's height and width, and whatever follows.
        lr: the twin's.
        scale: side of a picture over that of its twin.

    Raises:
        UserError: if they do not go together.
    """
    height, width = hr[0] // scale, hr[1] // scale
    if tuple(lr[:2]) != (height, width):
        raise UserError(
            f"{file.lr} is {lr[1]}x{lr[0]}; as the twin of {file.hr} at scale {scale} it must be "
            f"{width}x{height}"
        )


def low_resolution(files: Sequence[PictureFile], degradation: str) -> str:
    """Return the name of where the files' low-resolution pictures come from.

    That is ``pairs`` where the files bring them, otherwise the degradation, or both, as in
    ``bicubic+pairs``, where some files do and some do not.

    Raises:
        UserError: if a degradation would replace the twins that files bring.
    """
    brought = [file.lr for file in files if file.lr is not None]
    if not brought:
        return degradation
    if degradation != "bicubic":
        raise UserError(
            f"--degradation {degradation} makes its own low-resolution pictures, and "
            f"{brought[0].parent} brings some: name the HR folder beside it to degrade that, or "
            "train on the pairs as they are with --degradation bicubic"
        )
    return "pairs" if len(brought) == len(files) else "bicubic+pairs"


def reduced(files: Sequence[PictureFile], sizes: Sequence[float]) -> list[PictureFile]:
    """Return the files that bring no twin, once for each of ``sizes``, shares of their sides.

    Raises:
        UserError: if there are sizes and no such files.
    """
    alone = [file for file in files if file.lr is None]
    if sizes and not alone:
        raise UserError(
            "--multiscale reduces pictures that bring no low-resolution twin, and --data has none"
        )
    return [replace(file, size=size) for size in sizes for file in alone]
