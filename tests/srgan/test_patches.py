"""Training patches: aligned, in all poses, each batch a pure function of its index."""

import numpy as np
import pytest
import torch
from torch import Tensor

from srgan.cache import PairCache
from srgan.patches import PatchSampler, as_tensor
from srgan.resize import imresize_uint8
from tests.srgan.pictures import picture, planes

SCALE = 2


def pairs_of(*sizes: tuple[int, int], scale: int = SCALE) -> PairCache:
    hr = [picture(height, width, seed=index) for index, (height, width) in enumerate(sizes)]
    lr = [imresize_uint8(planes(p), 1 / scale).permute(1, 2, 0).numpy() for p in hr]
    return PairCache.of(scale, hr, lr)


def levels(patches: Tensor) -> Tensor:
    return patches.mul(255).round().to(torch.uint8)


def test_pictures_become_channels_last_tensors_in_0_to_1() -> None:
    got = as_tensor([picture(6, 8, seed=seed) for seed in range(3)])
    assert got.shape == (3, 3, 6, 8)
    assert got.dtype == torch.float32
    assert got.is_contiguous(memory_format=torch.channels_last)
    for seed in range(3):
        assert torch.equal(got[seed], planes(picture(6, 8, seed=seed)).float() / 255)


def test_a_batch_has_small_patches_and_their_large_twins() -> None:
    batch = PatchSampler(pairs_of((40, 48)), batch_size=5, patch=8).batch(0)
    assert batch.cond is not None
    assert batch.cond.shape == (5, 3, 8, 8)
    assert batch.real.shape == (5, 3, 16, 16)
    for part in (batch.real, batch.cond):
        assert part.dtype == torch.float32
        assert part.is_contiguous(memory_format=torch.channels_last)
        assert 0 <= float(part.min()) < float(part.max()) <= 1


