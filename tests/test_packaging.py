"""What is built and handed out: complete, the same bytes each time, and documented."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.programs import ENVIRONMENT, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = ("core", "srgan", "serving", "protos", "tools")


def build(out: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(out)]
    environment = ENVIRONMENT | {"SOURCE_DATE_EPOCH": "1700000000"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("built"))


def wheel_names(built: Path) -> set[str]:
    (wheel,) = built.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def tracked(*folders: str) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a repository")
    return {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}


@pytest.mark.slow
def test_two_builds_have_the_same_bytes(built: Path, tmp_path: Path) -> None:
    again = build(tmp_path)
    names = sorted(path.name for path in built.iterdir())
    assert [Path(name).suffix for name in names] == [".whl", ".gz"]
    for name in names:
        assert (built / name).read_bytes() == (again / name).read_bytes(), name


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_packages_and_no_others(built: Path) -> None:
    names = {name for name in wheel_names(built) if ".dist-info/" not in name}
    missing = tracked(*PACKAGES) - names
    assert not missing
    assert {name.partition("/")[0] for name in names} == set(PACKAGES)


@pytest.mark.slow
def test_the_wheel_holds_the_licence_and_the_notices(built: Path) -> None:
    licences = {name.rpartition("/")[2] for name in wheel_names(built) if "/licenses/" in name}
    assert licences == {"LICENSE", "THIRD_PARTY_NOTICES.md"}


@pytest.mark.slow
def test_the_sources_hold_every_tracked_file(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert not tracked() - names


@pytest.mark.slow
def test_an_index_would_take_both_files(built: Path) -> None:
    command = [sys.executable, "-m", "twine", "check", "--strict", *map(str, built.iterdir())]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_each_package_promises_its_types() -> None:
    assert all((ROOT / name / "py.typed").is_file() for name in PACKAGES)


def test_what_the_set_up_installs_is_enough_to_release() -> None:
    programs = re.findall(
        r"python -m build|twine(?= check)", (ROOT / "CONTRIBUTING.md").read_text()
    )
    assert programs == ["python -m build", "twine"]
    wanted = PROJECT["optional-dependencies"]["dev"]
    assert {"build", "twine"} <= {re.split(r"[\[<>=]", requirement)[0] for requirement in wanted}


def test_the_notices_name_every_dependency() -> None:
    extras = PROJECT["optional-dependencies"].values()
    wanted = {
        re.split(r"[\[<>=]", requirement)[0]
        for group in (PROJECT["dependencies"], *extras)
        for requirement in group
    }
    rows = re.findall(r"^\| (.+?) \|", (ROOT / "THIRD_PARTY_NOTICES.md").read_text(), re.M)
    named = {name for row in rows for name in row.split(", ")}
    assert sorted(wanted - named - {PROJECT["name"]}) == []  # extras name each other


def test_the_citation_names_the_version() -> None:
    assert f"version: {PROJECT['version']}\n" in (ROOT / "CITATION.cff").read_text()


def test_who_is_cited_has_a_name_of_their_own() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    for work in citation["references"]:
        assert all({"family-names", "given-names"} == set(author) for author in work["authors"])
    (holder,) = citation["authors"]
    assert [holder] == PROJECT["authors"]
    assert holder["name"] in (ROOT / "LICENSE").read_text()
