"""Write a page about super-resolution runs: curves, pictures, settings, what they ran on."""

from core.command import run_command
from core.report.command import ReportConfig, writer

__all__ = ["CAPTION"]

CAPTION = (
    "Patches of pictures that were kept from training. Each row shows two of them: enlarged by "
    "bicubic interpolation, by the generator, and the original."
)


def main() -> None:
    """Run ``python -m srgan.report RUN [RUN ...]``."""
    run_command(ReportConfig, writer(CAPTION))


if __name__ == "__main__":
    main()
