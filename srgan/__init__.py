"""Super-resolution by the adversarial game: networks, losses, data, training, evaluation."""

import os

# ONNX Runtime looks when it is imported, and would otherwise report to its makers.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
