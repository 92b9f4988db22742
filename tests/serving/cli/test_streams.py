"""Pictures that come and go through pipes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tests.programs import ENVIRONMENT, ROOT
from tests.serving.files import checker, enlarged, read, write, write_png


def pipe(
    address: str, picture: bytes, *arguments: str | Path
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "serving.cli", *map(str, arguments), "--server", address]
    return subprocess.run(
        command, cwd=ROOT, env=ENVIRONMENT, input=picture, capture_output=True, check=False
    )


def test_what_comes_in_goes_out_larger_and_in_its_format(address: str) -> None:
    done = pipe(address, write_png(checker(3)), "-")
    assert np.array_equal(read(done.stdout), enlarged(checker(3)))
    assert done.stderr.startswith(b"-: 36x24 by nearest in ")


def test_one_end_may_be_a_file(address: str, photo: Path) -> None:
    target = photo.with_name("out.webp")
    assert pipe(address, photo.read_bytes(), "-", "-o", target, "--json").returncode == 0
    assert Image.open(target).format == "WEBP"
    assert pipe(address, b"", photo, "-o", "-", "--format", "jpg").stdout.startswith(b"\xff\xd8")


def test_what_is_no_picture_is_one_sentence_and_nothing_goes_out(address: str) -> None:
    picture = write(Image.new("RGB", (90, 90)), "BMP")
    for broken in (b"text", picture[:9000]):
        failed = pipe(address, broken, "-")
        assert (failed.returncode, failed.stdout) == (2, b"")
        assert failed.stderr.startswith(b"upscale: error: -: image is ")
