"""Write the card of a bundled model: what it is, how it was made, what it was measured to do."""

import json
import logging
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import onnx
import tyro
from google.protobuf.message import DecodeError

from core.command import UserError, run_command
from core.files import appearing
from serving.digest import sha256_of
from serving.processor import available_processors, processor_name
from srgan.degradations import DegradationName
from srgan.evaluation.measures import checkerboard, fidelity, naturalness, st_lpips
from srgan.evaluation.scores import score_set
from srgan.evaluation.sets import pairs, titled
from srgan.generators import load_generator
from srgan.upscalers import open_upscaler
from tools.benchmark import square_picture, time_engines

__all__ = ["CardConfig", "describe", "render", "write_card"]

logger = logging.getLogger(__name__)
_SIDE = 256  # of the picture that is timed
_RUNS = 9
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
    for key in ("name", "license", "precision"):
        if key not in metadata:
            raise UserError(
                f"{path} has no {key!r} in its metadata; was it exported by this project?"
            )
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


def _milliseconds(config: CardConfig) -> dict[str, float]:
    """Return each file's time for a square picture, all timed in turns."""
    with tempfile.TemporaryDirectory() as folder:
        square = square_picture(Path(folder), _SIDE)
        timings = time_engines(
            [("ours", path) for path in config.models], square, available_processors(), _RUNS
        )
    return {timing.file.name: round(1000 * timing.seconds, 1) for timing in timings}


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
            "runs": runs,
        },
        "milliseconds": {
            "picture": [_SIDE, _SIDE],
            "processor": processor_name(),
            "threads": available_processors(),
            "files": _milliseconds(config),
        },
        "files": [_file(path, network.scale, config) for path in config.models],
        "bicubic": _measured("bicubic", network.scale, config),
        "measured_by": f"python -m srgan.evaluate --perceptual --scale {network.scale} bicubic "
        + " ".join(path.name for path in config.models)
        + ("" if config.degradation == "bicubic" else f" --degradation {config.degradation}")
        + " --sets "
        + " ".join(folder.name for folder in config.sets),
    }


def _drawn(runs: list[dict[str, Any]]) -> list[str]:
    """Return five points of each run's curve as a table, a row for each set validated on."""
    rows = []
    for number, run in enumerate(runs, 1):
        curve = run.get("curve", [])
        for name in dict.fromkeys(name for point in curve for name in point):
            if name.endswith(_SCORE):
                scores = [f"{point[name]:.2f}" for point in curve if name in point]
                shown = [scores[round(share * (len(scores) - 1) / 4)] for share in range(5)]
                rows.append([str(number), f"{run['steps']:,}", name.removesuffix(_SCORE), *shown])
    if not rows:
        return []
    titles = ["run", "steps", "PSNR-Y on", "first", "", "half-way", "", "last"]
    return [_row(row) for row in (titles, ["---"] * len(titles), *rows)] + [""]


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _times(card: dict[str, Any]) -> str:
    times = card["milliseconds"]
    files = " and ".join(f"`{name}` {taken} ms" for name, taken in times["files"].items())
    size = "x".join(map(str, times["picture"]))
    return f"For {size} pixels on {times['threads']} cores of {times['processor']}: {files}."


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
        f"- Budget: {_times(card)}",
        f"- Trained on {training['data']}",
        "",
        f"Trained for {training['steps']:,} steps, {_hours(training)}, by",
        "",
        *(f"    {line}" for line in training["command"].splitlines()),
        "",
        *_drawn(training["runs"]),
    ]
    rows = [("bicubic", card["bicubic"])]
    rows += [(f"`{file['file']}`", file["metrics"]) for file in card["files"]]
    known = {key for values in card["bicubic"].values() for key in values}
    columns = {key: column for key, column in _COLUMNS.items() if key in known}
    titles = ["file", "set", *(title for title, _ in columns.values())]
    lines += [_row(titles), _row(["---"] * len(titles))]
    for name, metrics in rows:
        for folder, values in metrics.items():
            figures = [
                f"{values[key]:.{decimals}f}" if key in values else ""
                for key, (_, decimals) in columns.items()
            ]
            lines.append(_row([name, folder, *figures]))
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
        with appearing(path) as temporary:
            temporary.write_text(text)
        logger.info("wrote %s", path)
    return True


def main() -> None:
    """Run ``python tools/model_card.py``."""
    run_command(CardConfig, write_card)


if __name__ == "__main__":
    main()
