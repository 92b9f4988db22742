"""Downloads that can be broken off: resumed where they stopped, checked before they are used."""

import hashlib
import logging
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import Literal

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
        size: bytes; None where it is not known before the server tells it.
        digest: hexadecimal.
        algorithm: of the digest, by hashlib's name. MD5 finds accidents, not attacks: it is for
            files of which nothing better was ever published.
    """

    url: str
    size: int | None
    digest: str
    algorithm: Literal["sha256", "md5"] = "sha256"

    @property
    def name(self) -> str:
        """Last part of the address."""
        return self.url.rpartition("/")[2]


def _is_expected(path: Path, remote: RemoteFile) -> bool:
    if remote.size is not None and path.stat().st_size != remote.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, remote.algorithm).hexdigest() == remote.digest


def _told_size(headers: Message) -> int | None:
    """Return the size of the whole file by an answer's headers, if they tell it."""
    # a part says "bytes 7-99/100" (RFC 9110, section 14.4)
    told = (headers["Content-Range"] or headers["Content-Length"] or "").rpartition("/")[2]
    return int(told) if told.isdigit() else None


def _fetch(remote: RemoteFile, unfinished: Path, timeout: float) -> int:
    """Add what is missing to ``unfinished``; return the size that it must then have."""
    have = unfinished.stat().st_size if unfinished.exists() else 0
    if remote.size is not None and have >= remote.size:
        return remote.size
    request = urllib.request.Request(remote.url, headers={"Range": f"bytes={have}-"})
    try:
        response = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:
            return have  # there is nothing after that; the digest tells whether it is the file
        raise
    with response:
        resumes = response.status == 206
        total = remote.size or _told_size(response.headers)
        with (
            unfinished.open("ab" if resumes else "wb") as file,
            tqdm(
                total=total,
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
    return unfinished.stat().st_size if total is None else total


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
    logger.info("downloading %s to %s", remote.url, path)
    for attempt in range(1, tries + 1):
        try:
            total = _fetch(remote, unfinished, timeout)
        except (OSError, HTTPException) as error:
            final = isinstance(error, urllib.error.HTTPError) and error.code in (401, 403, 404, 410)
            if final or attempt == tries:
                raise DownloadError(f"{remote.url} cannot be downloaded: {error}") from error
            logger.info("%s; trying again", error)
            time.sleep(pause * 2 ** (attempt - 1))
            continue
        if unfinished.stat().st_size >= total:
            break
        if attempt == tries:
            raise DownloadError(
                f"{remote.url} broke off after {unfinished.stat().st_size} of {total} bytes; "
                "run the command again to go on from there"
            )
    if not _is_expected(unfinished, remote):
        unfinished.unlink()
        raise DownloadError(
            f"{remote.url} is not the file expected: its size or {remote.algorithm} is wrong"
        )
    unfinished.replace(path)
