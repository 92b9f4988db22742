import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.tiling import even_tiles, plan_axis

SIZES = st.integers(1, 400)
HALOS = st.integers(0, 20)


@given(size=SIZES, halo=HALOS, data=st.data())
def test_spans_keep_every_pixel_once_and_away_from_artificial_borders(
    size: int, halo: int, data: st.DataObject
) -> None:
    tile = data.draw(st.integers(2 * halo + 1, 100))
    spans = plan_axis(size, tile, halo)
    kept = [pixel for span in spans for pixel in range(span.keep_start, span.keep_stop)]
    assert kept == list(range(size))
    for span in spans:
        assert span.stop - span.start == min(size, tile)
        assert span.start == 0 or span.keep_start - span.start >= halo
        assert span.stop == size or span.stop - span.keep_stop >= halo
    assert spans[0].start == 0
    assert spans[-1].stop == size


def test_slices_scale_with_the_network() -> None:
    second = plan_axis(size=100, tile=40, halo=5)[1]
    assert second.source == slice(30, 70)
    assert second.target(4) == slice(35 * 4, 65 * 4)
    assert second.kept_size == 30
    assert second.kept(4) == slice(5 * 4, 35 * 4)


@pytest.mark.parametrize(("size", "tile", "halo"), [(0, 10, 1), (10, 4, 2)])
def test_impossible_plans_are_refused(size: int, tile: int, halo: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        plan_axis(size, tile, halo)


@given(
    height=SIZES,
    width=SIZES,
    halo=HALOS,
    tile=st.integers(1, 100),
    workers=st.integers(1, 5),
    multiple=st.sampled_from([1, 8]),
)
def test_tiles_are_no_larger_than_allowed_and_cover_the_picture(
    height: int, width: int, halo: int, tile: int, workers: int, multiple: int
) -> None:
    halo *= multiple
    down, across = even_tiles(height, width, tile, halo, workers, multiple)
    step = max(4, multiple)
    side = -(-max(tile, 2 * halo + 1) // step) * step
    assert down % step == across % step == 0
    assert min(down, across) > 2 * halo
    assert down <= side
    # what is beyond a low picture's edge is never computed
    assert min(down, height) * across <= side**2
    assert plan_axis(height, down, halo, multiple)
    assert plan_axis(width, across, halo, multiple)


def computed(height: int, width: int, tile: int, workers: int) -> float:
    """Pixels that one worker computes, over the picture's share of it."""
    down, across = even_tiles(height, width, tile, 10, workers)
    count = len(plan_axis(height, down, 10)) * len(plan_axis(width, across, 10))
    area = min(down, height) * min(across, width)
    return -(-count // workers) * area / (height * width / workers)


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("size", [(512, 512), (853, 1280), (1280, 853), (768, 1024), (2000, 3000)])
def test_overlap_is_a_sixth_of_the_work_at_most(size: tuple[int, int], workers: int) -> None:
    assert computed(*size, tile=288, workers=workers) < 7 / 6


def test_low_pictures_get_wide_tiles() -> None:
    assert computed(100, 5000, tile=288, workers=2) < 1.04
    assert even_tiles(100, 5000, 288, 10)[1] > 400
