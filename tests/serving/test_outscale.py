"""Results of other sizes than the model's own, through a running server."""

import grpc
import numpy as np
import pytest
from PIL import Image

from serving.client import UpscaleFailed, UpscalerClient
from serving.pixels import Pixels
from tests.serving.files import checker, enlarged, read, read_png, write_png


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"scale": 1}, (9, 6)),
        ({"scale": 2.5}, (22, 15)),
        ({"scale": 7}, (63, 42)),
        ({"scale": 16}, (144, 96)),
        ({"width": 20}, (20, 13)),
        ({"width": 50, "height": 9}, (50, 9)),
        ({"max_height": 12}, (18, 12)),
    ],
)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_result_has_the_size_and_keeps_channels_and_depth(
    client: UpscalerClient,
    options: dict[str, float],
    size: tuple[int, int],
    channels: int,
    dtype: type,
) -> None:
    pixels: Pixels = np.full((6, 9, channels), 77, dtype)
    response = client.upscale(write_png(pixels), **options)  # type: ignore[arg-type]
    result = read_png(response.image)
    assert (response.output.width, response.output.height) == size
    assert result.shape == (size[1], size[0], channels)
    assert result.dtype == dtype
    assert (result == 77).all()


def test_shrinking_averages_what_the_model_made(client: UpscalerClient) -> None:
    pixels = checker(3, height=40, width=60)
    repeated = enlarged(pixels).astype(np.float32)
    expected = np.stack(
        [
            np.asarray(
                Image.fromarray(repeated[:, :, channel]).resize((120, 80), Image.Resampling.BICUBIC)
            )
            for channel in range(3)
        ],
        axis=2,
    ).clip(0, 255)
    result = read(client.upscale(write_png(pixels), scale=2).image)
    assert np.abs(result - expected).max() <= 0.51


def test_sixteen_times_is_the_model_twice(client: UpscalerClient) -> None:
    pixels = checker(3)
    result = read(client.upscale(write_png(pixels), scale=16).image)
    assert np.array_equal(result, pixels.repeat(16, axis=0).repeat(16, axis=1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 17}, "options.scale is 17; expected 1 to 16"),
        ({"width": 0}, "options.width is 0; expected at least 1"),
        ({"scale": 2, "width": 9}, "options.width is 9; expected none beside options.scale"),
    ],
)
def test_wrong_sizes_are_invalid_arguments(
    client: UpscalerClient, options: dict[str, float], message: str
) -> None:
    with pytest.raises(UpscaleFailed) as caught:
        client.upscale(write_png(checker(3)), **options)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.message) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        message,
    )


def test_too_many_pixels_are_refused_before_the_work(client: UpscalerClient) -> None:
    with pytest.raises(UpscaleFailed, match=r"options.scale is 16, which makes 6400x4800 = ") as it:
        client.upscale(write_png(checker(3, height=300, width=400)), scale=16)
    assert it.value.code == grpc.StatusCode.INVALID_ARGUMENT
