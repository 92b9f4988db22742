"""Folders as runs leave them, made up for tests."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image


def save_run(
    folder: Path,
    history: Sequence[Mapping[str, float]] = (),
    config: Mapping[str, Any] | None = None,
    samples: Sequence[int] = (),
    environment: Mapping[str, Any] | None = None,
    log: str = "",
    sets: Mapping[str, Sequence[int]] | None = None,
) -> Path:
    """Write a run's folder; what is not given is not there."""
    (folder / "samples").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config or {"seed": 0}))
    if history:
        lines = [json.dumps(record) + "\n" for record in history]
        (folder / "history.jsonl").write_text("".join(lines))
    for name, steps in {".": samples, **(sets or {})}.items():
        (folder / "samples" / name).mkdir(exist_ok=True)
        for step in steps:
            picture = Image.new("RGB", (32, 32), (step % 256, 0, 0))
            picture.save(folder / "samples" / name / f"{step:07}.png")
    if environment:
        (folder / "environment.json").write_text(json.dumps(environment))
    if log:
        (folder / "log.txt").write_text(log)
    return folder
