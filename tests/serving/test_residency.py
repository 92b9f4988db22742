"""Models are closed where memory is short, and opened again at need."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any
from weakref import ref

import pytest

from serving import residency
from serving.catalog import Catalog
from serving.errors import InvalidModel
from serving.model import Model, load_model
from serving.processor import resident_mib
from tests.serving.networks import Network


@pytest.fixture
def resident(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the process seems to have."""
    mib = [100.0]
    monkeypatch.setattr(residency, "resident_mib", lambda: mib[0])
    return mib


@pytest.fixture
def models(tmp_path: Path) -> Catalog:
    for name in ("default", "a", "b"):
        Network(name).save(tmp_path)
    return Catalog([tmp_path], "default", memory_mib=200)


def test_as_long_as_there_is_memory_all_stay(models: Catalog, resident: list[float]) -> None:
    opened = [models.load(name) for name in ("default", "a", "b")]
    resident[0] = 200.0
    assert [models.load(name) for name in ("default", "a", "b")] == opened


def test_what_was_not_used_for_the_longest_is_closed_but_never_the_default(
    models: Catalog, resident: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    default, a, b = (models.load(name) for name in ("default", "a", "b"))
    models.load("a")
    resident[0] = 201.0
    # Closing one is enough.
    monkeypatch.setattr("gc.collect", lambda: resident.__setitem__(0, 150.0))
    assert models.load("default") is default
    assert models.load("a") is a
    assert models.load("b") is not b
    assert b.run is not None


def test_what_a_file_says_is_known_without_opening_it_again(
    models: Catalog, resident: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    models.load("a")
    resident[0] = 300.0
    models.load("default")
    monkeypatch.setattr("serving.catalog.load_model", None)
    assert models.known("a").info.name == "a"


def test_the_kernel_tells_how_much_it_is() -> None:
    assert 10 < resident_mib() < 1_000_000


def test_closing_gives_memory_back(tmp_path: Path) -> None:
    names = ["default", "a", "b"]
    for name in names:
        Network(name).save(tmp_path)
    models = Catalog([tmp_path], "default", memory_mib=1)
    opened = [ref(models.load(name)) for name in names]
    assert [model() is not None for model in opened] == [True, False, True]


def test_what_could_not_be_opened_again_stays(models: Catalog, resident: list[float]) -> None:
    model = models.load("a")
    models.path("a").write_bytes(b"nonsense")
    resident[0] = 300.0
    models.load("default")
    assert models.load("a") is model


def test_what_is_known_is_that_of_the_file_that_was_opened(models: Catalog) -> None:
    content = models.path("a").read_bytes()
    models.load("a")
    models.path("a").write_bytes(b"nonsense")
    card = models.known("a").card
    assert (card.sha256, card.size_bytes) == (sha256(content).hexdigest(), len(content))
    models.path("a").unlink()
    assert models.known("a").card == card


def test_a_file_that_changes_while_it_is_opened_is_refused(
    models: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(path: Path, *arguments: Any) -> Model:
        model = load_model(path, *arguments)
        path.write_bytes(b"nonsense")
        return model

    monkeypatch.setattr("serving.catalog.load_model", slowly)
    with pytest.raises(InvalidModel, match="still changing"):
        models.load("a")


def test_nobody_waits_for_a_model_that_others_ask_for(
    models: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end, opened = Event(), Event(), []

    def slowly(path: Path, *arguments: Any) -> Model:
        opened.append(path.stem)
        begun.set()
        assert may_end.wait(20)
        return load_model(path, *arguments)

    default = models.load("default")
    monkeypatch.setattr("serving.catalog.load_model", slowly)
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(models.load, "a") for _ in range(2)]
        assert begun.wait(20)
        assert models.load("default") is default
        may_end.set()
        first, second = (each.result() for each in waiting)
    assert first is second
    assert opened == ["a"]
