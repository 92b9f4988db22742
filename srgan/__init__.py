"""Super-resolution by the adversarial game: networks, losses, data, training, evaluation."""

import os

import core  # noqa: F401 - says what is missing, where `python -m` runs a module of this package

# ONNX Runtime looks when it is imported, and would otherwise report to its makers.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
