"""Serves super-resolution models over gRPC: needs neither torch nor the training packages."""
