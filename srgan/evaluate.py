"""Measure upscalers on sets of pictures: figures as a table and as JSON, and a page to look at."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Annotated

import tyro

from core.command import UserError, run_command
from core.files import appearing, check_place
from core.picture_files import PictureError
from core.run import pick_device
from srgan.degradations import DegradationName
from srgan.evaluation.crops import CropChooser
from srgan.evaluation.measures import Measure, checkerboard, distances, fidelity, naturalness
from srgan.evaluation.page import Section, render_page
from srgan.evaluation.scores import SetScore, score_set
from srgan.evaluation.sets import distinct, inputs, pair_files, pairs, titled
from srgan.evaluation.table import Table, notes
from srgan.niqe import OWN_MODEL
from srgan.sources import list_pictures
from srgan.upscalers import Upscaler, open_upscaler

__all__ = ["EvaluateConfig", "evaluate"]


@dataclass(frozen=True)
class EvaluateConfig:
    """What to measure.

    Attributes:
        models: bicubic, lanczos, .onnx files, checkpoints.
        sets: folders with HR/ and LRx2/ or LRx4/ inside, or folders of pictures.
        degradation: what makes the inputs, the same ones each time: bicubic (those of LRx2/ or
            LRx4/, and MATLAB's where there are none), camera or real, as for srgan.train.
        scale: of bicubic and lanczos.
        border: pixels taken off each side before PSNR and SSIM; the scale where not given.
        perceptual: also measure ST-LPIPS (VGG and AlexNet trunk), LPIPS (AlexNet trunk), NIQE and
            the checkerboard, which take longer; on whole pictures.
        reference: the sets hold originals. With --no-reference their pictures are themselves what
            is upscaled, and NIQE and the checkerboard are all that is measured.
        niqe_model: another model of clean photographs than this project's, such as the published
            niqe_pris_params.npz.
        json_out: also write all figures to this file, picture by picture too.
        html_out: also write this page: the table, and crops where the models differ most.
        device: where checkpoints' networks run: auto, cpu, cuda, ...; other models run on the
            processor.
    """

    models: Annotated[tuple[str, ...], tyro.conf.Positional]
    sets: tuple[Path, ...]
    degradation: DegradationName = "bicubic"
    scale: int = 4
    border: int | None = None
    perceptual: bool = False
    reference: bool = True
    niqe_model: Path | None = None
    json_out: Path | None = None
    html_out: Path | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not self.models:
            raise UserError("name at least one model: bicubic, lanczos, or a file")
        if not self.sets:
            raise UserError("--sets needs at least one folder")
        if self.scale < 1:
            raise UserError(f"--scale must be at least 1, not {self.scale}")
        if self.degradation != "bicubic" and not self.reference:
            raise UserError(
                f"--degradation {self.degradation} makes inputs of originals, and with "
                "--no-reference there are none: leave one of them out"
            )
        if self.border is not None and self.border < 0:
            raise UserError(f"--border must be at least 0, not {self.border}")


def _open(config: EvaluateConfig) -> list[list[Upscaler]]:
    """Open the models, those of one scale together, in the order in which scales come up."""
    models = dict(zip(distinct([Path(m) for m in config.models]), config.models, strict=True))
    device = pick_device(config.device)
    named = [
        replace(open_upscaler(model, config.scale, device), name=name)
        for name, model in models.items()
    ]
    scales = [upscaler.scale for upscaler in named]
    together = sorted(named, key=lambda upscaler: scales.index(upscaler.scale))
    return [list(group) for _, group in groupby(together, key=lambda upscaler: upscaler.scale)]


def _measures(config: EvaluateConfig) -> Callable[[int], tuple[Measure, ...]]:
    """Return what gives the measures at a scale; networks are loaded once."""
    perceptual: tuple[Measure, ...] = ()
    if config.perceptual or not config.reference:
        natural = naturalness(config.niqe_model or OWN_MODEL)
        perceptual = (*distances(), natural) if config.reference else (natural,)

    def at(scale: int) -> tuple[Measure, ...]:
        border = scale if config.border is None else config.border
        return (
            *(fidelity(border) if config.reference else ()),
            *perceptual,
            *([checkerboard(scale)] if perceptual else []),
        )

    return at


def _sections(
    config: EvaluateConfig,
    groups: list[list[Upscaler]],
    sets: Mapping[str, Path],
    measures: Callable[[int], tuple[Measure, ...]],
) -> Iterator[Section]:
    """Score set by set, and the upscalers of each scale together."""
    for name, folder in sets.items():
        for upscalers in groups:
            scale = upscalers[0].scale
            chooser = CropChooser(scale) if config.html_out is not None else None
            try:
                scores = score_set(
                    titled(name, config.degradation),
                    upscalers,
                    pairs(folder, scale, config.degradation)
                    if config.reference
                    else inputs(folder, scale),
                    measures(scale),
                    None if chooser is None else chooser.watch,
                )
            except PictureError as error:
                raise UserError(f"{folder}: {error}") from error
            yield Section(scores, [] if chooser is None else chooser.crops())


def _check(config: EvaluateConfig, scales: set[int]) -> None:
    """See that all sets are there and all results can be written, before the first is measured."""
    for path in (config.json_out, config.html_out):
        if path is not None:
            check_place(path)
    for folder in config.sets:
        if not config.reference:
            list_pictures(folder)
        else:
            for scale in scales:
                pair_files(folder, scale, config.degradation)


def _write(path: Path, text: str) -> None:
    with appearing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def evaluate(config: EvaluateConfig) -> bool:
    """Score each model on each set, print the table as it grows, and write what is asked for.

    Where a picture cannot be used, or somebody loses patience, what is asked for is written of the
    sets before.

    Raises:
        UserError: if the device cannot be had, or a model or a set cannot be read.
        OSError: if the results cannot be written.
    """
    groups = _open(config)
    _check(config, {upscalers[0].scale for upscalers in groups})
    sets = dict(zip(distinct(config.sets), config.sets, strict=True))
    measures = _measures(config)
    columns = measures(config.scale)
    table = Table([upscaler.name for group in groups for upscaler in group], [*sets], columns)
    sys.stdout.write(table.header())
    sections: list[Section] = []
    try:
        for section in _sections(config, groups, sets, measures):
            sections.append(section)
            sys.stdout.write("".join(map(table.row, section.scores)))
            sys.stdout.flush()
    finally:
        if sections:
            _report(config, sections, columns)
    return True


def _report(
    config: EvaluateConfig, sections: Sequence[Section], columns: Sequence[Measure]
) -> None:
    scores: list[SetScore] = [score for section in sections for score in section.scores]
    sys.stdout.write("".join(f"{note}\n" for note in notes(scores, columns)))
    if config.json_out is not None:
        rows = [score.as_json() for score in scores]
        _write(config.json_out, json.dumps(rows, indent=2, allow_nan=False) + "\n")
    if config.html_out is not None:
        _write(config.html_out, render_page(sections, columns))


def main() -> None:
    """Run ``python -m srgan.evaluate``."""
    run_command(EvaluateConfig, evaluate)


if __name__ == "__main__":
    main()
