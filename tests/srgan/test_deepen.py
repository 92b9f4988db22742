"""Deeper generators: the same pictures at first, and new blocks that can learn."""

from pathlib import Path

import pytest
import torch

from core.command import UserError
from srgan.deepen import DeepenConfig, deepen
from srgan.generators import GeneratorName, GeneratorSpec, load_generator, save_generator


def saved(path: Path, spec: GeneratorSpec) -> Path:
    save_generator(path, spec, spec.build().state_dict(), {"steps": 7})
    return path


@pytest.mark.parametrize("name", ["plain", "light"])
def test_a_deeper_generator_gives_the_same_pictures(name: GeneratorName, tmp_path: Path) -> None:
    shallow = saved(tmp_path / "shallow.safetensors", GeneratorSpec(name, 2, 16, 1))
    out = tmp_path / "new" / "deep.safetensors"
    assert deepen(DeepenConfig(shallow, 3, out))
    deep, spec, training = load_generator(out)
    assert spec == GeneratorSpec(name, 2, 16, 3)
    assert training == {"steps": 7}
    lr = torch.rand(1, 3, 9, 7)
    assert torch.equal(deep(lr), load_generator(shallow)[0](lr))


def test_its_new_blocks_learn(tmp_path: Path) -> None:
    shallow = saved(tmp_path / "shallow.safetensors", GeneratorSpec("light", 2, 16, 1))
    out = tmp_path / "deep.safetensors"
    deepen(DeepenConfig(shallow, 2, out))
    deep = load_generator(out)[0].train()
    optimizer = torch.optim.SGD(deep.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        deep(torch.rand(1, 3, 9, 7)).square().mean().backward()
        optimizer.step()
    gradients = {name: p.grad for name, p in deep.named_parameters() if name.startswith("body.1")}
    assert len(gradients) == 4
    assert all(gradient is not None and gradient.any() for gradient in gradients.values())


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (GeneratorSpec("srresnet", 2, 4, 1), "only plain and light generators are deepened"),
        (GeneratorSpec("light", 2, 16, 2), "--blocks must be more than the 2 of"),
    ],
)
def test_what_cannot_be_deepened_is_refused(
    spec: GeneratorSpec, sentence: str, tmp_path: Path
) -> None:
    path = saved(tmp_path / "generator.safetensors", spec)
    with pytest.raises(UserError, match=sentence):
        deepen(DeepenConfig(path, 2, tmp_path / "out.safetensors"))
    assert not (tmp_path / "out.safetensors").exists()
