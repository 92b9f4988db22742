import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.tiling import plan_axis

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
