"""MATLAB's bicubic, against published pictures and by its own laws."""

from fractions import Fraction

import pytest
import torch
from torch import Tensor

from core.picture_files import read_rgb
from srgan.resize import Edges, imresize, imresize_uint8, resize_matrix
from tests.conftest import DataFolder
from tests.srgan.pictures import picture, planes

EDGES: list[Edges] = ["symmetric", "replicate"]
every_edge = pytest.mark.parametrize("edges", EDGES)
every_scale = pytest.mark.parametrize("scale", [1 / 4, 1 / 3, 1 / 2, 0.7, 1.0, 1.5, 2.0, 4.0])


def twins(folder: DataFolder, name: str) -> list[tuple[str, Tensor, Tensor]]:
    """Published ``(name, hr, lr)`` of a set; HR cropped to a multiple of 4, as its makers did."""
    pairs = []
    for path in sorted(folder(f"{name}/HR").iterdir()):
        hr = planes(read_rgb(path))
        hr = hr[:, : hr.shape[1] // 4 * 4, : hr.shape[2] // 4 * 4]
        pairs.append((path.name, hr, planes(read_rgb(folder(f"{name}/LRx4") / path.name))))
    return pairs


@pytest.mark.parametrize(("name", "count"), [("Set5", 5), ("Set14", 14)])
def test_published_inputs_are_reproduced_bit_for_bit(
    name: str, count: int, data_folder: DataFolder
) -> None:
    pairs = twins(data_folder, name)
    assert len(pairs) == count
    for file, hr, lr in pairs:
        assert torch.equal(imresize_uint8(hr, 1 / 4, edges="replicate"), lr), file


def test_todays_matlab_differs_from_the_published_inputs_at_the_edges_alone(
    data_folder: DataFolder,
) -> None:
    differs = False
    for file, hr, lr in twins(data_folder, "Set5"):
        got = imresize_uint8(hr, 1 / 4, edges="symmetric")
        assert torch.equal(got[:, 3:-3, 3:-3], lr[:, 3:-3, 3:-3]), file
        differs = differs or not torch.equal(got, lr)
    assert differs


@every_edge
@every_scale
@pytest.mark.parametrize("size", [1, 2, 5, 17])
def test_every_row_of_the_matrix_sums_to_one(edges: Edges, scale: float, size: int) -> None:
    matrix = resize_matrix(size, max(1, round(size * scale)), scale, edges)
    assert matrix.dtype == torch.float64
    assert torch.allclose(matrix.sum(dim=1), torch.ones(len(matrix), dtype=torch.float64))


@every_edge
def test_weights_of_halving_by_hand(edges: Edges) -> None:
    # Keys' kernel at 1/4, 3/4, 5/4 ... 7/4 on either side, halved
    half = [Fraction(n, 256) for n in (111, 29, -9, -3)]
    row = [float(w) for w in (*reversed(half), *half)]
    matrix = resize_matrix(20, 10, 0.5, edges)
    assert matrix[5, 7:15].tolist() == pytest.approx(row, abs=1e-15)
    assert float(matrix[5].abs().sum()) == pytest.approx(sum(map(abs, row)))


def test_what_lies_beyond_the_edge() -> None:
    # the first output of halving needs three samples before the first
    weights = [-3 / 256, -9 / 256, 29 / 256, 111 / 256, 111 / 256, 29 / 256, -9 / 256, -3 / 256]
    replicated, mirrored = [0.0] * 5, [0.0] * 5
    for place, weight in zip(range(-3, 5), weights, strict=True):
        replicated[max(place, 0)] += weight
        mirrored[place if place >= 0 else -1 - place] += weight
    for edges, wanted in (("replicate", replicated), ("symmetric", mirrored)):
        matrix = resize_matrix(12, 6, 0.5, edges)
        assert matrix[0, :5].tolist() == pytest.approx(wanted, abs=1e-15)


@every_edge
@every_scale
def test_sizes_round_up(edges: Edges, scale: float) -> None:
    for height, width in ((5, 8), (12, 7), (1, 1)):
        got = imresize(torch.rand(2, 3, height, width), scale, edges)
        expected = tuple(
            -int(-side * Fraction(scale).limit_denominator(100) // 1) for side in (height, width)
        )
        assert got.shape == (2, 3, *expected)


@every_edge
@every_scale
def test_constants_are_kept(edges: Edges, scale: float) -> None:
    image = torch.full((1, 9, 13), 0.37, dtype=torch.float64)
    assert torch.allclose(imresize(image, scale, edges), torch.tensor(0.37, dtype=torch.float64))
    levels = torch.full((3, 9, 13), 201, dtype=torch.uint8)
    assert imresize_uint8(levels, scale, edges).unique().tolist() == [201]


@every_edge
@pytest.mark.parametrize("scale", [1 / 4, 1 / 2, 2.0, 3.0])
def test_a_mirrored_picture_gives_the_mirrored_result(edges: Edges, scale: float) -> None:
    image = torch.rand(1, 12, 16, dtype=torch.float64)
    for dim in (-1, -2):
        assert torch.allclose(
            imresize(image.flip(dim), scale, edges), imresize(image, scale, edges).flip(dim)
        )


@every_edge
def test_rows_and_columns_are_treated_alike(edges: Edges) -> None:
    image = torch.rand(1, 12, 20, dtype=torch.float64)
    assert torch.allclose(imresize(image.mT, 0.25, edges), imresize(image, 0.25, edges).mT)


def test_linear_ramps_stay_linear_away_from_the_edge() -> None:
    ramp = torch.arange(40, dtype=torch.float64).expand(1, 8, 40)
    small = imresize(ramp, 0.25)[0, 0]
    assert torch.allclose(small[2:-2], 4 * torch.arange(2, 8, dtype=torch.float64) + 1.5)
    large = imresize(ramp, 2.0)[0, 0]
    assert torch.allclose(large[4:-4], torch.arange(4, 76, dtype=torch.float64) / 2 - 0.25)


def test_scale_one_changes_nothing() -> None:
    image = torch.rand(2, 3, 7, 9, dtype=torch.float64)
    assert torch.allclose(imresize(image, 1.0), image, atol=1e-15)


@every_edge
@pytest.mark.parametrize("scale", [0.5, 1.5])
def test_gradients_are_right(edges: Edges, scale: float) -> None:
    image = torch.rand(1, 5, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: imresize(x, scale, edges), (image,))


def test_the_number_format_of_the_picture_is_kept() -> None:
    assert imresize(torch.rand(1, 8, 8), 0.5).dtype == torch.float32
    assert imresize(torch.rand(1, 8, 8, dtype=torch.float64), 0.5).dtype == torch.float64
    assert imresize_uint8(planes(picture(8, 8)), 0.5).dtype == torch.uint8


def test_whole_numbers_are_rounded_half_up_after_each_direction_and_clipped() -> None:
    hr = planes(picture(24, 20, seed=4))
    stretched = ((hr.double() - 128) * 6 + 128).clamp(0, 255).to(torch.uint8)
    rows = resize_matrix(24, 6, 0.25)
    columns = resize_matrix(20, 5, 0.25)
    first = (rows @ stretched.double() + 0.5).floor().clamp(0, 255)
    second = (first @ columns.T + 0.5).floor().clamp(0, 255)
    assert torch.equal(imresize_uint8(stretched, 0.25).double(), second)


@pytest.mark.parametrize("shape", [(9, 8), (3, 9, 8), (2, 3, 9, 8)])
def test_whole_numbers_are_widened_plane_by_plane_whatever_comes_before(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = torch.randint(0, 256, shape, dtype=torch.uint8)
    widened: list[int] = []
    double = Tensor.double

    def watched(tensor: Tensor) -> Tensor:
        widened.append(tensor.numel())
        return double(tensor)

    monkeypatch.setattr(Tensor, "double", watched)
    small = imresize_uint8(levels, 0.5)
    assert max(widened) == 9 * 8
    assert small.shape == (*shape[:-2], 5, 4)
    for plane, wanted in zip(small.view(-1, 5, 4), levels.view(-1, 9, 8), strict=True):
        assert torch.equal(plane, imresize_uint8(wanted, 0.5))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_a_scale_that_is_not_positive_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="scale must be positive"):
        imresize(torch.rand(1, 4, 4), scale)
