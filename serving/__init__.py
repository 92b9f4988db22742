"""Serves super-resolution models over gRPC: needs neither torch nor the training packages."""

import os

# ONNX Runtime looks when it is imported, and would otherwise report to its makers.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
