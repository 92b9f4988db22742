"""Write the card of a bundled model: what it is, how it was made, what it was measured to do."""

import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import onnx
import tyro

from core.command import UserError, run_command
from srgan.evaluate import score
from srgan.generators import load_generator
from srgan.upscalers import open_upscaler

__all__ = ["CardConfig", "describe", "render", "write_card"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CardConfig:
    """What to describe.

    Attributes:
        models: the ONNX files of one model, fp32 first; the card is written beside the first one.
        generator: the generator.safetensors that they were exported from.
        sets: folders to measure on, as for python -m srgan.evaluate.
        data: a sentence on the training pictures and their licences.
        command: the command that trained it.
    """

    models: Annotated[tuple[Path, ...], tyro.conf.Positional]
    generator: Path
    sets: tuple[Path, ...]
    data: str
    command: str


def _file(path: Path, sets: tuple[Path, ...]) -> dict[str, Any]:
    metadata = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    scale = int(metadata["scale"])
    upscaler = open_upscaler(str(path), scale)
    return {
        "file": path.name,
        "precision": metadata["precision"],
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "metrics": {folder.name: _rounded(score(upscaler, folder, scale)) for folder in sets},
    }


def _rounded(row: dict[str, float]) -> dict[str, float]:
    return {
        name: round(value, 2 if name.startswith("psnr") else 4)
        for name, value in row.items()
        if name not in ("seconds", "pictures")
    }


def describe(config: CardConfig) -> dict[str, Any]:
    """Measure the files and return the card as plain data.

    Raises:
        UserError: if a file cannot be read.
    """
    network, spec, training = load_generator(config.generator)
    metadata = {entry.key: entry.value for entry in onnx.load(config.models[0]).metadata_props}
    bicubic = open_upscaler("bicubic", network.scale)
    return {
        "name": metadata["name"],
        "license": metadata["license"],
        "architecture": vars(spec),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "macs_per_lr_pixel": network.macs_per_lr_pixel,
        "scale": network.scale,
        "halo": network.halo,
        "training": {"data": config.data, "command": config.command, **training},
        "files": [_file(path, config.sets) for path in config.models],
        "bicubic": {
            folder.name: _rounded(score(bicubic, folder, network.scale)) for folder in config.sets
        },
        "measured_by": "python -m srgan.evaluate bicubic "
        + " ".join(path.name for path in config.models)
        + " --sets "
        + " ".join(folder.name for folder in config.sets),
    }


def render(card: dict[str, Any]) -> str:
    """Return the card as Markdown."""
    spec, training = card["architecture"], card["training"]
    lines = [
        f"# {card['name']}",
        "",
        f"Enlarges pictures {card['scale']} times a side. Licence of the weights: "
        f"{card['license']}.",
        "",
        f"- Network: `{spec['name']}`, {spec['blocks']} blocks of {spec['width']} channels, "
        f"{card['parameters']:,} parameters, {card['macs_per_lr_pixel']:,} multiply-adds for each "
        f"input pixel, halo {card['halo']}.",
        f"- Trained on {training['data']}",
        f"- Trained for {training['steps']:,} steps by",
        "",
        "      " + training["command"],
        "",
        "| file | set | PSNR-Y | SSIM-Y | PSNR-RGB | SSIM-RGB |",
        "|---|---|---|---|---|---|",
    ]
    rows = [("bicubic", card["bicubic"])]
    rows += [(f"`{file['file']}`", file["metrics"]) for file in card["files"]]
    for name, metrics in rows:
        for folder, values in metrics.items():
            lines.append(
                f"| {name} | {folder} | {values['psnr_y']:.2f} | {values['ssim_y']:.4f} "
                f"| {values['psnr_rgb']:.2f} | {values['ssim_rgb']:.4f} |"
            )
    lines += ["", f"Measured by `{card['measured_by']}`.", ""]
    lines += ["| file | bytes | sha256 |", "|---|---|---|"]
    lines += [f"| `{f['file']}` | {f['bytes']:,} | `{f['sha256']}` |" for f in card["files"]]
    return "\n".join(lines) + "\n"


def write_card(config: CardConfig) -> bool:
    """Write NAME.json and NAME.md beside the first model."""
    if not config.models:
        raise UserError("name at least one ONNX file")
    card = describe(config)
    for suffix, text in (
        (".json", json.dumps(card, indent=2) + "\n"),
        (".md", render(card)),
    ):
        path = config.models[0].with_suffix(suffix)
        path.write_text(text)
        logger.info("wrote %s", path)
    return True


def main() -> None:
    """Run ``python tools/model_card.py``."""
    run_command(CardConfig, write_card)


if __name__ == "__main__":
    main()
