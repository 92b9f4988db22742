"""TIFF files with more samples than colours, and those of the 64-bit kind."""

from io import BytesIO
from typing import Literal

import numpy as np
import pytest
import tifffile

from serving.codec.decode import decode
from serving.codec.tags import alpha_among, read_tags
from serving.pixels import Depth, Pixels
from tests.serving.files import checker, write_tiff


def tiff(pixels: Pixels, colours: int, *extra: str) -> bytes:
    file = BytesIO()
    photometric = "minisblack" if colours == 1 else "rgb"
    tifffile.imwrite(
        file, pixels, photometric=photometric, planarconfig="contig", extrasamples=extra
    )
    return file.getvalue()


def samples(count: int, depth: Depth) -> Pixels:
    """Of `count` channels, which :func:`checker` makes up to 4 of."""
    return np.concatenate([checker(3, depth), checker(4, depth)], axis=2)[:, :, :count]


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize(
    ("extra", "alpha"),
    [
        (["unspecified"], None),
        (["unspecified", "unspecified"], None),
        (["unassalpha", "unspecified"], 0),
        (["unspecified", "unassalpha"], 1),
        (["unspecified", "unspecified", "unassalpha"], 2),
    ],
)
def test_only_the_colours_and_the_declared_alpha_are_kept(
    depth: Depth, colours: int, extra: list[str], alpha: int | None
) -> None:
    pixels = samples(colours + len(extra), depth)
    kept = [*range(colours), *([] if alpha is None else [colours + alpha])]
    decoded = decode(tiff(pixels, colours, *extra), 10**6).strips
    assert decoded.channels == len(kept)
    assert np.array_equal(decoded.whole(), pixels[:, :, kept])


def test_an_extra_sample_of_which_nothing_is_told_is_alpha_if_it_is_alone() -> None:
    untold = write_tiff(checker(1))
    assert alpha_among(untold, 1) == 0
    assert alpha_among(untold, 2) is None


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_tags_that_cannot_be_read_are_none() -> None:
    whole = write_tiff(checker(1))
    assert len(read_tags(whole)) > 0
    assert len(read_tags(whole[:20])) == 0
    assert len(read_tags(b"II\x2b\0")) == 0


@pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True)])
def test_a_turned_file_is_read_upright_whatever_its_kind(
    order: Literal["<", ">"], big: bool
) -> None:
    file = BytesIO()
    turned = [(0x0112, "H", 1, 6, True)]
    tifffile.imwrite(file, checker(3), bigtiff=big, byteorder=order, extratags=turned)
    decoded = decode(file.getvalue(), 10**6).strips
    assert np.array_equal(decoded.whole(), np.rot90(checker(3), -1))
