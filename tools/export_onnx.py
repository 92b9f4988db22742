"""Export a generator to ONNX, prove the file equal to it, and make its 8-bit twin."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from core.extras import require_train

if __name__ == "__main__":
    require_train("onnx")

import onnx
import torch
import tyro
from torch import Tensor

import srgan
from core.command import UserError, run_command
from core.files import appearing
from serving.names import ModelName
from srgan.community import is_community
from srgan.generators import Generator, load_generator
from tools.community import CommunityGenerator
from tools.equality import ExportError, check_equal, photographs
from tools.quantise import quantise
from tools.triton_repository import write_repository

__all__ = ["ExportConfig", "export", "export_onnx"]

logger = logging.getLogger(__name__)

SHIPPED = Path(srgan.__file__).parent / "weights" / "x4-fast.safetensors"
LAST_RUN = Path("runs/srgan/generator.safetensors")
TOLERANCE = 1e-4
HALF_TOLERANCE = 1e-2
# The oldest that all networks of this project can be converted to, to the newest that onnx knows.
OPSETS = range(17, onnx.defs.onnx_opset_version() + 1)


@dataclass(frozen=True)
class ExportConfig:
    """What to export.

    Attributes:
        generator: a generator.safetensors, or another project's checkpoint; by default that of
            runs/srgan, or where there is none the one that this project ships.
        out: the ONNX file; by default beside the generator, or x4-fast.onnx for the shipped one.
            What it is called is the model's name in the service, and may have a version
            (mine@2.onnx). The twins' names get -int8 and -fp16.
        int8: also write an 8-bit twin.
        fp16: also write a twin in half precision, for graphics processors.
        triton: also lay all files out as a Triton model repository in this folder.
        pictures: folder of photographs to calibrate the 8-bit twin on, and to measure its loss on;
            equality with the network is then shown on them, else on examples/cat.png.
        opset: version of the ONNX operators; from 17 to the newest that the installed onnx knows.
        license: of the weights, as an SPDX identifier; by default MIT, and NOASSERTION for another
            project's.
    """

    generator: Annotated[Path | None, tyro.conf.Positional] = None
    out: Path | None = None
    int8: bool = False
    fp16: bool = False
    triton: Path | None = None
    pictures: Path | None = None
    opset: int = 20
    license: str | None = None

    def __post_init__(self) -> None:
        if self.out is not None and self.out.suffix != ".onnx":
            raise UserError(f"--out must end in .onnx, not {self.out.name!r}")
        if self.opset not in OPSETS:
            raise UserError(f"--opset must be {OPSETS[0]} to {OPSETS[-1]}, not {self.opset}")
        if self.int8 and self.pictures is None:
            raise UserError("--int8 needs --pictures FOLDER: photographs to calibrate on")


def _without_origins(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop the exporter's notes on each node, which hold paths of the machine it ran on."""
    del model.graph.metadata_props[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output]:
        del value.metadata_props[:]
    for weight in model.graph.initializer:
        del weight.metadata_props[:]
    return model


def describe(model: onnx.ModelProto, metadata: dict[str, str]) -> None:
    """Write key-value metadata into a model, replacing what it had."""
    del model.metadata_props[:]
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)


def export_onnx(
    network: Generator,
    path: Path,
    metadata: dict[str, str],
    opset: int = 20,
    pictures: Sequence[Tensor] | None = None,
) -> None:
    """Write a generator as ONNX: ``lr`` float32 ``[N, 3, H, W]`` to ``hr``, any N, H and W.

    The file appears only if ONNX Runtime computes the same from it as torch does.

    Args:
        network: in evaluation mode.
        path: of the file.
        metadata: to be written into it.
        opset: version of the ONNX operators.
        pictures: to compare on, ``[1, 3, H, W]`` in [0, 1], beside noise of odd sizes; by default
            one that this project ships.

    Raises:
        ExportError: if the two differ by more than 1e-4 anywhere, the network looks further than
            its halo says, or it cannot be written at all, or not with these operators.
    """
    # A measured halo leaves out what makes no difference; a derived one must be exact.
    reach = 0 if isinstance(network, CommunityGenerator) else farthest_reach(network)
    if reach > network.halo:
        raise ExportError(f"the network looks {reach} pixels far, its halo says {network.halo}")
    dims = {
        0: torch.export.Dim("batch"),
        2: torch.export.Dim("height"),
        3: torch.export.Dim("width"),
    }
    with appearing(path) as temporary:
        try:
            torch.onnx.export(
                network,
                (torch.rand(2, 3, 17, 23),),
                temporary,
                input_names=["lr"],
                output_names=["hr"],
                opset_version=opset,
                dynamic_shapes={"lr": dims},
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        except torch.onnx.OnnxExporterError as error:
            raise ExportError(
                f"the network cannot be written as ONNX for pictures of any size: {error}"
            ) from error
        model = _without_origins(onnx.load(temporary))
        _check_opset(model, opset)
        describe(model, metadata)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, temporary)
        if pictures is None:
            pictures = photographs(None, network.scale)
        check_equal(network, temporary, pictures, TOLERANCE)


