"""Checkpoints of other projects: recognised, evaluated, and never run as code."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from core.command import UserError
from srgan.community import is_community, load_descriptor
from srgan.generators import GeneratorSpec, save_generator
from srgan.upscalers import open_upscaler
from tests.srgan import community


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_it_upscales_as_its_network_does(suffix: str, tmp_path: Path) -> None:
    network, path = community.compact(3), tmp_path / f"theirs{suffix}"
    if suffix == ".pth":
        community.save(path, network)
    else:
        save_file(network.state_dict(), path)
    upscaler = open_upscaler(str(path), 4)
    assert (upscaler.name, upscaler.scale) == (path.name, 3)
    lr = torch.rand(2, 3, 9, 7)
    with torch.no_grad():
        assert torch.allclose(upscaler.run(lr), network(lr).clamp(0, 1))


def test_a_picture_that_it_made_can_be_learnt_from(tmp_path: Path) -> None:
    teacher = open_upscaler(str(community.save(tmp_path / "theirs.pth", community.compact(2))), 2)
    lr, made = torch.rand(1, 3, 8, 8), torch.zeros(1, 3, 16, 16, requires_grad=True)
    F.mse_loss(made, teacher.run(lr)).backward()
    assert made.grad is not None


def test_windows_are_padded_for(tmp_path: Path) -> None:
    upscaler = open_upscaler(str(community.save(tmp_path / "w.pth", community.swinir())), 4)
    assert upscaler.run(torch.rand(1, 3, 9, 7)).shape == (1, 3, 18, 14)


def test_our_own_files_are_not_others(tmp_path: Path) -> None:
    spec = GeneratorSpec("light", 2, 16, 1)
    save_generator(tmp_path / "ours.safetensors", spec, spec.build().state_dict(), {})
    save_file({"weight": torch.zeros(1)}, tmp_path / "theirs.safetensors")
    assert not is_community(tmp_path / "ours.safetensors")
    assert is_community(tmp_path / "theirs.safetensors")


class Malice:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_checkpoint_that_would_run_code_is_refused_and_does_not(tmp_path: Path) -> None:
    torch.save({"params": Malice(tmp_path / "ran")}, tmp_path / "theirs.pth")
    with pytest.raises(UserError, match=r"theirs\.pth is no checkpoint that spandrel can read"):
        load_descriptor(tmp_path / "theirs.pth")
    assert not (tmp_path / "ran").exists()


def test_what_is_no_rgb_network_is_refused_by_name(tmp_path: Path) -> None:
    unknown, grey, text = (tmp_path / f"{name}.pth" for name in ("unknown", "grey", "text"))
    torch.save({"weight": torch.zeros(3)}, unknown)
    community.save(grey, community.compact(2, channels=1))
    text.write_text("no weights")
    with pytest.raises(UserError, match=r"unknown\.pth is no checkpoint that spandrel can read"):
        load_descriptor(unknown)
    with pytest.raises(UserError, match=r"grey\.pth maps 1 channels to 1; it must be 3 to 3"):
        load_descriptor(grey)
    with pytest.raises(UserError, match=r"text\.pth is no checkpoint"):
        load_descriptor(text)


def test_without_spandrel_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(UserError, match=r"pip install '\.\[community\]'"):
        load_descriptor(tmp_path / "theirs.pth")
