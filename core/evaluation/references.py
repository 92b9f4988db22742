"""Stand-ins for samples, without which a Parzen score says nothing."""

import torch
from torch import Tensor

__all__ = ["centroids", "mean_picture", "some_pictures"]


def some_pictures(pictures: Tensor, count: int) -> Tensor:
    """Return ``count`` of the pictures: a generator that has learnt them by heart."""
    order = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(0))
    return pictures[order[:count]]


def centroids(pictures: Tensor, count: int) -> Tensor:
    """Return k-means centroids ``[count, C, H, W]``: blurred, and nobody's idea of a good sample.

    Pictures that look at most like this score best of all (Theis et al. 2016).
    """
    from sklearn.cluster import MiniBatchKMeans

    means = MiniBatchKMeans(
        min(count, len(pictures)), batch_size=5000, n_init=1, max_iter=5, random_state=0
    ).fit(pictures.flatten(1).numpy())
    return torch.from_numpy(means.cluster_centers_).float().reshape(-1, *pictures.shape[1:])


def mean_picture(pictures: Tensor) -> Tensor:
    """Return the one mean picture, ``[1, C, H, W]``: a generator that has learnt nothing else."""
    return pictures.mean(dim=0, keepdim=True)
