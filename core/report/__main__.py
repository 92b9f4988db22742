"""Run ``python -m core.report RUN [RUN ...]``."""

from core.command import run_command
from core.report.command import Kind, ReportConfig, writer

KIND = Kind("Samples, from the same noise at every step.", "latent_size", "srgan.report")

if __name__ == "__main__":
    run_command(ReportConfig, writer(KIND))