def test_a_batch_is_a_pure_function_of_seed_and_index() -> None:
    pairs = pairs_of((40, 48), (30, 30))
    forward = [PatchSampler(pairs, 4, 8, seed=1).batch(index) for index in range(6)]
    np.random.seed(0)
    torch.manual_seed(0)
    again = PatchSampler(pairs, 4, 8, seed=1)
    for index in reversed(range(6)):
        batch = again.batch(index)
        assert batch.cond is not None
        assert torch.equal(batch.real, forward[index].real)
        assert torch.equal(batch.cond, forward[index].cond)  # type: ignore[arg-type]
    other = PatchSampler(pairs, 4, 8, seed=2)
    assert not torch.equal(other.batch(0).real, forward[0].real)
    assert not torch.equal(forward[0].real, forward[1].real)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_graphics_card_cuts_the_same_patches(
    share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("srgan.patches._SHARE_OF_DEVICE", share)
    pairs = pairs_of((40, 48), (30, 34))
    here, there = (PatchSampler(pairs, 64, 8, device=device) for device in ("cpu", "cuda"))
    one, other = here.batch(3), there.batch(3)
    assert other.real.device.type == ("cuda" if share else "cpu")
    assert one.cond is not None
    assert other.cond is not None
    # a card divides by 255 in another way: the last bit may differ
    torch.testing.assert_close(other.real.cpu(), one.real, rtol=0, atol=1e-7)
    torch.testing.assert_close(other.cond.cpu(), one.cond, rtol=0, atol=1e-7)


def test_within_a_patch_the_small_one_is_the_reduction_of_the_large_one() -> None:
    # further in than the kernel reaches, a patch does not know that it was cut out
    sampler = PatchSampler(pairs_of((60, 60)), batch_size=64, patch=16)
    batch = sampler.batch(0)
    assert batch.cond is not None
    reduced = imresize_uint8(levels(batch.real), 1 / SCALE)
    inside = (reduced.int() - levels(batch.cond).int())[..., 3:-3, 3:-3].abs()
    # a turned picture is rounded after its rows instead of its columns first: a level at most
    assert int(inside.max()) <= 1
    assert float((inside == 0).float().mean()) > 0.8


def test_all_eight_poses_occur_about_equally_and_in_both_alike() -> None:
    pairs = pairs_of((16, 16))
    poses = {}
    for turns in range(4):
        for mirror in (False, True):
            hr, lr = (np.rot90(p, turns) for p in (pairs.hr[0], pairs.lr[0]))
            hr, lr = (p[:, ::-1] if mirror else p for p in (hr, lr))
            poses[planes(hr).numpy().tobytes()] = planes(lr)
    assert len(poses) == 8
    counts = dict.fromkeys(poses, 0)
    batch = PatchSampler(pairs, batch_size=400, patch=8).batch(0)
    assert batch.cond is not None
    for real, cond in zip(levels(batch.real), levels(batch.cond), strict=True):
        pose = real.contiguous().numpy().tobytes()
        assert torch.equal(cond, poses[pose])
        counts[pose] += 1
    assert min(counts.values()) > 25  # of 50 expected


def test_pictures_are_drawn_by_their_area() -> None:
    hr = [np.full((16, 16, 3), 10, np.uint8), np.full((48, 48, 3), 200, np.uint8)]
    lr = [np.full((8, 8, 3), 10, np.uint8), np.full((24, 24, 3), 200, np.uint8)]
    batch = PatchSampler(PairCache.of(2, hr, lr), batch_size=2000, patch=8).batch(0)
    share = float((batch.real[:, 0, 0, 0] < 0.5).float().mean())
    assert share == pytest.approx(0.1, abs=0.03)


def test_every_place_of_a_picture_can_be_drawn() -> None:
    hr = np.arange(20 * 22, dtype=np.uint16).reshape(20, 22, 1)
    marks = np.concatenate([hr % 256, hr // 256, 0 * hr], axis=2).astype(np.uint8)
    pairs = PairCache.of(2, [marks], [np.zeros((10, 11, 3), np.uint8)])
    batch = levels(PatchSampler(pairs, batch_size=600, patch=8).batch(0).real).int()
    corners = {int(p[0, r, c] + 256 * p[1, r, c]) for p in batch for r in (0, 15) for c in (0, 15)}
    tops = {
        min(int(p[0, r, c] + 256 * p[1, r, c]) for r in (0, 15) for c in (0, 15)) for p in batch
    }
    assert tops == {row * 22 + column for row in (0, 2, 4) for column in (0, 2, 4, 6)}
    assert max(corners) == 20 * 22 - 1


def striped(strength: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    rows = 100 + strength * (np.arange(48) % 2)
    return np.broadcast_to(rows[:, None, None], (48, 48, 3)).astype(np.uint8)


def share_of_the_second(first: int, second: int, candidates: int) -> float:
    """Of two pictures with stripes of these strengths, one enlarged to white."""
    lr = [striped(first), striped(second)]
    hr = [np.full((96, 96, 3), level, np.uint8) for level in (0, 255)]
    sampler = PatchSampler(PairCache.of(2, hr, lr), 2000, 8, candidates=candidates)
    return float(sampler.batch(0).real[:, 0, 0, 0].mean())


@pytest.mark.parametrize(
    ("candidates", "share"),
    # both of a pair are of the second picture, or one of them and it wins by 4 to 1
    [(1, 1 / 2), (2, 1 / 4 + 1 / 2 * 4 / 5)],
)
def test_a_place_is_taken_in_proportion_to_the_square_of_its_differences(
    candidates: int, share: float
) -> None:
    assert share_of_the_second(20, 40, candidates) == pytest.approx(share, abs=0.04)


def test_a_flat_place_is_taken_only_where_there_is_nothing_else() -> None:
    assert share_of_the_second(0, 40, candidates=4) == pytest.approx(15 / 16, abs=0.02)
    assert share_of_the_second(0, 0, candidates=4) == pytest.approx(1 / 2, abs=0.04)


def test_with_candidates_a_batch_is_still_a_pure_function_of_seed_and_index() -> None:
    pairs = pairs_of((40, 48), (30, 30))
    one, other = (PatchSampler(pairs, 4, 8, candidates=5) for _ in range(2))
    one.batch(0)
    assert torch.equal(one.batch(1).real, other.batch(1).real)
