"""The Toronto Face Database, of which the tests have a made-up file."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from core.datasets import DataUnavailableError, load_pictures


def test_the_first_fold_says_what_each_face_is_for(tmp_path: Path) -> None:
    images = np.arange(6, dtype=np.uint8)[:, None, None] * np.ones((6, 48, 48), np.uint8)
    folds = np.array([[0, 1], [0, 1], [1, 0], [2, 0], [3, 0], [3, 0]])
    savemat(tmp_path / "TFD_48x48.mat", {"images": images, "folds": folds})
    got = load_pictures("tfd", tmp_path)
    assert got.shape == (1, 48, 48)
    assert got.classes == 0
    values = [
        (part.pictures[:, 0, 0, 0] * 255).round().int().tolist()
        for part in (got.train, got.validation, got.test)
    ]
    assert values == [[0, 1], [3], [4, 5]]


def test_where_it_is_missing_it_says_that_it_is_not_public(tmp_path: Path) -> None:
    with pytest.raises(DataUnavailableError, match="not public"):
        load_pictures("tfd", tmp_path)


@pytest.mark.parametrize("content", [b"no matlab file", None])
def test_another_file_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "TFD_48x48.mat"
    if content is None:
        savemat(path, {"pictures": np.zeros(3)})
    else:
        path.write_bytes(content)
    with pytest.raises(DataUnavailableError, match=r"must hold images.* and folds"):
        load_pictures("tfd", tmp_path)