def _check_opset(model: onnx.ModelProto, opset: int) -> None:
    """Refuse another version than was asked for: torch keeps its own where it cannot convert."""
    (written,) = (each.version for each in model.opset_import if not each.domain)
    if written != opset:
        raise ExportError(
            f"the network cannot be written with opset {opset}; expected one that it can be "
            f"converted to, such as {written}"
        )


def farthest_reach(network: Generator) -> int:
    """Return how far an output pixel looks, in input pixels, by the gradient of one output pixel.

    Several random pictures are tried, since a rectifier can hide a path in any one of them.
    """
    centre = network.halo + 3
    random = torch.Generator().manual_seed(0)
    lr = torch.rand(4, 3, 2 * centre + 1, 2 * centre + 1, generator=random).requires_grad_()
    hr = network(lr)
    first = centre * network.scale
    hr[..., first : first + network.scale, first : first + network.scale].sum().backward()
    assert lr.grad is not None
    seen = lr.grad.abs().amax(dim=(0, 1)).nonzero()
    return int((seen - centre).abs().max())


def _pick(generator: Path | None) -> Path:
    if generator is not None:
        return generator
    path = LAST_RUN if LAST_RUN.exists() else SHIPPED
    if not path.exists():
        raise UserError(f"no generator is named and there is none at {LAST_RUN}: train one first")
    return path


def _load(source: Path) -> tuple[Generator, dict[str, str]]:
    """Return a network, and what its metadata says about where it comes from."""
    if is_community(source):
        foreign = CommunityGenerator(source)
        return foreign, foreign.metadata()
    network, spec, training = load_generator(source)
    return network, {
        "license": "MIT",
        "architecture": json.dumps(vars(spec)),
        "training_run": json.dumps(training),
    }


def export(config: ExportConfig) -> bool:
    """Export as asked.

    Raises:
        UserError: if the generator cannot be read, or a file would not do what it must.
    """
    source = _pick(config.generator)
    network, origin = _load(source)
    out = config.out or Path("x4-fast.onnx" if source == SHIPPED else source.with_suffix(".onnx"))
    metadata = {
        "format_version": "1",
        "name": ModelName.of_file(out).stem,
        "scale": str(network.scale),
        "halo": str(network.halo),
        "input_range": "0..1",
        "color_order": "RGB",
        "precision": "fp32",
        **origin,
    }
    if config.license is not None:
        metadata["license"] = config.license
    pictures = photographs(config.pictures, network.scale)
    export_onnx(network, out, metadata, config.opset, pictures)
    logger.info("wrote %s (%.0f kB) from %s", out, out.stat().st_size / 1e3, source)
    written = [out]
    if config.fp16:
        written.append(_write_half(network, out, metadata, pictures))
    if config.int8:
        assert config.pictures is not None
        twin = _twin(out, "int8")
        with appearing(twin) as temporary:
            losses = quantise(out, temporary, config.pictures, network.scale)
            model = onnx.load(temporary)
            name = ModelName.of_file(twin).stem
            describe(model, metadata | {"name": name, "precision": "int8", "input_range": "0..255"})
            onnx.save(model, temporary)
        logger.info("wrote %s\n%s", twin, losses.table())
        written.append(twin)
    if config.triton:
        write_repository(written, config.triton)
        logger.info("wrote a Triton model repository to %s", config.triton)
    return True


def _twin(out: Path, precision: str) -> Path:
    """Return the file of a twin: mine-int8@2.onnx of mine@2.onnx."""
    name = ModelName.parse(out.stem)
    return out.with_name(f"{replace(name, stem=f'{name.stem}-{precision}')}.onnx")


def _write_half(
    network: Generator, out: Path, metadata: dict[str, str], pictures: Sequence[Tensor]
) -> Path:
    """Write the twin in half precision; it takes and gives float32 all the same."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    twin = _twin(out, "fp16")
    with appearing(twin) as temporary:
        model = convert_float_to_float16(onnx.load(out), keep_io_types=True)
        describe(model, metadata | {"name": ModelName.of_file(twin).stem, "precision": "fp16"})
        onnx.save(model, temporary)
        check_equal(network, temporary, pictures, HALF_TOLERANCE)
    logger.info("wrote %s", twin)
    return twin


def main() -> None:
    """Run ``python tools/export_onnx.py``."""
    for chatty in ("onnxscript", "onnx_ir"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    run_command(ExportConfig, export)


if __name__ == "__main__":
    main()
