"""Where training pictures come from: a data set by name, or any folder."""

import logging
import os
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from core.command import UserError
from srgan.download import DownloadError, RemoteFile, download

__all__ = ["NAMED_SOURCES", "list_pictures", "training_pictures"]

logger = logging.getLogger(__name__)

_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True)
class _Archive:
    """A zip on the web that holds one folder of pictures.

    Attributes:
        remote: the zip.
        folder: the folder's name, in the zip and on disk.
        pictures: how many there are in it.
    """

    remote: RemoteFile
    folder: str
    pictures: int


# Agustsson and Timofte 2017; for academic research.
NAMED_SOURCES: Mapping[str, _Archive] = MappingProxyType(
    {
        "div2k": _Archive(
            RemoteFile(
                "https://data.vision.ee.ethz.ch/cvl/DIV2K/DIV2K_train_HR.zip",
                3_530_603_713,
                "9d0b9c463f6e35b6c62cc6a930ee2224f670b34c1df841a57670f9acf0f6c335",
            ),
            "DIV2K_train_HR",
            800,
        ),
    }
)


def _pictures_below(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES and p.is_file())


def list_pictures(folder: Path) -> list[Path]:
    """Return the picture files in a folder and below it, by name.

    Raises:
        UserError: if there are none.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder")
    found = _pictures_below(folder)
    if not found:
        raise UserError(f"{folder} holds no pictures ({', '.join(sorted(_SUFFIXES))})")
    return found


def _extract(archive: Path, folder: Path) -> None:
    """Unpack the pictures of a zip into ``folder``, which appears when all of them are there."""
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        unfinished.mkdir()
        with zipfile.ZipFile(archive) as content:
            for member in content.infolist():
                name = PurePosixPath(member.filename)
                if name.suffix.lower() in _SUFFIXES:
                    with content.open(member) as packed, (unfinished / name.name).open("wb") as out:
                        shutil.copyfileobj(packed, out)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _named(name: str, data_dir: Path) -> list[Path]:
    source = NAMED_SOURCES[name]
    places = [data_dir / source.folder, data_dir / name.upper() / source.folder]
    for place in places:
        found = _pictures_below(place)
        if len(found) >= source.pictures:
            return found
        if found:
            raise UserError(
                f"{place} holds {len(found)} pictures, {name} has {source.pictures}: complete it, "
                "or remove it to have it fetched"
            )
    archive = data_dir / source.remote.name
    try:
        download(source.remote, archive)
    except (DownloadError, OSError) as error:
        raise UserError(
            f"{name} is not in {places[0]} and could not be fetched: {error}. Put the "
            f"{source.pictures} pictures of {source.remote.name} into {places[0]}, or the zip "
            "itself beside it; or train on pictures of your own, which needs no download: "
            "--data FOLDER"
        ) from error
    logger.info("unpacking %s", archive)
    _extract(archive, places[0])
    return list_pictures(places[0])


def training_pictures(data: str, data_dir: Path) -> list[Path]:
    """Return the files to train on.

    Args:
        data: ``div2k``, or folders of pictures separated by commas.
        data_dir: where named data sets lie, and are downloaded to.

    Raises:
        UserError: if a name is unknown, or its data cannot be had.
    """
    pictures: list[Path] = []
    for part in data.split(","):
        if part in NAMED_SOURCES:
            pictures += _named(part, data_dir)
        elif Path(part).is_dir():
            pictures += list_pictures(Path(part))
        else:
            raise UserError(
                f"--data must be {', '.join(NAMED_SOURCES)} or a folder; {part!r} is neither"
            )
    return pictures
