from pathlib import Path

from serving.model import load_model
from tests.serving.networks import Network
from tools.benchmark_batch import seconds


def test_the_time_of_a_tile_is_measured_in_batches(tmp_path: Path) -> None:
    model = load_model(Network("net").save(tmp_path))
    assert 0 < seconds(model, 2) < 10
