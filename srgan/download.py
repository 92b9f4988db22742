"""Downloads that can be broken off: resumed where they stopped, checked before they are used."""

import hashlib
import logging
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from tqdm import tqdm

from core.command import UserError

__all__ = ["DownloadError", "RemoteFile", "download"]

logger = logging.getLogger(__name__)
_CHUNK = 1 << 20


class DownloadError(UserError):
    """A file could not be fetched, or is not the one that was expected."""


@dataclass(frozen=True)
class RemoteFile:
    """A file on the web.

    Attributes:
        url: where it is.
        size: bytes.
        sha256: hexadecimal digest.
    """

    url: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """Last part of the address."""
        return self.url.rpartition("/")[2]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(remote: RemoteFile, unfinished: Path, timeout: float) -> None:
    have = unfinished.stat().st_size if unfinished.exists() else 0
    if have >= remote.size:
        return
    request = urllib.request.Request(remote.url, headers={"Range": f"bytes={have}-"})
    with urllib.request.urlopen(request, timeout=timeout) as response:
        resumes = response.status == 206
        with (
            unfinished.open("ab" if resumes else "wb") as file,
            tqdm(
                total=remote.size,
                initial=have if resumes else 0,
                unit="B",
                unit_scale=True,
                desc=remote.name,
                disable=None,
            ) as bar,
        ):
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                bar.update(len(chunk))


def download(
    remote: RemoteFile, path: Path, *, tries: int = 3, timeout: float = 30.0, pause: float = 2.0
) -> None:
    """Fetch a file to ``path``, unless it is there already.

    What has arrived is kept in ``path`` + ``.part`` and continued by the next try, also after the
    program was ended. ``path`` appears only once its size and digest are right.

    Args:
        remote: what to fetch.
        path: where to put it; its folder is made if need be.
        tries: connections to attempt.
        timeout: seconds without data after which a connection counts as broken.
        pause: seconds before the second try; doubled for each further one.

    Raises:
        DownloadError: if the file cannot be had, or is not the one expected.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    logger.info("downloading %s (%.1f MB) to %s", remote.url, remote.size / 1e6, path)
    for attempt in range(1, tries + 1):
        try:
            _fetch(remote, unfinished, timeout)
        except (OSError, HTTPException) as error:
            final = isinstance(error, urllib.error.HTTPError) and error.code in (401, 403, 404, 410)
            if final or attempt == tries:
                raise DownloadError(f"{remote.url} cannot be downloaded: {error}") from error
            logger.info("%s; trying again", error)
            time.sleep(pause * 2 ** (attempt - 1))
            continue
        if unfinished.stat().st_size >= remote.size:
            break
        if attempt == tries:
            raise DownloadError(
                f"{remote.url} broke off after {unfinished.stat().st_size} of {remote.size} bytes; "
                "run the command again to go on from there"
            )
    if unfinished.stat().st_size != remote.size or _digest(unfinished) != remote.sha256:
        unfinished.unlink()
        raise DownloadError(f"{remote.url} is not the file expected: its size or sha256 is wrong")
    unfinished.replace(path)
