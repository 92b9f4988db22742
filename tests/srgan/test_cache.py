"""Decoded pairs on disk: equal to the direct computation, renewed when needed, never half-made."""

import logging
import os
import resource
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
import torch
from PIL import Image

from core.command import UserError
from core.files import locked
from core.parallel import WORKERS
from core.picture_files import Pixels, read_rgb
from srgan import cache
from srgan.cache import open_cache
from srgan.pairs import PictureFile, reduced
from srgan.patches import PatchSampler
from srgan.resize import imresize_uint8
from tests.programs import start
from tests.srgan.pictures import files, picture, planes


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "pictures"
    sizes = [(24, 32), (41, 30), (17, 19)]
    folder.mkdir()
    made = []
    for index, (height, width) in enumerate(sizes):
        made.append(folder / f"{index}.png")
        Image.fromarray(picture(height, width, seed=index)).save(made[-1])
    return made


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def caches(store: Path) -> list[Path]:
    """What is in there, finished or not."""
    return [path for path in store.iterdir() if path.name != ".lock"]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were decoded."""
    names: list[str] = []
    original = read_rgb

    def watched(path: Path) -> Pixels:
        names.append(path.name)
        return original(path)

    monkeypatch.setattr(cache, "read_rgb", watched)
    return names


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_pairs_are_what_direct_computation_gives(
    scale: int, paths: list[Path], store: Path
) -> None:
    pairs = open_cache(store, files(paths), scale)
    assert pairs.scale == scale
    assert len(pairs) == len(pairs.hr) == len(pairs.lr) == 3
    for path, hr, lr in zip(paths, pairs.hr, pairs.lr, strict=True):
        whole = read_rgb(path)
        height, width = (side // scale * scale for side in whole.shape[:2])
        np.testing.assert_array_equal(hr, whole[:height, :width])
        wanted = imresize_uint8(planes(whole[:height, :width]), 1 / scale)
        assert torch.equal(planes(lr), wanted)


def test_a_picture_that_brings_its_twin_keeps_it(paths: list[Path], store: Path) -> None:
    twins = [path.with_name(f"twin{index}.png") for index, path in enumerate(paths[:2])]
    for twin, size in zip(twins, [(12, 16), (20, 15)], strict=True):
        Image.fromarray(picture(*size, seed=50)).save(twin)
    pairs = open_cache(
        store,
        [PictureFile(paths[0], twins[0]), PictureFile(paths[1], twins[1]), *files(paths[2:])],
        2,
    )
    np.testing.assert_array_equal(pairs.lr[0], picture(12, 16, seed=50))
    np.testing.assert_array_equal(pairs.lr[1], picture(20, 15, seed=50))
    np.testing.assert_array_equal(pairs.hr[1], picture(41, 30, seed=1)[:40])
    wanted = imresize_uint8(planes(picture(17, 19, seed=2)[:16, :18]), 0.5)
    assert torch.equal(planes(pairs.lr[2]), wanted)


def test_a_picture_is_reduced_before_its_twin_is_made(paths: list[Path], store: Path) -> None:
    whole = open_cache(store, files(paths), 2)
    both = [*files(paths), *(PictureFile(path, size=0.5) for path in paths)]
    pairs = open_cache(store, both, 2, smallest_side=6)
    assert list(pairs.files) == both[:5]
    for large, again in zip(whole.hr, pairs.hr, strict=False):
        np.testing.assert_array_equal(again, large)
    smaller = imresize_uint8(planes(read_rgb(paths[1])), 0.5)[:, :20, :14]
    assert torch.equal(planes(pairs.hr[4]), smaller)
    assert torch.equal(planes(pairs.lr[4]), imresize_uint8(smaller, 0.5))


def test_a_changed_twin_renews_the_cache(paths: list[Path], store: Path) -> None:
    twin = paths[0].with_name("twin.png")
    for seed in (50, 51):
        Image.fromarray(picture(12, 16, seed=seed)).save(twin)
        os.utime(twin, ns=(seed, seed))
        pairs = open_cache(store, [PictureFile(paths[0], twin)], 2)
        np.testing.assert_array_equal(pairs.lr[0], picture(12, 16, seed=seed))


@pytest.mark.parametrize("size", [(12, 15), (24, 32), (11, 16)])
def test_a_twin_of_the_wrong_size_is_named_and_nothing_is_kept(
    size: tuple[int, int], paths: list[Path], store: Path
) -> None:
    twin = paths[0].with_name("twin.png")
    Image.fromarray(picture(*size)).save(twin)
    sentence = f"twin.png is {size[1]}x{size[0]}; as the twin of {paths[0]} .* must be 16x12"
    with pytest.raises(UserError, match=sentence):
        open_cache(store, [PictureFile(paths[0], twin)], 2)
    assert caches(store) == []


def test_an_old_cache_is_used_without_decoding(
    paths: list[Path], store: Path, decoded: list[str]
) -> None:
    first = open_cache(store, files(paths), 2)
    assert sorted(decoded) == ["0.png", "1.png", "2.png"]
    decoded.clear()
    second = open_cache(store, files(paths), 2)
    assert decoded == []
    for old, new in zip((*first.hr, *first.lr), (*second.hr, *second.lr), strict=True):
        np.testing.assert_array_equal(old, new)


def test_it_is_renewed_when_a_file_changes(
    paths: list[Path], store: Path, decoded: list[str]
) -> None:
    open_cache(store, files(paths), 2)
    content = paths[1].read_bytes()
    Image.fromarray(picture(24, 20, seed=9)).save(paths[1])
    assert open_cache(store, files(paths), 2).hr[1].shape == (24, 20, 3)
    assert len(decoded) == 6
    # the same size and content, but written at another time
    paths[1].write_bytes(content)
    os.utime(paths[1], ns=(1, 1))
    assert open_cache(store, files(paths), 2).hr[1].shape == (40, 30, 3)
    assert len(decoded) == 9


def test_a_choice_of_pictures_and_another_smallest_side_take_no_room_of_their_own(
    paths: list[Path], store: Path, decoded: list[str]
) -> None:
    whole = open_cache(store, files(paths), 2)
    assert len(open_cache(store, files(paths), 2, smallest_side=12)) == 2
    chosen = open_cache(store, files(paths), 2, 8, files([paths[2], paths[0]]))
    for got, wanted in zip((*chosen.hr, *chosen.lr), (*whole.hr[::-2], *whole.lr[::-2]),
                           strict=True):  # fmt: skip
        np.testing.assert_array_equal(got, wanted)
    assert len(decoded) == 3
    assert len(caches(store)) == 1


def test_scale_and_files_have_caches_of_their_own(paths: list[Path], store: Path) -> None:
    assert open_cache(store, files(paths), 2).scale == 2
    assert open_cache(store, files(paths), 4).scale == 4
    assert len(open_cache(store, files(paths[:1]), 2)) == 1
    assert len(caches(store)) == 3


def test_patches_of_chosen_pictures_are_those_of_the_pictures_alone(
    paths: list[Path], store: Path
) -> None:
    part = [paths[0], paths[2]]
    among_others, alone = (
        PatchSampler(open_cache(store, files(these), 2, 8, files(part)), 16, 8, seed=3).batch(5)
        for these in (paths, part)
    )
    assert torch.equal(among_others.real, alone.real)
    assert among_others.cond is not None
    assert alone.cond is not None
    assert torch.equal(among_others.cond, alone.cond)


def test_pictures_that_cannot_be_used_are_left_out_with_a_warning(
    paths: list[Path], store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    foreign, truncated = (paths[0].with_name(name) for name in ("foreign.png", "truncated.png"))
    foreign.write_text("not a picture")
    truncated.write_bytes(paths[1].read_bytes()[:900])
    with caplog.at_level(logging.WARNING):
        pairs = open_cache(store, files([foreign, *paths, truncated]), 2, smallest_side=10)
    assert [hr.shape[:2] for hr in pairs.hr] == [(24, 32), (40, 30)]
    warned = " ".join(caplog.messages)
    for name in ("foreign.png", "truncated.png", "2.png is smaller"):
        assert name in warned


def test_a_picture_of_which_no_pixel_remains_is_left_out_with_a_warning(
    paths: list[Path], store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tiny = paths[0].with_name("tiny.png")
    Image.fromarray(picture(3, 3)).save(tiny)
    with caplog.at_level(logging.WARNING):
        assert len(open_cache(store, files([tiny, *paths]), 4)) == 3
    assert "tiny.png must have at least 4 pixels a side, and is 3x3" in caplog.text


def test_a_file_that_was_mended_is_missed_until_the_cache_is_removed(
    paths: list[Path], store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths[0].write_text("not a picture")
    for _ in range(2):
        with caplog.at_level(logging.WARNING):
            assert len(open_cache(store, files(paths), 2)) == 2
    first, second = (message for message in caplog.messages if "left out" in message)
    assert "0.png cannot be read" in first
    assert second.endswith(f"0.png could not be used; if that is mended, remove {caches(store)[0]}")


def test_what_becomes_too_small_is_counted_by_its_size(
    paths: list[Path], store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths[1].write_text("not a picture")
    every = [*files(paths), *reduced(files(paths), (0.5,))]
    with caplog.at_level(logging.WARNING):
        pairs = open_cache(store, every, 2, smallest_side=5)
    assert [(file.hr.name, file.size) for file in pairs.files] == [
        ("0.png", 1.0), ("2.png", 1.0), ("0.png", 0.5),
    ]  # fmt: skip
    of_broken, of_small = caplog.messages
    assert "1.png cannot be read" in of_broken
    assert of_small.startswith("at 0.5 of their size 2 of 3 pictures are smaller")


def test_a_size_at_which_nothing_can_be_used_is_refused(paths: list[Path], store: Path) -> None:
    every = [*files(paths), *reduced(files(paths), (0.5, 0.1))]
    with pytest.raises(UserError, match=r"none of 3 pictures at 0\.1 of its size has 8"):
        open_cache(store, every, 2, smallest_side=4)


def test_a_set_without_any_usable_picture_is_an_error_that_reaches_the_user(
    paths: list[Path], store: Path
) -> None:
    with pytest.raises(UserError, match="none of the 3 files is a picture of at least 400 pixels"):
        open_cache(store, files(paths), 4, smallest_side=100)


def test_nothing_half_written_is_left_or_used_after_a_failure(
    paths: list[Path], store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = read_rgb

    def interrupted(path: Path) -> Pixels:
        if path.name == "2.png":
            raise KeyboardInterrupt
        return original(path)

    with monkeypatch.context() as patch:
        patch.setattr(cache, "read_rgb", interrupted)
        with pytest.raises(KeyboardInterrupt):
            open_cache(store, files(paths), 2)
    assert caches(store) == []
    assert len(open_cache(store, files(paths), 2)) == 3


@pytest.mark.parametrize("name", ["hr.bin", "lr.bin", "index.json"])
def test_a_cache_of_which_a_part_is_missing_is_made_anew(
    name: str, paths: list[Path], store: Path
) -> None:
    wanted = [hr.copy() for hr in open_cache(store, files(paths), 2).hr]
    (folder,) = caches(store)
    os.truncate(folder / name, 50)
    for got, hr in zip(open_cache(store, files(paths), 2).hr, wanted, strict=True):
        np.testing.assert_array_equal(got, hr)
    assert caches(store) == [folder]


KILLED = """
import os, signal, sys
from pathlib import Path
from srgan import cache
from srgan.pairs import PictureFile
cache.read_rgb = lambda _path: os.kill(os.getpid(), signal.SIGKILL)
cache.open_cache(Path(sys.argv[1]), [PictureFile(Path(sys.argv[2]))], 2)
"""


def test_what_a_killed_process_left_is_removed(paths: list[Path], store: Path) -> None:
    with start("-c", KILLED, store, paths[0]) as killed:
        assert killed.wait(60) == -signal.SIGKILL
    assert len(caches(store)) == 1
    open_cache(store, files(paths), 2)
    (folder,) = caches(store)
    assert folder.suffix == ""


def test_a_full_disk_is_told_by_the_cache_that_had_no_room(paths: list[Path], store: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as refusal:
            open_cache(store, files(paths), 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert refusal.value.filename.startswith(str(store))
    assert caches(store) == []


def test_few_pictures_are_decoded_ahead_of_a_slow_disk(
    paths: list[Path], store: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0
    ahead: list[int] = []

    def slow(pixels: Pixels) -> Pixels:
        nonlocal written
        time.sleep(0.01)
        ahead.append(len(decoded) - written // 2)
        written += 1
        return pixels.copy()

    monkeypatch.setattr("srgan.cache.np.ascontiguousarray", slow)
    links = [paths[0].with_name(f"link{index}.png") for index in range(40)]
    for link in links:
        link.symlink_to(paths[2])
    open_cache(store, files(links), 2)
    assert max(ahead) <= 2 * WORKERS


def test_two_that_want_the_same_at_once_decode_it_once(
    paths: list[Path], store: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    both_began = Barrier(2)

    def together(folder: Path) -> AbstractContextManager[None]:
        both_began.wait(10)
        return locked(folder)

    monkeypatch.setattr("srgan.cache.locked", together)
    with ThreadPoolExecutor(2) as pool:
        opened = list(pool.map(lambda _: open_cache(store, files(paths), 2), range(2)))
    assert [len(pairs) for pairs in opened] == [3, 3]
    assert len(decoded) == 3
    assert len(caches(store)) == 1
