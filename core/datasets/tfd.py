"""The Toronto Face Database: 48x48 grey faces (Susskind et al. 2010), which is not public."""

from pathlib import Path

import numpy as np
import torch

from core.datasets.collection import DataUnavailableError, Part, Pictures

__all__ = ["load_tfd"]

_FILE = "TFD_48x48.mat"
_UNLABELLED, _VALIDATION, _TEST = 0, 2, 3


def load_tfd(data_dir: Path) -> Pictures:
    """Read ``data_dir/TFD_48x48.mat``, with the split of its first fold.

    Training takes the unlabelled faces, as in Goodfellow et al. 2014.

    Raises:
        DataUnavailableError: if the file is not there or does not hold ``images`` and ``folds``.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    path = data_dir / _FILE
    if not path.exists():
        raise DataUnavailableError(
            f"the Toronto Face Database is not at {path}. It is not public: ask its owners at the "
            f"University of Toronto for {_FILE}, and name its folder with --data-dir."
        )
    try:
        content = loadmat(path)
        images, folds = np.asarray(content["images"]), np.asarray(content["folds"])[:, 0]
    except (KeyError, ValueError, IndexError, NotImplementedError, MatReadError) as error:
        raise DataUnavailableError(
            f"{path} must hold images, uint8 [N, 48, 48], and folds, [N, folds]: {error}"
        ) from error
    pictures = torch.from_numpy(np.ascontiguousarray(images))[:, None]
    parts = []
    for number in (_UNLABELLED, _VALIDATION, _TEST):
        chosen = torch.from_numpy(folds == number)
        if not chosen.any():
            raise DataUnavailableError(f"{path} has no face with {number} in its first fold")
        parts.append(Part(pictures[chosen].float() / 255))
    return Pictures(*parts)
