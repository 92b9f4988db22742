"""Write the card of a bundled model: what it is, how it was made, what it was measured to do."""

import json
import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import onnx
import tyro
from google.protobuf.message import DecodeError

from core.command import UserError, run_command
from serving.digest import sha256_of
from srgan.degradations import DegradationName
from srgan.evaluation.measures import checkerboard, fidelity, naturalness, st_lpips
from srgan.evaluation.scores import score_set
from srgan.evaluation.sets import pairs, titled
from srgan.generators import load_generator
from srgan.upscalers import open_upscaler

__all__ = ["CardConfig", "describe", "render", "write_card"]

logger = logging.getLogger(__name__)
_SCORE = "_psnr_y"  # what ends the names of validations
_COLUMNS = {
    "psnr_y": ("PSNR-Y", 2),
    "ssim_y": ("SSIM-Y", 4),
    "psnr_rgb": ("PSNR-RGB", 2),
    "ssim_rgb": ("SSIM-RGB", 4),
    "st_lpips": ("ST-LPIPS", 3),
    "st_lpips_alex": ("ST-LPIPS-A", 3),
    "niqe": ("NIQE", 2),
    "grid": ("Grid", 3),
}


@dataclass(frozen=True)
class CardConfig:
    """What to describe.

    Attributes:
        models: the ONNX files of one model, fp32 first; the card is written beside the first one.
        generator: the generator.safetensors that they were exported from.
        sets: folders to measure on, as for python -m srgan.evaluate.
        data: a sentence on the training pictures and their licences.
        command: the command that trained it.
        degradation: what makes the inputs that it is measured on, as for srgan.evaluate. Of a model
            for damaged pictures NIQE is measured, too.
    """

    models: Annotated[tuple[Path, ...], tyro.conf.Positional]
    generator: Path
    sets: tuple[Path, ...]
    data: str
    command: str
    degradation: DegradationName = "bicubic"


def _metadata(path: Path) -> dict[str, str]:
    try:
        model = onnx.load(path)
    except (OSError, DecodeError) as error:
        raise UserError(f"{path} cannot be read as an ONNX file: {error}") from error
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    if "name" not in metadata:
        raise UserError(f"{path} has no 'name' in its metadata; was it exported by this project?")
    return metadata


def _measured(model: str, scale: int, config: CardConfig) -> dict[str, dict[str, float]]:
    """Return each set's figures, without those that cannot be had of such pictures."""
    upscaler = open_upscaler(model, scale)
    natural = () if config.degradation == "bicubic" else (naturalness(),)
    measures = (*fidelity(scale), *st_lpips(), *natural, checkerboard(scale))
    figures = {}
    for folder in config.sets:
        name = titled(folder.name, config.degradation)
        samples = pairs(folder, scale, config.degradation)
        (score,) = score_set(name, [upscaler], samples, measures)
        means = {m.name: round(score.mean(m.name), m.decimals) for m in measures}
        figures[name] = {key: mean for key, mean in means.items() if math.isfinite(mean)}
    return figures


def _file(path: Path, scale: int, config: CardConfig) -> dict[str, Any]:
    return {
        "file": path.name,
        "precision": _metadata(path)["precision"],
        "bytes": path.stat().st_size,
        "sha256": sha256_of(path),
        "metrics": _measured(str(path), scale, config),
    }


