"""``upscale models``: which models there are."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from protos.upscaler.v1 import upscaler_pb2
from serving.cli.aside import aside
from serving.cli.errors import OK
from serving.client import UpscalerClient
from serving.service import Service
from serving.stop import Stop

_PRECISIONS = {
    upscaler_pb2.PRECISION_FP32: "fp32",
    upscaler_pb2.PRECISION_FP16: "fp16",
    upscaler_pb2.PRECISION_INT8: "int8",
}
_MEASURE = "psnr_y"


@dataclass(frozen=True)
class Models:
    """Lists the models: by what factor they enlarge, with which arithmetic, how good they are by
    their makers' measurement (PSNR of luma in dB), and under which licence.
    """

    json: bool = False
    """Write a JSON object a line for each model, with all that is known of it."""

    service: Service = field(default_factory=Service)

    def run(self) -> int:
        """Writes the list.

        Raises:
            ServingError: as :meth:`~serving.service.Service.connect`.
            UpscaleFailed: the server is not there, or a model cannot be read.
        """
        with self.service.connect() as client:
            models = aside(lambda stop: list_models(client, stop))
        lines = [json.dumps(model) for model in models] if self.json else _table(models)
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        return OK


def list_models(client: UpscalerClient, stop: Stop | None = None) -> list[dict[str, Any]]:
    """What is known of each model, as JSON has it.

    Raises:
        UpscaleFailed: the server is not there, or a model cannot be read.
    """
    listed = client.models(stop=stop)
    return [
        _described(model.name, listed.default_model, client.model(model.name, stop=stop))
        for model in listed.models
    ]


def _described(name: str, default: str, details: upscaler_pb2.GetModelResponse) -> dict[str, Any]:
    return {
        "name": name,
        "default": name == default,
        # Of two files of one network, the name that they share means the better one here.
        "means": details.model.name,
        "scale": details.model.scale,
        "precision": _PRECISIONS.get(details.model.precision, ""),
        "license": details.license,
        "bytes": details.size_bytes,
        "sha256": details.sha256,
        "metrics": [
            {"dataset": metric.dataset, "name": metric.name, "value": metric.value}
            for metric in details.metrics
        ],
    }


def _table(models: Sequence[dict[str, Any]]) -> list[str]:
    sets = dict.fromkeys(
        metric["dataset"]
        for model in models
        for metric in model["metrics"]
        if metric["name"] == _MEASURE
    )
    titles = (f"PSNR-Y {name}" for name in sets)
    rows = [["name", "scale", "precision", *titles, "KiB", "licence", ""]]
    for model in models:
        found = {
            metric["dataset"]: f"{metric['value']:.2f}"
            for metric in model["metrics"]
            if metric["name"] == _MEASURE
        }
        notes = ["default"] if model["default"] else []
        if model["means"] != model["name"]:
            notes.append(f"here {model['means']}")
        rows.append(
            [
                model["name"],
                f"{model['scale']}x",
                model["precision"],
                *(found.get(name, "") for name in sets),
                f"{model['bytes'] / 1024:.0f}",
                model["license"],
                ", ".join(notes),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
