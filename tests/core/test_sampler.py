"""A trained generator, read and sampled from."""

from pathlib import Path

import pytest
import torch

from core.checkpoint import CheckpointError, save_state
from core.players import PlayerSpec
from core.sampler import Sampler, load_sampler, save_sampler

SPEC = PlayerSpec("dcgan", (1, 8, 8), 4, 4, latent_size=5, noise="uniform")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "generator.safetensors"
    save_sampler(path, SPEC, SPEC.build_generator().state_dict(), {"steps": 3})
    return path


def test_it_is_read_from_its_file_or_its_folder(file: Path) -> None:
    one, other = load_sampler(file), load_sampler(str(file.parent))
    assert one.spec == SPEC
    assert one.training == {"steps": 3}
    assert torch.equal(one.sample(7, seed=1), other.sample(7, seed=1))


def test_a_seed_decides_the_samples_and_how_many_there_are_does_not(file: Path) -> None:
    sampler = load_sampler(file)
    few, many = sampler.sample(3, seed=1), sampler.sample(30, seed=2)
    assert few.shape == (3, 1, 8, 8)
    assert not torch.equal(few, many[:3])
    assert torch.equal(many, sampler.sample(30, seed=2))
    noise = sampler.noise(30, seed=2)
    assert torch.allclose(sampler.pictures(noise, block=7), many, atol=1e-6)
    assert float(noise.abs().max()) <= 3**0.5


def test_sampling_leaves_the_network_and_the_global_noise_as_they_were() -> None:
    network = SPEC.build_generator().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    random = torch.get_rng_state()
    Sampler(network, SPEC, {}).sample(4)
    assert network.training
    assert torch.equal(torch.get_rng_state(), random)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_a_generator_by_class_gives_the_classes_in_turn() -> None:
    spec = PlayerSpec("dense", (1, 4, 4), 8, 8, classes=3)
    sampler = Sampler(spec.build_generator(), spec, {})
    noise = sampler.noise(5)
    wanted = sampler.pictures(noise, torch.tensor([0, 1, 2, 0, 1]))
    assert torch.equal(sampler.pictures(noise), wanted)
    assert not torch.equal(sampler.pictures(noise, torch.zeros(5, dtype=torch.long)), wanted)


def test_another_file_is_refused(tmp_path: Path) -> None:
    save_state(tmp_path / "generator.safetensors", {"weights": {}})
    with pytest.raises(CheckpointError, match="holds no generator from noise"):
        load_sampler(tmp_path)
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        load_sampler(tmp_path / "missing.safetensors")
