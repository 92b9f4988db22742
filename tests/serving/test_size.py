import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import ImageTooLarge, InvalidOption
from serving.pipeline.size import Size, SizeOptions, plan_passes

PHOTO = Size(300, 200)
PLENTY = 10**9
SIDES = st.integers(1, 500)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (SizeOptions(), Size(1200, 800)),
        (SizeOptions(scale=1), PHOTO),
        (SizeOptions(scale=2.5), Size(750, 500)),
        (SizeOptions(scale=16), Size(4800, 3200)),
        (SizeOptions(width=900), Size(900, 600)),
        (SizeOptions(height=50), Size(75, 50)),
        (SizeOptions(width=640, height=480), Size(640, 480)),
        (SizeOptions(max_width=600), Size(600, 400)),
        (SizeOptions(max_width=9000), Size(1200, 800)),
        (SizeOptions(max_width=600, max_height=200), Size(300, 200)),
        (SizeOptions(scale=8, max_height=1), Size(2, 1)),
    ],
)
def test_what_is_asked_is_the_size(options: SizeOptions, expected: Size) -> None:
    assert options.of_result(PHOTO, 4, PLENTY) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 0.5}, "options.scale is 0.5; expected 1 to 16"),
        ({"scale": 16.5}, "options.scale is 16.5; expected 1 to 16"),
        ({"scale": float("nan")}, "options.scale is nan; expected 1 to 16"),
        ({"width": 0}, "options.width is 0; expected at least 1"),
        ({"max_height": 0}, "options.max_height is 0; expected at least 1"),
        ({"scale": 2, "height": 7}, "options.height is 7; expected none beside options.scale"),
        ({"width": 4801}, "options.width is 4801; expected at most 4800, 16 times the image's"),
        ({"height": 3201}, "options.height is 3201; expected at most 3200, 16 times the image's"),
    ],
)
def test_what_cannot_be_is_refused_by_name(options: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        SizeOptions(**options).of_result(PHOTO, 4, PLENTY)  # type: ignore[arg-type]
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (SizeOptions(), "image is 300x200"),
        (SizeOptions(scale=3), "options.scale is 3"),
        (SizeOptions(width=1000), "options.width is 1000"),
    ],
)
def test_too_many_pixels_name_what_made_them(options: SizeOptions, field: str) -> None:
    with pytest.raises(ImageTooLarge, match=rf"^{field}, which makes .* pixels; expected at most"):
        options.of_result(PHOTO, 4, 500_000)


def test_the_last_pass_just_reaches_the_target() -> None:
    assert [*plan_passes(PHOTO, Size(1200, 800), 4)] == [PHOTO]
    assert [*plan_passes(PHOTO, Size(450, 300), 4)] == [PHOTO]
    assert [*plan_passes(PHOTO, Size(1800, 1200), 4)] == [PHOTO, Size(450, 300)]
    assert [*plan_passes(PHOTO, Size(4800, 3200), 4)] == [PHOTO, Size(1200, 800)]
    assert [*plan_passes(PHOTO, Size(3000, 2000), 2)] == [PHOTO, Size(375, 250)] * 1 + [
        Size(750, 500),
        Size(1500, 1000),
    ]


@given(width=SIDES, height=SIDES, across=SIDES, down=SIDES, scale=st.integers(1, 5))
def test_passes_reach_every_target_and_never_lose_detail(
    width: int, height: int, across: int, down: int, scale: int
) -> None:
    source, target = Size(width, height), Size(across, down)
    passes = [*plan_passes(source, target, scale)]
    assert passes[0] == source
    for given_size, after in zip(passes, [*passes[1:], target], strict=True):
        assert given_size.width >= width
        assert given_size.height >= height
        if scale > 1:
            assert given_size.width * scale >= after.width
            assert given_size.height * scale >= after.height
