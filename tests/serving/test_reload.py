"""Model files are exchanged under a running server."""

import asyncio
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from serving import reload
from serving.catalog import Catalog
from serving.client import UpscaleFailed, UpscalerClient
from serving.config import ServerConfig
from serving.embedded import embedded_server
from serving.errors import InvalidModel, UnknownModel
from serving.folders import Contents
from serving.model import Model
from serving.pipeline.upscaler import Upscaler
from serving.reload import ModelWatch, renewed, try_all
from tests.serving.files import checker, enlarged, read_png, write_png
from tests.serving.networks import Network

PIXELS = checker(3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    Network("mine", strength=0).save(folder)
    return folder


def replace(folder: Path, network: Network) -> None:
    """As an operator should: written elsewhere, then renamed."""
    source = network.save(folder.parent)
    source.replace(folder / source.name)


def test_what_has_not_changed_stays_loaded(folder: Path) -> None:
    Network("second").save(folder)
    old = Catalog([folder], "mine")
    model, second = old.load("mine"), old.load("second")
    replace(folder, Network("second", seed=1))
    new, refused = renewed(old)
    assert refused == []
    assert new.load("mine") is model
    assert new.load("second") is not second
    assert old.load("second") is second


def test_models_come_and_go(folder: Path) -> None:
    old = Catalog([folder], "x4-fast")
    (folder / "mine.onnx").unlink()
    Network("second").save(folder)
    new, _ = renewed(old)
    assert "second" in new.names
    with pytest.raises(UnknownModel):
        new.load("mine")


def test_the_default_cannot_go(folder: Path) -> None:
    old = Catalog([folder], "mine")
    Network("second").save(folder)
    (folder / "mine.onnx").unlink()
    with pytest.raises(UnknownModel, match="'mine'"):
        renewed(old)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def nonsense(path: Path) -> None:
    path.write_bytes(b"nonsense" * 100)


def of_another_name(path: Path) -> None:
    shutil.copy(Network("other").save(path.parent.parent), path)


def of_a_wrong_scale(path: Path) -> None:
    metadata = Network("mine").metadata | {"scale": "2"}
    shutil.copy(Network("mine").save(path.parent.parent, metadata), path)


def with_metadata_of_5000_digits(path: Path) -> None:
    metadata = Network("mine").metadata | {"scale": "9" * 5000}
    shutil.copy(Network("mine").save(path.parent.parent, metadata), path)


def with_metadata_that_are_no_text(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"random weights for tests", b"\xff" * 24))


def with_a_halo_larger_than_any_picture(path: Path) -> None:
    metadata = Network("mine").metadata | {"halo": "1000000000"}
    shutil.copy(Network("mine").save(path.parent.parent, metadata), path)


@pytest.mark.parametrize(
    "spoil",
    [
        truncated,
        nonsense,
        of_another_name,
        of_a_wrong_scale,
        with_metadata_of_5000_digits,
        with_metadata_that_are_no_text,
        with_a_halo_larger_than_any_picture,
    ],
)
def test_a_bad_file_is_refused_and_the_old_model_stays(
    folder: Path, spoil: Callable[[Path], None]
) -> None:
    old = Catalog([folder], "mine")
    model = old.load("mine")
    spoil(folder / "mine.onnx")
    new, refused = renewed(old)
    assert len(refused) == 1
    assert new.load("mine") is model
    assert new.is_current


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    config = ServerConfig(port=0, models=(folder,), default_model="mine", watch_models_s=0.05)
    with embedded_server(config) as address:
        yield address


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)


def test_no_call_fails_while_models_are_exchanged(folder: Path, address: str) -> None:
    failures: list[UpscaleFailed] = []
    results: list[bool] = []
    ended = threading.Event()

    def call() -> None:
        with UpscalerClient(address) as client:
            while not ended.is_set():
                try:
                    pixels = read_png(client.upscale(write_png(PIXELS)).image)
                    results.append(np.array_equal(pixels, enlarged(PIXELS)))
                except UpscaleFailed as failure:
                    failures.append(failure)

    def shows(plain: bool) -> bool:
        return results[-1] == plain

    thread = threading.Thread(target=call)
    thread.start()
    wait_for(lambda: bool(results))
    for strength in (0.5, 0, 0.5):
        replace(folder, Network("mine", strength=strength))
        wait_for(partial(shows, strength == 0))
    ended.set()
    thread.join()
    assert failures == []
    assert [plain for plain, _ in groupby(results)] == [True, False, True, False]


async def watched(upscaler: Upscaler, until: Callable[[], bool], asking: bool = False) -> None:
    """Looks at the files again and again until something holds."""
    watch = ModelWatch(upscaler, 0.01)
    task = asyncio.create_task(watch.run())
    try:
        async with asyncio.timeout(20):
            while not until():
                if asking:
                    watch.look()
                await asyncio.sleep(0.02)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_whatever_happens_the_watch_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(_: Catalog) -> None:
        monkeypatch.undo()
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(reload, "renewed", failing)
    upscaler = Upscaler(Catalog([folder], "mine"))
    Network("second").save(folder)
    asyncio.run(watched(upscaler, lambda: "second" in upscaler.catalog.names, asking=True))
    assert "unforeseen" in caplog.text


def test_what_is_wrong_is_reported_once_for_each_state_of_the_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    upscaler = Upscaler(Catalog([folder], "mine"))
    files, looks = Catalog.files, []

    def counted(catalog: Catalog) -> Contents:
        looks.append(1)
        return files(catalog)

    monkeypatch.setattr(Catalog, "files", counted)
    (folder / "mine.onnx").unlink()
    asyncio.run(watched(upscaler, lambda: len(looks) > 20))
    assert caplog.text.count("the models stay as they were") == 1


def failing(path: Path, *_: object) -> Model:
    """What is wrong with no file."""
    raise InvalidModel(str(path), "unreadable (no memory)", "an ONNX model")


def test_what_was_refused_is_tried_again_with_the_next_catalogue(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Catalog([folder], "mine")
    model = old.load("mine")
    replace(folder, Network("mine", seed=1))
    with monkeypatch.context() as patch:
        patch.setattr("serving.catalog.load_model", failing)
        catalog, refused = renewed(old)
    assert len(refused) == 1
    assert catalog.load("mine") is model
    catalog, refused = renewed(catalog)
    assert refused == []
    assert catalog.load("mine") is not model


def test_what_was_refused_at_the_start_is_tried_again_when_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upscaler = Upscaler(Catalog([folder], "x4-fast"))
    with monkeypatch.context() as patch:
        patch.setattr("serving.catalog.load_model", failing)
        try_all(upscaler.catalog)
    assert "mine" not in upscaler.catalog.names
    asyncio.run(watched(upscaler, lambda: "mine" in upscaler.catalog.names, asking=True))


def test_a_bad_file_at_the_start_is_reported_and_left_out(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nonsense(folder / "broken.onnx")
    Network("second").save(folder)
    models = Catalog([folder], "mine")
    try_all(models)
    assert "broken.onnx is unreadable" in caplog.text
    assert "broken" not in models.names
    assert models.untried == []
    assert models.is_current


def test_at_the_start_the_default_cannot_be_left_out(folder: Path) -> None:
    nonsense(folder / "mine.onnx")
    with pytest.raises(UnknownModel, match="'mine'"):
        try_all(Catalog([folder], "mine"))


def test_models_that_come_with_the_package_are_not_tried(folder: Path) -> None:
    models = Catalog([folder], "mine")
    assert models.untried == [folder / "mine.onnx"]
