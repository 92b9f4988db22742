"""Checkpoints: what goes in comes out, the file is whole or absent, foreign files are refused."""

import math
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from core import checkpoint
from core.checkpoint import CheckpointError, load_state, save_state

SHARED = torch.arange(6.0)
VALUES: dict[str, Any] = {
    "float": 0.1,
    "infinite": math.inf,
    "negative zero": -0.0,
    "text": 'a "quoted" ü\n',
    "none": None,
    "true": True,
    "zero": 0,
    "wider than 64 bits": 2**200 + 1,
    "nested": {"a": {"b": [1, [2, {"c": None}]]}},
    "empty": {"dict": {}, "list": []},
    "number keys": {0: {"step": 3}, 7: "seven", -1: None},
    "looks like a reference": {"__tensor__": "x", "pairs": [], "items": {}},
}
TENSORS = {
    "empty": torch.zeros(0, 3),
    "scalar": torch.tensor(3.5, dtype=torch.float64),
    "bfloat16": torch.tensor([1.0, 2.5, -0.125], dtype=torch.bfloat16),
    "half": torch.tensor([1.0, 65504.0], dtype=torch.float16),
    "bytes": torch.arange(256, dtype=torch.uint8),
    "flags": torch.tensor([True, False]),
    "whole": torch.tensor([-(2**63), 2**63 - 1]),
    "transposed": torch.arange(6.0).view(2, 3).T,
    "channels last": torch.rand(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
    "learnt": torch.ones(2, requires_grad=True),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.safetensors"


@pytest.mark.parametrize("name", list(VALUES))
def test_plain_values_come_back(name: str, path: Path) -> None:
    save_state(path, {name: VALUES[name]})
    (got,) = load_state(path).values()
    assert got == VALUES[name]
    assert type(got) is type(VALUES[name])


@pytest.mark.parametrize("name", list(TENSORS))
def test_tensors_come_back(name: str, path: Path) -> None:
    save_state(path, {"deep": [{"er": TENSORS[name]}]})
    got = load_state(path)["deep"][0]["er"]
    assert got.dtype == TENSORS[name].dtype
    assert got.shape == TENSORS[name].shape
    assert torch.equal(got, TENSORS[name])
    assert not got.requires_grad


def test_tuples_come_back_as_lists(path: Path) -> None:
    save_state(path, {"betas": (0.9, (0.999,))})
    assert load_state(path) == {"betas": [0.9, [0.999]]}


def test_tensors_that_share_memory_come_back_each(path: Path) -> None:
    save_state(path, {"a": SHARED, "b": SHARED, "c": SHARED[2:4]})
    state = load_state(path)
    assert torch.equal(state["a"], SHARED)
    assert torch.equal(state["b"], SHARED)
    assert torch.equal(state["c"], SHARED[2:4])


def test_keys_that_look_alike_are_kept_apart(path: Path) -> None:
    one, two, three, four = (torch.tensor(float(n)) for n in range(4))
    save_state(path, {"a": {"b": one}, "a/b": two, "n": {1: three, "1": four}})
    state = load_state(path)
    assert (state["a"]["b"], state["a/b"], state["n"][1], state["n"]["1"]) == (0, 1, 2, 3)


def test_a_saved_state_does_not_follow_its_tensors(path: Path) -> None:
    tensor = torch.ones(2)
    save_state(path, {"x": tensor})
    tensor.zero_()
    assert torch.equal(load_state(path)["x"], torch.ones(2))


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes", 1j, Path("x")])
def test_anything_else_is_refused_by_the_name_of_its_key(value: object, path: Path) -> None:
    with pytest.raises(TypeError, match=f"/outer/1/inner holds a {type(value).__name__}"):
        save_state(path, {"outer": [0, {"inner": value}]})
    assert not list(path.parent.iterdir())


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(CheckpointError, match=str(path)):
        load_state(path)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.999])
def test_a_truncated_file_is_refused(share: float, path: Path) -> None:
    save_state(path, {"x": torch.rand(100), "y": list(range(50))})
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match=str(path)):
        load_state(path)


@pytest.mark.parametrize(
    "structure",
    ["not json", "3", '{"pairs": 3}', '{"pairs": [["x", {"__tensor__": "absent"}]]}', "[1]", "{}"],
)
def test_a_foreign_structure_is_refused(structure: str, path: Path) -> None:
    save_file({"x": torch.ones(1)}, path, metadata={"structure": structure})
    with pytest.raises(CheckpointError, match=str(path)):
        load_state(path)


def test_foreign_files_are_refused(path: Path) -> None:
    save_file({"x": torch.ones(1)}, path)
    with pytest.raises(CheckpointError, match="not written by this project"):
        load_state(path)
    torch.save({"x": torch.ones(1)}, path)
    with pytest.raises(CheckpointError, match=str(path)):
        load_state(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(CheckpointError, match=str(path)):
        load_state(path)


def test_an_interrupted_write_leaves_the_old_file_whole_and_no_litter(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_state(path, {"step": 1})

    def interrupted(_first: object, target: Path, **_rest: object) -> None:
        target.write_bytes(b"half a file")
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_state(path, {"step": 2})
    assert load_state(path) == {"step": 1}
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_full_disk_is_an_error_of_that_file_which_stays_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_state(path, {"step": 1})

    def full(_tensors: object, target: Path, **_rest: object) -> None:
        target.write_bytes(b"half a file")
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(OSError, match="No space left on device") as failure:
        save_state(path, {"step": 2})
    assert failure.value.filename == str(path)
    assert load_state(path) == {"step": 1}
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_the_new_file_is_on_the_disk_before_it_takes_the_old_ones_place(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    sync, replace = os.fsync, Path.replace

    def watched_sync(descriptor: int) -> None:
        events.append("sync")
        sync(descriptor)

    def watched_replace(self: Path, target: Path) -> Path:
        events.append("replace")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", watched_sync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    save_state(path, {"step": 1})
    assert events == ["sync", "replace"]
