"""TensorBoard events of a run."""

from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

__all__ = ["TensorBoard"]


class TensorBoard:
    """A sink that writes scalars; a resumed run hides the events after its checkpoint."""

    def __init__(self, folder: Path, step: int = 0) -> None:
        """Write into ``folder``, from ``step`` on."""
        self._writer = SummaryWriter(str(folder), purge_step=step)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Write averages."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Flush and close."""
        self._writer.close()
