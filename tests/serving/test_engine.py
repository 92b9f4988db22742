from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnxruntime import quantization

from serving.engine import upscale, upscale_strips
from serving.model import Model, load_model
from serving.pixels import Pixels
from serving.stages import Stages
from serving.strips import Strips
from serving.tasks import TaskPool
from tests.serving.networks import LAYERS, Network

SIDES = st.one_of(st.just(1), st.integers(2, 90))


class RandomCalibration(quantization.CalibrationDataReader):  # type: ignore[misc]
    def __init__(self) -> None:
        random = np.random.default_rng(1)
        self._batches = iter([random.random((1, 3, 32, 32), np.float32) for _ in range(4)])

    def get_next(self) -> dict[str, np.ndarray] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"input": batch}


@pytest.fixture(scope="module")
def int8(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("int8")
    network = Network("quantised", precision="int8")
    source = network.save(folder)
    target = folder / "quantised-int8.onnx"
    quantization.quantize_static(
        source, target, RandomCalibration(), quant_format=quantization.QuantFormat.QDQ
    )
    return load_model(target)


def random_pixels(height: int, width: int, channels: int) -> Pixels:
    generator = np.random.default_rng(height * 1000 + width)
    values = generator.integers(0, 256, (height, width, channels), dtype=np.uint8)
    if channels in (2, 4):
        values[height // 2 :, :, -1] = 0
        values[:, width // 2 :, -1] = 255
        values[values[:, :, -1] < 64, -1] = 0
    return values


@settings(deadline=None, max_examples=60)
@given(
    height=SIDES,
    width=SIDES,
    tile=st.integers(2 * LAYERS + 1, 80),
    channels=st.integers(1, 4),
)
def test_tiled_equals_whole(
    random: Model, height: int, width: int, tile: int, channels: int
) -> None:
    pixels = random_pixels(height, width, channels)
    tiled = upscale(random, pixels, np.uint8, tile=tile)
    whole = upscale(random, pixels, np.uint8, tile=1000)
    assert tiled.shape == (height * 4, width * 4, channels)
    assert np.abs(tiled.astype(int) - whole.astype(int)).max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (33, 65), (70, 31)])
def test_tiled_equals_whole_in_int8(int8: Model, size: tuple[int, int]) -> None:
    pixels = random_pixels(*size, channels=3)
    tiled = upscale(int8, pixels, np.uint8, tile=24)
    whole = upscale(int8, pixels, np.uint8, tile=1000)
    assert np.abs(tiled.astype(int) - whole.astype(int)).max() <= 1


@settings(deadline=None, max_examples=40)
@given(
    pixels=hnp.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        hnp.array_shapes(min_dims=3, max_dims=3, max_side=4),
    )
)
def test_a_network_that_repeats_pixels_changes_no_value(nearest: Model, pixels: Pixels) -> None:
    if pixels.shape[2] in (2, 4):
        pixels[:, :, -1] = np.iinfo(pixels.dtype).max
    result = upscale(nearest, pixels, pixels.dtype.type)
    assert np.array_equal(result, pixels.repeat(4, axis=0).repeat(4, axis=1))


def test_a_strip_is_a_row_of_tiles(nearest: Model) -> None:
    source = Strips.of(random_pixels(64, 64, 3))
    with closing(TaskPool(2)) as pool:
        strips = upscale_strips(nearest, source, np.uint8, pool, 48, Stages())
        assert [part.shape for part in strips.parts] == [(33 * 4, 256, 3), (31 * 4, 256, 3)]


def shapes_of_tiles(
    models: Path, height: int, width: int, tile: int, workers: int
) -> list[tuple[int, ...]]:
    model = load_model(models / "random.onnx")
    seen = []
    run = model.run

    def spy(batch: np.ndarray) -> np.ndarray:
        seen.append(batch.shape[2:])
        return run(batch)

    model.run = spy  # type: ignore[method-assign]
    source = Strips.of(random_pixels(height, width, 3))
    with closing(TaskPool(workers)) as pool:
        upscale_strips(model, source, np.uint8, pool, tile, Stages()).whole()
    return seen


def test_a_pictures_tiles_have_one_shape_and_overlap_little(models: Path) -> None:
    # 64 would do with three columns, of which the last would be half a repetition.
    assert shapes_of_tiles(models, 61, 150, tile=64, workers=1) == [(61, 56)] * 3
    assert shapes_of_tiles(models, 61, 130, tile=64, workers=1) == [(61, 48)] * 3


def test_a_small_picture_keeps_every_worker_busy(models: Path) -> None:
    assert shapes_of_tiles(models, 90, 60, tile=256, workers=1) == [(90, 60)]
    assert shapes_of_tiles(models, 90, 60, tile=256, workers=2) == [(48, 60)] * 2
    assert len(shapes_of_tiles(models, 8, 8, tile=256, workers=2)) == 1
