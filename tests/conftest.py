import os
from collections.abc import Callable
from pathlib import Path

import pytest

DATA_VARIABLE = "SRGAN_TEST_DATA"

DataFolder = Callable[[str], Path]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes seconds; run all the same")


@pytest.fixture(scope="session")
def data_folder() -> DataFolder:
    """Return parts of the real data by name: ``data_folder("Set5/HR")``.

    Tests that need real data are skipped where the variable is not set. Where it is set, a part
    that is missing is a failure: data that should be there is.
    """
    root = os.environ.get(DATA_VARIABLE)
    if not root:
        pytest.skip(f"{DATA_VARIABLE} does not name a folder with Set5, Set14, photos, MNIST ...")

    def part(name: str) -> Path:
        path = Path(root) / name
        if not path.exists():
            pytest.fail(f"{DATA_VARIABLE} is {root}, which has no {name}")
        return path

    return part
