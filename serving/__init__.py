"""Serves super-resolution models over gRPC: needs neither torch nor the training packages."""

import os

# ONNX Runtime looks when it is imported, and would otherwise report to its makers.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# gRPC looks then, too, and would write lines of its own to stderr, between those of the log.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
