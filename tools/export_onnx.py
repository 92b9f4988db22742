"""Export a generator to ONNX, prove the file equal to it, and make its 8-bit twin."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import onnx
import torch
import tyro
from torch import Tensor

import srgan
from core.command import UserError, run_command
from core.files import appearing
from srgan.community import is_community
from srgan.generators import Generator, load_generator
from srgan.sources import list_pictures
from tools.community import CommunityGenerator
from tools.quantise import crop_pair, quantise
from tools.triton_repository import write_repository

__all__ = ["ExportConfig", "ExportError", "export", "export_onnx", "largest_difference"]

logger = logging.getLogger(__name__)

SHIPPED = Path(srgan.__file__).parent / "weights" / "x4-fast.safetensors"
LAST_RUN = Path("runs/srgan/generator.safetensors")
TOLERANCE = 1e-4
HALF_TOLERANCE = 1e-2
# The oldest that all networks of this project can be converted to, to the newest that onnx knows.
OPSETS = range(17, onnx.defs.onnx_opset_version() + 1)
_SHOWN = 4  # photographs that equality is shown on
# batch, height, width: single pixels, odd and prime sides, sides shorter than the halo
CHECKED_SHAPES = ((1, 1, 1), (1, 2, 7), (2, 17, 23), (3, 31, 8), (1, 64, 64), (2, 61, 127))


class ExportError(UserError):
    """The exported file does not do what the network does."""


@dataclass(frozen=True)
class ExportConfig:
    """What to export.

    Attributes:
        generator: a generator.safetensors, or another project's checkpoint; by default that of
            runs/srgan, or where there is none the one that this project ships.
        out: the ONNX file; by default beside the generator, or NAME.onnx for the shipped one. The
            twins' names get -int8 and -fp16.
        name: the model's name in the service; by default the file's.
        int8: also write an 8-bit twin.
        fp16: also write a twin in half precision, for graphics processors.
        triton: also lay all files out as a Triton model repository in this folder.
        pictures: folder of photographs to calibrate the 8-bit twin on, and to measure its loss on;
            equality with the network is then shown on them, too.
        opset: version of the ONNX operators; from 17 to the newest that the installed onnx knows.
        license: of the weights, as an SPDX identifier; by default MIT, and NOASSERTION for another
            project's.
    """

    generator: Annotated[Path | None, tyro.conf.Positional] = None
    out: Path | None = None
    name: str | None = None
    int8: bool = False
    fp16: bool = False
    triton: Path | None = None
    pictures: Path | None = None
    opset: int = 20
    license: str | None = None

    def __post_init__(self) -> None:
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
    pictures: Sequence[Tensor] = (),
) -> None:
    """Write a generator as ONNX: ``lr`` float32 ``[N, 3, H, W]`` to ``hr``, any N, H and W.

    The file appears only if ONNX Runtime computes the same from it as torch does.

    Args:
        network: in evaluation mode.
        path: of the file.
        metadata: to be written into it.
        opset: version of the ONNX operators.
        pictures: to compare on, ``[1, 3, H, W]`` in [0, 1], beside noise of odd sizes.

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
        for kind, inputs in (("noise", _noise()), ("photographs", pictures)):
            if not inputs:
                continue
            difference = largest_difference(network, temporary, inputs)
            if not difference <= TOLERANCE:  # nor may it be NaN
                raise ExportError(
                    f"ONNX Runtime and torch differ by {difference:.2e} on {kind}, "
                    f"allowed is {TOLERANCE:.0e}"
                )
            logger.info(
                "largest difference between ONNX Runtime and torch on %s: %.1e", kind, difference
            )


def _check_opset(model: onnx.ModelProto, opset: int) -> None:
    """Refuse another version than was asked for: torch keeps its own where it cannot convert."""
    (written,) = (each.version for each in model.opset_import if not each.domain)
    if written != opset:
        raise ExportError(
            f"the network cannot be written with opset {opset}; expected one that it can be "
            f"converted to, such as {written}"
        )


def _noise() -> list[Tensor]:
    random = torch.Generator().manual_seed(0)
    return [
        torch.rand(batch, 3, height, width, generator=random)
        for batch, height, width in CHECKED_SHAPES
    ]


@torch.no_grad()
def largest_difference(
    network: Generator, path: Path, inputs: Sequence[Tensor] | None = None
) -> float:
    """Return the largest absolute difference of outputs over inputs, by default noise."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    differences = []
    for lr in _noise() if inputs is None else inputs:
        (got,) = session.run(None, {"lr": lr.numpy()})
        differences.append(np.abs(got - network(lr).numpy()).max())
    return float(np.max(differences))  # NaN if any is, unlike Python's max


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
        "name": config.name or out.stem,
        "scale": str(network.scale),
        "halo": str(network.halo),
        "input_range": "0..1",
        "color_order": "RGB",
        "precision": "fp32",
        **origin,
    }
    if config.license is not None:
        metadata["license"] = config.license
    export_onnx(network, out, metadata, config.opset, _crops(config.pictures, network.scale))
    logger.info("wrote %s (%.0f kB) from %s", out, out.stat().st_size / 1e3, source)
    written = [out]
    if config.fp16:
        written.append(_write_half(network, out, metadata))
    if config.int8:
        assert config.pictures is not None
        twin = out.with_name(f"{out.stem}-int8.onnx")
        with appearing(twin) as temporary:
            loss = quantise(out, temporary, config.pictures, network.scale)
            model = onnx.load(temporary)
            describe(
                model, metadata | {"name": twin.stem, "precision": "int8", "input_range": "0..255"}
            )
            onnx.save(model, temporary)
        logger.info("wrote %s: %.3f dB below its fp32 twin", twin, loss)
        written.append(twin)
    if config.triton:
        write_repository(written, config.triton)
        logger.info("wrote a Triton model repository to %s", config.triton)
    return True


def _crops(pictures: Path | None, scale: int) -> list[Tensor]:
    if pictures is None:
        return []
    return [crop_pair(path, scale)[0] for path in list_pictures(pictures)[:_SHOWN]]


def _write_half(network: Generator, out: Path, metadata: dict[str, str]) -> Path:
    """Write the twin in half precision; it takes and gives float32 all the same."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    twin = out.with_name(f"{out.stem}-fp16.onnx")
    with appearing(twin) as temporary:
        model = convert_float_to_float16(onnx.load(out), keep_io_types=True)
        describe(model, metadata | {"name": twin.stem, "precision": "fp16"})
        onnx.save(model, temporary)
        difference = largest_difference(network, temporary)
        if not difference <= HALF_TOLERANCE:
            raise ExportError(
                f"the twin in half precision and torch differ by {difference:.2e}, "
                f"allowed is {HALF_TOLERANCE:.0e}"
            )
    logger.info("wrote %s: largest difference from torch %.1e", twin, difference)
    return twin


def main() -> None:
    """Run ``python tools/export_onnx.py``."""
    for chatty in ("onnxscript", "onnx_ir"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    run_command(ExportConfig, export)


if __name__ == "__main__":
    main()
