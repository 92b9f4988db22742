"""What ships: every bundled model is exact by tiles, keeps colours, and makes larger likenesses."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from serving.catalog import BUNDLED, DEFAULT_MODEL, Catalog
from serving.engine import upscale
from serving.model import Model, load_model
from serving.pixels import Pixels
from serving.session import Computing, available_providers

NAMES = sorted(path.stem for path in BUNDLED.glob("*.onnx"))


@pytest.fixture(scope="module", params=available_providers())
def bundled(request: pytest.FixtureRequest) -> dict[str, Model]:
    """Each model, by every execution provider that there is."""
    computing = Computing(provider=request.param)
    return {name: load_model(BUNDLED / f"{name}.onnx", computing) for name in NAMES}


def shrunk(pixels: Pixels, scale: int) -> np.ndarray:
    height, width, channels = pixels.shape
    blocks = pixels.reshape(height // scale, scale, width // scale, scale, channels)
    return np.asarray(blocks.mean(axis=(1, 3)))


# Sides of random pictures: small ones, and long ones that take no longer.
SHORT = st.one_of(st.just(1), st.integers(2, 160))
LONG, THIN = st.integers(161, 2000), st.integers(1, 16)


def test_the_default_model_and_its_twin_ship() -> None:
    assert {DEFAULT_MODEL, f"{DEFAULT_MODEL}-int8"} <= set(NAMES)
    catalog = Catalog()
    assert catalog.load().info.name.startswith(DEFAULT_MODEL)
    assert catalog.load(depth=np.uint16).info.precision.value == "fp32"


@pytest.mark.parametrize("name", NAMES)
def test_the_result_is_a_larger_likeness(bundled: dict[str, Model], name: str) -> None:
    ramp = np.linspace(0, 255, 48).astype(np.uint8)
    across, down = np.meshgrid(ramp, ramp)
    pixels = np.stack([across, down, np.full_like(across, 128)], axis=2)
    model = bundled[name]
    result = upscale(model, pixels, np.uint8)
    assert result.shape == (48 * model.info.scale, 48 * model.info.scale, 3)
    assert np.abs(shrunk(result, model.info.scale) - pixels).mean() < 4


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=10)
@given(
    sides=st.one_of(st.tuples(SHORT, SHORT), st.tuples(LONG, THIN), st.tuples(THIN, LONG)),
    tile=st.integers(48, 120),
    channels=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_tiled_equals_whole(
    bundled: dict[str, Model],
    name: str,
    sides: tuple[int, int],
    tile: int,
    channels: int,
    seed: int,
) -> None:
    size = (*sides, channels)
    pixels = np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)
    tiled = upscale(bundled[name], pixels, np.uint8, tile=tile).astype(int)
    whole = upscale(bundled[name], pixels, np.uint8, tile=2048).astype(int)
    assert np.abs(tiled - whole).max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_tiled_equals_whole_on_a_large_picture(bundled: dict[str, Model], name: str) -> None:
    # Larger networks take minutes for as much.
    size = (1499, 2000, 3) if name.startswith(DEFAULT_MODEL) else (701, 1203, 3)
    pixels = np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8)
    tiled = upscale(bundled[name], pixels, np.uint8)
    whole = upscale(bundled[name], pixels, np.uint8, tile=2048)
    assert np.abs(tiled.astype(np.int16) - whole).max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_the_halo_is_what_the_network_sees(bundled: dict[str, Model], name: str) -> None:
    model = bundled[name]
    halo, scale = model.info.halo, model.info.scale
    assert halo is not None
    side = 2 * halo + 11
    centre = side // 2
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    changed = pixels.copy()
    changed[centre, centre] ^= 255
    before, after = (upscale(model, each, np.uint8).astype(int) for each in (pixels, changed))
    seen = np.argwhere(np.abs(after - before).max(axis=2) > 0) // scale
    assert 1 < np.abs(seen - centre).max() <= halo


def natural() -> list[Pixels]:
    root = os.environ.get("SRGAN_TEST_DATA")
    if not root:
        return []
    paths = [path for name in ("Set5", "Set14") for path in Path(root, name, "LRx4").iterdir()]
    return [np.asarray(Image.open(path).convert("RGB"))[:160, :160] for path in paths]


@pytest.mark.parametrize("name", NAMES)
def test_colours_stay_as_they_are(bundled: dict[str, Model], name: str) -> None:
    greys = [(level,) * 3 for level in (*range(0, 256, 12), 255)]
    levels = [*greys, (200, 30, 30), (20, 90, 220), (252, 251, 252), (250, 200, 240)]
    flat: list[Pixels] = [np.full((40, 40, 3), level, np.uint8) for level in levels]
    for pixels in (*flat, *natural()):
        result = upscale(bundled[name], pixels, np.uint8)
        shift = result.mean(axis=(0, 1)) - pixels.mean(axis=(0, 1))
        assert np.abs(shift).max() <= 1, (pixels[0, 0], shift)
