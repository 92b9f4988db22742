"""Write a page about super-resolution runs: curves, pictures, settings, what they ran on."""

from core.command import run_command
from core.report.command import Kind, ReportConfig, writer

__all__ = ["KIND"]

KIND = Kind(
    caption=(
        "Patches of pictures that were kept from training, then of each set that was validated on. "
        "Each row shows two of them: enlarged by bicubic interpolation, by the generator, and the "
        "original."
    ),
    setting="degradation",
    other="core.report",
)


def main() -> None:
    """Run ``python -m srgan.report RUN [RUN ...]``."""
    run_command(ReportConfig, writer(KIND))


if __name__ == "__main__":
    main()
