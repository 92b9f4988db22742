"""A network that trains for its 8-bit twin rounds as the twin does, and still learns."""

import copy
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import torch
from torch import nn

from core.checkpoint import load_state
from core.trainer import Trainer
from srgan.game import SuperResolutionGame
from srgan.generators import GeneratorSpec
from srgan.quantisation import is_rounding, quantisation_aware, round_from_now
from srgan.reparameterise import folded_state, reparameterise
from tests.core.games import Counting
from tests.core.test_resume import assert_identical
from tests.programs import run

SPEC = GeneratorSpec("light", 2, 16, 1)


def prepared(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return quantisation_aware(reparameterise(SPEC.build()))


def test_a_kernel_takes_at_most_255_levels_around_0_in_each_output_channel() -> None:
    for module in prepared().modules():
        if isinstance(module, nn.Conv2d):
            for kernel in module.weight.detach():
                levels = kernel / (kernel.abs().max() / 127)
                assert torch.allclose(levels, levels.round(), atol=1e-4)
                assert levels.abs().max() <= 127.01


def test_an_input_takes_256_levels_between_the_extremes_and_0_is_one_of_them() -> None:
    identity = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.ones_(identity.weight)
    network = quantisation_aware(identity)
    x = torch.linspace(-1, 4, 10_001).reshape(1, 1, 1, -1)
    rounded = network(x).detach()
    levels = rounded.unique()
    assert len(levels) == 256
    assert torch.allclose(levels.diff(), torch.tensor(5 / 255), atol=1e-6)
    assert 0 in levels
    assert float((rounded - x).abs().max()) <= 2.5 / 255 + 1e-6


def test_gradients_pass_the_rounding_and_reach_every_weight() -> None:
    network = prepared()
    network(torch.rand(2, 3, 9, 8)).square().mean().backward()
    grown = {name: p.grad for name, p in network.named_parameters() if "widen" not in name}
    assert all(g is not None and float(g.abs().sum()) > 0 for g in grown.values())


def test_extremes_are_followed_in_training_and_kept_in_evaluation() -> None:
    network = prepared()
    network(torch.rand(1, 3, 8, 8))
    before = copy.deepcopy(network.state_dict())
    network.eval()
    network(10 * torch.rand(1, 3, 8, 8))
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
    network.train()
    network(10 * torch.rand(1, 3, 8, 8))
    high = "head.parametrizations.weight.0.high"
    assert before[high] < network.state_dict()[high] < 2


def test_the_folded_network_is_plain_and_has_the_rounded_kernels() -> None:
    network = prepared()
    network(torch.rand(1, 3, 8, 8))
    plain = SPEC.build()
    plain.load_state_dict(folded_state(network))  # strict: nothing but the plain names
    rounded = network.get_submodule("head").weight
    assert isinstance(rounded, torch.Tensor)
    assert torch.equal(plain.get_parameter("head.weight"), rounded)


@pytest.mark.parametrize("asymmetric", [False, True])
def test_a_convolution_computes_what_its_integer_twin_computes(
    tmp_path: Path, asymmetric: bool
) -> None:
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    torch.manual_seed(3)
    convolution = quantisation_aware(nn.Sequential(nn.Conv2d(4, 8, 3, padding=1)))
    x = torch.rand(1, 4, 12, 12) - (0.3 if asymmetric else 0.0)
    convolution(x)
    convolution.eval()
    plain = nn.Conv2d(4, 8, 3, padding=1).eval()
    plain.load_state_dict({k.removeprefix("0."): v for k, v in folded_state(convolution).items()})
    torch.onnx.export(plain, (x,), tmp_path / "plain.onnx", input_names=["x"], dynamo=True)

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # the library is untyped
        feed = iter([{"x": x.numpy()}])

        def get_next(self) -> dict[str, Any] | None:
            return next(self.feed, None)

    quantize_static(
        tmp_path / "plain.onnx",
        tmp_path / "twin.onnx",
        Reader(),
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
    )
    twin = onnxruntime.InferenceSession(tmp_path / "twin.onnx", providers=["CPUExecutionProvider"])
    got = torch.from_numpy(twin.run(None, {"x": x.numpy()})[0])
    with torch.no_grad():
        wanted = convolution(x)
    step = float(wanted.max() - wanted.min()) / 255  # the twin rounds its output too
    assert float((got - wanted).abs().max()) <= 0.51 * step
    assert (
        float((plain(x) - wanted).detach().abs().max()) > 1e-5
    )  # which the plain one does not compute


def test_a_trainer_that_rounds_from_now_on_goes_on_with_the_same_weights() -> None:
    torch.manual_seed(0)
    network = reparameterise(SPEC.build())
    adam = torch.optim.Adam(network.parameters())
    trainer = Trainer(
        SuperResolutionGame(network, nn.Identity()), [], Counting(), ema_decay=0.9
    )  # fmt: skip
    network.forward = nn.Identity()  # as a recording leaves it
    assert not is_rounding(network.state_dict())
    round_from_now(trainer)
    moved = [id(p) for group in adam.param_groups for p in group["params"]]
    assert sorted(moved) == sorted(id(p) for p in network.parameters())
    lr = torch.rand(1, 3, 8, 8)
    assert network(lr).shape == (1, 3, 16, 16)
    for rounding in (network, trainer.sampler):
        assert is_rounding(rounding.state_dict())
        kernel = rounding.get_submodule("head").weight
        assert isinstance(kernel, torch.Tensor)
        levels = kernel.detach()[0] / (kernel.detach()[0].abs().max() / 127)
        assert torch.allclose(levels, levels.round(), atol=1e-4)
    before = copy.deepcopy(trainer.sampler.state_dict())
    trainer.sampler(lr)  # is in evaluation, and follows no extremes of its own
    after = trainer.sampler.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


@pytest.mark.slow
def test_two_processes_round_alike_and_go_on_from_a_checkpoint_to_the_same_bits(
    tmp_path: Path,
) -> None:
    code, output = run(
        "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m",
        "tests.srgan.two_processes", tmp_path,
    )  # fmt: skip
    assert code == 0, output
    whole, parts = load_state(tmp_path / "whole"), load_state(tmp_path / "parts")
    one, other = whole["generators"]
    assert_identical(one, other)
    assert_identical(parts, whole)
