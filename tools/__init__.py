"""Programs that a developer or an operator runs."""

import os

# ONNX Runtime looks when it is imported, and would otherwise report to its makers.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
