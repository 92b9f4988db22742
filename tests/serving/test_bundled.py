import numpy as np

from serving.catalog import DEFAULT_MODEL, Catalog
from serving.engine import upscale


def test_the_default_model_ships_and_makes_a_larger_likeness() -> None:
    catalog = Catalog()
    assert catalog.resolve() == DEFAULT_MODEL
    model = catalog.load()
    assert model.info.scale == 4
    ramp = np.linspace(0, 255, 48).astype(np.uint8)
    across, down = np.meshgrid(ramp, ramp)
    pixels = np.stack([across, down, np.full_like(across, 128)], axis=2)
    result = upscale(model, pixels, np.uint8)
    assert result.shape == (192, 192, 3)
    shrunk = result.reshape(48, 4, 48, 4, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - pixels).mean() < 4
