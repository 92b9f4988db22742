import sys
from pathlib import Path

import pytest

from core.command import UserError
from tools.beside_bentoml import bentoml


def test_an_environment_without_bentoml_is_refused() -> None:
    refused = pytest.raises(UserError, match=r"BentoML did not start: .*No module named")
    with refused, bentoml(Path(sys.executable)):
        pass
