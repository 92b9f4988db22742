import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from protos.generate import ROOT, generate

GENERATED = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")


def test_the_committed_modules_are_what_the_sources_give(tmp_path: Path) -> None:
    generate(tmp_path)
    fresh = {path.relative_to(tmp_path): path for path in tmp_path.rglob("*") if path.is_file()}
    assert len(fresh) == len(GENERATED) * len([*ROOT.glob("protos/**/*.proto")])
    for name, path in fresh.items():
        assert path.read_bytes() == (ROOT / name).read_bytes(), (
            f"run python -m protos.generate: {name}"
        )


def test_the_sources_pass_buf_lint() -> None:
    assert buf("lint", ROOT / "protos") == ""


def test_the_callers_of_the_last_release_are_not_broken(tmp_path: Path) -> None:
    tags = git("tag", "--list", "v*", "--merged", "HEAD", "--sort=-version:refname").split()
    if not tags:
        pytest.skip("nothing has been released")
    archive = tmp_path / "released.tar"
    git("archive", f"--output={archive}", tags[0], "protos")
    shutil.unpack_archive(archive, tmp_path, filter="data")
    assert buf("breaking", ROOT / "protos", "--against", tmp_path / "protos") == ""


def test_a_field_that_went_would_be_noticed(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "protos", tmp_path / "protos")
    (source,) = (tmp_path / "protos").rglob("upscaler.proto")
    whole = source.read_text("utf-8")
    source.write_text(whole.replace("  bytes image = 1;\n", "", 1), "utf-8")
    assert "deleted" in buf("breaking", tmp_path / "protos", "--against", ROOT / "protos")


def buf(command: str, folder: Path, *options: str | Path) -> str:
    """What buf complains of."""
    program = Path(sysconfig.get_path("scripts")) / "buf"
    result = subprocess.run(
        [program, command, *options], cwd=folder, capture_output=True, text=True, check=False
    )
    return result.stdout + result.stderr


def git(*arguments: str) -> str:
    """What git answers; nothing where there is no repository."""
    result = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return result.stdout
