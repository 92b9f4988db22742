"""Another project's checkpoint, exported: the service makes the same pictures of it, in tiles."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from core.command import UserError
from serving.engine import upscale
from serving.model import load_model
from srgan.upscalers import open_upscaler
from tests.srgan import community
from tests.srgan.pictures import picture
from tools.community import CommunityGenerator
from tools.export_onnx import ExportConfig, export


@pytest.mark.parametrize("make", [community.compact, community.span])
def test_it_is_exported_and_served_in_tiles(make: "object", tmp_path: Path) -> None:
    assert callable(make)
    checkpoint = community.save(tmp_path / "theirs.pth", make(2))
    assert export(ExportConfig(checkpoint))
    model = load_model(tmp_path / "theirs.onnx")
    pixels = picture(70, 90)
    lr = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    whole = open_upscaler(str(checkpoint), 4).run(lr)[0].permute(1, 2, 0).mul(255).numpy()
    served = upscale(model, pixels, np.uint8, tile=32)
    assert served.shape == (140, 180, 3)
    assert np.abs(served - whole).max() < 1.1  # of 255: half from rounding, half from the halo
    metadata = {
        entry.key: entry.value for entry in onnx.load(tmp_path / "theirs.onnx").metadata_props
    }
    assert metadata["license"] == "NOASSERTION"
    assert json.loads(metadata["training_run"])["source"] == "theirs.pth"


def test_it_describes_itself(tmp_path: Path) -> None:
    network = community.compact(3)
    generator = CommunityGenerator(community.save(tmp_path / "theirs.pth", network))
    assert generator.scale == 3
    assert 1 <= generator.halo <= 4  # four convolutions of 3x3
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert generator.macs_per_lr_pixel == sum(each.weight.numel() for each in convolutions)
    assert generator.macs_per_hr_pixel == generator.macs_per_lr_pixel / 9


def test_what_cannot_run_in_tiles_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = community.save(tmp_path / "theirs.pth", community.compact(2))
    monkeypatch.setattr("tools.community.probe_halo", lambda *_: None)
    with pytest.raises(UserError, match=r"theirs\.pth: a RealESRGAN Compact looks too far"):
        CommunityGenerator(checkpoint)
    windows = community.save(tmp_path / "windows.pth", community.swinir())
    with pytest.raises(UserError, match="a SwinIR does not take pictures of any size"):
        CommunityGenerator(windows)
