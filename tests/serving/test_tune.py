"""The self-tune: what is tried, what is chosen, and that it is remembered and overridden."""

import re
from pathlib import Path

import onnx
import pytest

from serving import tune
from serving.catalog import Catalog
from serving.config import ServerConfig
from serving.errors import InvalidConfig
from serving.hints import Hints
from serving.tune import Setting, best, measure, setting_for, settings, tuned
from tests.serving.networks import Network, community


def test_what_is_tried_never_needs_more_than_the_processors() -> None:
    assert list(settings(1)) == [Setting(1)]
    for processors in (2, 4, 7, 64):
        tried = list(settings(processors))
        assert tried[0] == Setting(processors)
        assert all(each.concurrency * each.threads <= processors for each in tried)
        assert len(set(tried)) == len(tried)


def test_the_safe_setting_stays_unless_another_is_clearly_faster() -> None:
    safe, other = Setting(2), Setting(1, 2)
    assert best({safe: 100, other: 90}) == safe
    assert best({safe: 100, other: 80}) == other


def test_every_setting_is_measured(models: Path) -> None:
    milliseconds = measure(Catalog([models], "random"), "cpu", 2)
    assert set(milliseconds) == set(settings(2))
    assert min(milliseconds.values()) > 0


def test_a_model_that_looks_farther_than_a_tile_is_wide_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tune, "_ROUNDS", 1)
    network = Network("far")
    network.save(tmp_path, network.metadata | {"halo": "150"})
    assert measure(Catalog([tmp_path], "far"), "cpu", 1)[Setting(1)] > 0


def test_a_model_that_looks_at_a_picture_as_a_whole_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tune, "_ROUNDS", 1)
    onnx.save(community(Network("net", strength=0.5), whole=True), str(tmp_path / "whole.onnx"))
    catalog = Catalog([tmp_path], "whole", hints=Hints(input_range="0..1"))
    assert catalog.load().info.halo is None
    assert measure(catalog, "cpu", 16)[Setting(16)] > 0


def test_it_is_measured_once_for_a_model(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # where no other test has measured
    monkeypatch.setattr(tune, "_PATIENCE_S", float("inf"))  # however busy this machine is
    monkeypatch.setattr(tune, "available_processors", lambda: 5)
    measured = []

    def one(*arguments: object) -> dict[Setting, float]:
        measured.append(arguments)
        return {Setting(1): 10.0, Setting(3, 2, True): 1.0}

    monkeypatch.setattr(tune, "measure", one)
    for name in ("random", "nearest", "random"):
        assert tuned(Catalog([models], name)) == Setting(3, 2, True)
    assert len(measured) == 2


def test_a_slow_model_gets_the_safe_setting_unmeasured(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tune, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(tune, "measure", lambda *_: pytest.fail("measured"))
    monkeypatch.setattr(tune, "available_processors", lambda: 5)
    assert tuned(Catalog([models], "random")) == Setting(5)


def test_what_the_operator_says_is_not_measured(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = Catalog([models], "random")
    monkeypatch.setattr(tune, "tuned", lambda *_: Setting(9))
    monkeypatch.setattr(tune, "available_processors", lambda: 8)
    assert setting_for(catalog, ServerConfig()) == Setting(9)
    assert setting_for(catalog, ServerConfig(threads=2)) == Setting(4, 2)
    assert setting_for(catalog, ServerConfig(concurrency=3, spinning=True)) == Setting(3, 1, True)


def test_a_provider_that_is_not_installed_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidConfig, match=r"provider is directml; expected .*: .*cpu"):
        ServerConfig(provider="directml")


def test_the_program_prints_what_it_tried(
    models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["tune", "--models", str(models), "--model", "random"]
    monkeypatch.setattr("sys.argv", arguments)
    monkeypatch.setattr(tune, "available_processors", lambda: 2)
    assert tune.main() == 0
    title, columns, *rows = capsys.readouterr().out.splitlines()
    assert title.startswith("random on 2 x ")
    assert columns.split() == ["tiles", "threads", "spinning", "ms"]
    assert [row.split()[:3] for row in rows] == [
        ["2", "1", "no"], ["1", "2", "no"], ["1", "2", "yes"],
    ]  # fmt: skip
    assert sum(row.endswith("*") for row in rows) == 1
    monkeypatch.setattr("sys.argv", ["tune", "--model", "none"])
    assert tune.main() == 2


def test_the_program_refuses_a_provider_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tune, "measure", lambda *_: pytest.fail("measured on something else"))
    monkeypatch.setattr("sys.argv", ["tune", "--provider", "directml"])
    assert tune.main() == 2
    assert re.match("error: provider is directml; expected .*: .*cpu", capsys.readouterr().err)


def test_the_program_measures_a_model_of_which_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    halos = []

    def halo_of(catalog: Catalog, *_: object) -> dict[Setting, float]:
        halos.append(catalog.load().info.halo)
        return {Setting(1): 1.0}

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tune, "measure", halo_of)
    path = Network("foreign", 2).save(tmp_path, {})
    options = ["--models", str(path), "--model", "foreign", "--input-range", "0..255"]
    options += ["--color-order", "BGR", "--halo", "5"]
    monkeypatch.setattr("sys.argv", ["tune", *options])
    assert tune.main() == 0
    assert halos == [5]  # it looks 3 pixels far
    monkeypatch.setattr("sys.argv", ["tune", "--halo", "-1"])
    assert tune.main() == 2
