"""The benchmark times each model in turn and prints medians and their ratios."""

from pathlib import Path

import pytest
import torch

from srgan.generators import GeneratorSpec, save_generator
from tools import benchmark as program
from tools.export_onnx import ExportConfig, export


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    made = []
    for name, blocks in (("small", 1), ("large", 16)):
        spec = GeneratorSpec("light", 2, 32, blocks)
        generator = folder / f"{name}.safetensors"
        save_generator(generator, spec, spec.build().state_dict(), {})
        made.append(folder / f"{name}.onnx")
        assert export(ExportConfig(generator, made[-1]))
    return made


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> object:
    monkeypatch.setattr("sys.argv", ["benchmark", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        program.main()
    return end.value.code


def test_ratios_are_to_the_first_model(
    models: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *models, "--size", "48", "--threads", "1", "--runs", "5") == 0
    machine, _, *rows = capsys.readouterr().out.splitlines()
    assert machine.startswith("48x48, 1 threads, ")
    (small, small_ms, one), (large, large_ms, ratio) = (row.split() for row in rows)
    assert (small, large, one) == ("small.onnx", "large.onnx", "1.00")
    assert float(ratio) > 3  # eight times the multiply-adds
    assert float(ratio) == pytest.approx(float(large_ms) / float(small_ms), rel=0.2)


@pytest.mark.parametrize("options", [["--runs", "0"], ["--size", "0"], ["nowhere.onnx"]])
def test_what_cannot_be_timed_is_exit_code_2(
    options: list[str], models: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(monkeypatch, models[0], *options) == 2
