"""Where training pictures come from: a data set by name, or any folder."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from core.command import UserError
from core.files import locked
from core.picture_files import SUFFIXES, pictures_below
from srgan.archives import extract
from srgan.download import DownloadError, RemoteFile, download
from srgan.pairs import PictureFile, pair_up

__all__ = ["NAMED_SOURCES", "check_outside", "list_pictures", "originals", "training_pictures"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Archive:
    """A zip or tar on the web that holds a folder of pictures.

    Attributes:
        remote: the archive.
        folder: the folder's name, in the archive and on disk.
        pictures: how many there are in it.
    """

    remote: RemoteFile
    folder: str
    pictures: int


NAMED_SOURCES: Mapping[str, _Archive] = MappingProxyType(
    {
        # Agustsson and Timofte 2017; for academic research.
        "div2k": _Archive(
            RemoteFile(
                "https://data.vision.ee.ethz.ch/cvl/DIV2K/DIV2K_train_HR.zip",
                3_530_603_713,
                "9d0b9c463f6e35b6c62cc6a930ee2224f670b34c1df841a57670f9acf0f6c335",
            ),
            "DIV2K_train_HR",
            800,
        ),
        # Lim et al. 2017; about 20 GB, half of which are low-resolution twins that are not used.
        # Its authors published no checksum. This MD5 is the one that other projects hold it to
        # (torchSR, leverxgroup/esrgan); that it is right was not tried here.
        "flickr2k": _Archive(
            RemoteFile(
                "https://cv.snu.ac.kr/research/EDSR/Flickr2K.tar",
                None,
                "5d3f39443d5e9489bff8963f8f26cb03",
                "md5",
            ),
            "Flickr2K_HR",
            2650,
        ),
    }
)


def originals(folder: Path) -> Path:
    """Return where a folder's pictures lie: in ``HR`` inside it, or where there is none, in it."""
    large = folder / "HR"
    return large if large.is_dir() else folder


def list_pictures(folder: Path) -> list[Path]:
    """Return the picture files in a folder and below it, by name.

    Raises:
        UserError: if there are none.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder")
    found = pictures_below(folder)
    if not found:
        raise UserError(f"{folder} holds no pictures ({', '.join(sorted(SUFFIXES))})")
    return found


def _places(source: _Archive, data_dir: Path) -> list[Path]:
    """Return where pictures may lie: by themselves, or where unpacking by hand leaves them."""
    return [
        data_dir / source.folder,
        data_dir / source.folder.partition("_")[0] / source.folder,  # Flickr2K/Flickr2K_HR
    ]


def _present(name: str, data_dir: Path) -> list[Path]:
    """Return the pictures of a named data set; none where it is still to be fetched."""
    source = NAMED_SOURCES[name]
    for place in _places(source, data_dir):
        found = pictures_below(place)
        if len(found) >= source.pictures:
            return found
        if found:
            raise UserError(
                f"{place} holds {len(found)} pictures, {name} has {source.pictures}: complete it, "
                "or remove it to have it fetched"
            )
    return []


def _fetch(name: str, data_dir: Path) -> None:
    source = NAMED_SOURCES[name]
    place, archive = _places(source, data_dir)[0], data_dir / source.remote.name
    try:
        download(source.remote, archive)
    except (DownloadError, OSError) as error:
        raise UserError(
            f"{name} is not in {place} and could not be fetched: {error}. Put the "
            f"{source.pictures} pictures of {source.folder} into {place}, or "
            f"{source.remote.name} itself beside it; or train on pictures of your own, which "
            "needs no download: --data FOLDER"
        ) from error
    logger.info("unpacking %s; it can be removed afterwards", archive)
    extract(
        archive,
        place,
        lambda path: path.parent.name == source.folder and path.suffix.lower() in SUFFIXES,
        source.pictures,
    )


def _named(name: str, data_dir: Path) -> list[Path]:
    found = _present(name, data_dir)
    if not found:
        with locked(data_dir):
            # Another process may have fetched it while this one waited.
            if not _present(name, data_dir):
                _fetch(name, data_dir)
        found = _present(name, data_dir)
    return found


def check_outside(out: Path, data: str) -> None:
    """Refuse a place whose pictures would be taken for data the next time.

    Args:
        out: folder that is to be written to.
        data: as for :func:`training_pictures`.

    Raises:
        UserError: if ``out`` lies where pictures are looked for.
    """
    for part in data.split(","):
        if not part or part in NAMED_SOURCES:
            continue
        if out.resolve().is_relative_to(originals(Path(part)).resolve()):
            raise UserError(
                f"--out {out} is inside --data {part}, and pictures that it gets would be taken "
                "for data: name a folder elsewhere"
            )


def _folder(folder: Path, scale: int) -> list[PictureFile]:
    """Return a folder's pictures: with their twins where it has HR/ and LRx4/ (by scale) inside."""
    large = originals(folder)
    if large == folder:
        return [PictureFile(path) for path in list_pictures(folder)]
    small = folder / f"LRx{scale}"
    if not small.is_dir():
        raise UserError(
            f"{folder} holds HR but no {small.name}; name {large} itself to train on what is "
            "reduced from it"
        )
    return pair_up(list_pictures(large), large, list_pictures(small), small, scale)


def training_pictures(data: str, data_dir: Path, scale: int) -> list[PictureFile]:
    """Return the files to train on.

    Args:
        data: ``div2k``, ``flickr2k`` and folders of pictures, separated by commas. Where a folder
            holds ``HR`` and ``LRx4`` (by scale), pictures come with their twins.
        data_dir: where named data sets lie, and are downloaded to.
        scale: output side over input side.

    A picture that is met twice, by way of a link or of another name for its folder, is taken once,
    with a warning, as it was met first.

    Raises:
        UserError: if a name is unknown or empty, its data cannot be had, or a picture has no twin.
    """
    pictures: list[PictureFile] = []
    for part in data.split(","):
        if not part:
            raise UserError(f"--data {data!r} names a folder without a name; . is the present one")
        if part in NAMED_SOURCES:
            pictures += [PictureFile(path) for path in _named(part, data_dir)]
        elif Path(part).is_dir():
            pictures += _folder(Path(part), scale)
        else:
            raise UserError(
                f"--data must be {', '.join(NAMED_SOURCES)} or a folder; {part!r} is neither"
            )
    return _once(pictures)


def _once(pictures: Sequence[PictureFile]) -> list[PictureFile]:
    first: dict[Path, PictureFile] = {}
    for picture in pictures:
        first.setdefault(picture.hr.resolve(), picture)
    if len(first) < len(pictures):
        logger.warning("--data has %d pictures twice: once is enough", len(pictures) - len(first))
    return list(first.values())