def _runs(training: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the runs that led to a generator, each after those that it began from.

    A blend has those of both generators that it was made of, and what they share once.
    """
    runs: list[dict[str, Any]] = []
    parents = training.get("interpolated", [training["before"]] if "before" in training else [])
    for parent in parents:
        runs += [run for run in _runs(parent) if run not in runs]
    if "interpolated" not in training:
        runs.append({key: value for key, value in training.items() if key != "before"})
    return runs


def _line(training: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the runs of which each began where the last one ended; of a blend, what is shared."""
    if "interpolated" not in training:
        return _runs(training)
    first, second = (_line(parent) for parent in training["interpolated"])
    return [run for run in first if run in second]


def _curve(runs: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Return the validations of runs in a line, their steps counted from the first one's start."""
    points: list[dict[str, float]] = []
    done = 0
    for run in runs:
        points += [{**point, "step": done + point["step"]} for point in run.get("curve", [])]
        done += run["steps"]
    return points


def describe(config: CardConfig) -> dict[str, Any]:
    """Measure the files and return the card as plain data.

    Raises:
        UserError: if a file cannot be read.
    """
    network, spec, training = load_generator(config.generator)
    metadata = _metadata(config.models[0])
    runs = _runs(training)
    return {
        "name": metadata["name"],
        "license": metadata["license"],
        "architecture": vars(spec),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "macs_per_lr_pixel": network.macs_per_lr_pixel,
        "macs_per_hr_pixel": network.macs_per_hr_pixel,
        "scale": network.scale,
        "halo": network.halo,
        "training": {
            "data": config.data,
            "command": config.command,
            "steps": sum(run["steps"] for run in runs),
            "cpu_hours": round(sum(run.get("cpu_hours", 0.0) for run in runs), 1),
            "gpu_hours": round(sum(run.get("gpu_hours", 0.0) for run in runs), 2),
            "curve": _curve(_line(training)),
            "runs": [run["settings"] for run in runs],
        },
        "files": [_file(path, network.scale, config) for path in config.models],
        "bicubic": _measured("bicubic", network.scale, config),
        "measured_by": f"python -m srgan.evaluate --perceptual --scale {network.scale} bicubic "
        + " ".join(path.name for path in config.models)
        + ("" if config.degradation == "bicubic" else f" --degradation {config.degradation}")
        + " --sets "
        + " ".join(folder.name for folder in config.sets),
    }


def _drawn(curve: list[dict[str, float]]) -> list[str]:
    """Return about eight points of the curve as a table, a row for each set validated on."""
    shown = curve[:: max(1, len(curve) // 8)]
    if not curve:
        return []
    if shown[-1] is not curve[-1]:
        shown.append(curve[-1])
    rows = ["step", *(f"{point['step']:,.0f}" for point in shown)], ["---"] * (len(shown) + 1)
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    sets = dict.fromkeys(name for point in curve for name in point if name.endswith(_SCORE))
    for name in sets:
        figures = [f"{point[name]:.2f}" if name in point else "" for point in shown]
        row = [f"PSNR-Y, {name.removesuffix(_SCORE)}", *figures]
        lines.append("| " + " | ".join(row) + " |")
    return [*lines, ""]


def _hours(training: dict[str, Any]) -> str:
    hours = f"{training['cpu_hours']} hours of processor time"
    gpu = training["gpu_hours"]
    return f"{hours} and {gpu} of a GPU" if gpu else hours


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
        f"{card['parameters']:,} parameters, halo {card['halo']}, {card['macs_per_lr_pixel']:,} "
        f"multiply-adds for each input pixel, {card['macs_per_hr_pixel']:,.0f} for each output "
        "pixel.",
        f"- Trained on {training['data']}",
        "",
        f"Trained for {training['steps']:,} steps, {_hours(training)}, by",
        "",
        *(f"    {line}" for line in training["command"].splitlines()),
        "",
        *_drawn(training["curve"]),
    ]
    rows = [("bicubic", card["bicubic"])]
    rows += [(f"`{file['file']}`", file["metrics"]) for file in card["files"]]
    known = {key for values in card["bicubic"].values() for key in values}
    columns = {key: column for key, column in _COLUMNS.items() if key in known}
    titles = ["file", "set", *(title for title, _ in columns.values())]
    lines += ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    for name, metrics in rows:
        for folder, values in metrics.items():
            figures = [
                f"{values[key]:.{decimals}f}" if key in values else ""
                for key, (_, decimals) in columns.items()
            ]
            lines.append("| " + " | ".join([name, folder, *figures]) + " |")
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
