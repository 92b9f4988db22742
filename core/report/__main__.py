"""Run ``python -m core.report RUN [RUN ...]``."""

from core.command import run_command
from core.report.command import ReportConfig, writer

if __name__ == "__main__":
    run_command(ReportConfig, writer("Samples, from the same noise at every step."))
