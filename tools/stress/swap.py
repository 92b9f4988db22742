"""Models are exchanged under load without a failed call, and bad files are refused."""

import shutil
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import onnx

from serving.catalog import BUNDLED
from tools.stress.figures import Figure
from tools.stress.load import Load, picture
from tools.stress.process import ServerProcess

__all__ = ["Swap"]

_NAME, _SWAPPED = "x4-fast-int8", "swapped-int8"


@dataclass(frozen=True)
class Swap:
    """A model's file is replaced again and again under load, by good files and by bad ones.

    Attributes:
        rounds: replacements; every fifth is by a bad file.
        clients: that call.
    """

    rounds: int = 50
    clients: int = 3

    def run(self) -> list[Figure]:
        """Return failed calls, and how many bad files were refused."""
        good = (BUNDLED / f"{_NAME}.onnx").read_bytes()
        bad = _bad(good)
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder, "models", f"{_SWAPPED}.onnx")
            target.parent.mkdir()
            _named(good, target)
            options = ["--models", str(target.parent), "--default-model", _SWAPPED]
            with ServerProcess(*options, "--log-level", "info") as server:
                with Load(server.address, self.clients, picture(128, 128)) as load:
                    spoiled = 0
                    for number in range(self.rounds):
                        time.sleep(0.2)
                        if number % 5 == 4:
                            _put(bad[spoiled % len(bad)], target)
                            spoiled += 1
                        else:
                            _named(good, target)
                        server.tell(signal.SIGHUP)
                    time.sleep(0.5)
                refused = server.log().count("a model is refused")
                taken = server.log().count("INFO serving.reload: models:")
        return [
            Figure("calls that ended well", len(load.well), least=1),
            Figure("failed calls", len(load.failures), most=0),
            Figure("exchanges", taken, least=1),
            Figure("bad files put in place", spoiled),
            Figure("of these refused", refused, least=spoiled, most=spoiled),
        ]


def _bad(good: bytes) -> list[bytes]:
    """Files that are no models, and some that lie in their metadata."""
    lies = [{"scale": "9" * 5000}, {"halo": "1000000000"}, {"license": "A" * 40}]
    broken, far, text = (_told(good, lie) for lie in lies)
    return [
        good[: len(good) // 2],
        b"nonsense",
        b"",
        good.replace(b"Conv", b"Cxnv"),
        broken,
        far,
        text.replace(b"A" * 40, b"\xff" * 40),
    ]


def _told(content: bytes, lie: dict[str, str]) -> bytes:
    """The model with other metadata, under the name that it is put in place by."""
    model = onnx.load_from_string(content.replace(_NAME.encode(), _SWAPPED.encode()))
    metadata = {each.key: each.value for each in model.metadata_props} | lie
    onnx.helper.set_model_props(model, metadata)
    return model.SerializeToString()


def _named(content: bytes, target: Path) -> None:
    """Put the model in place under the name of its file, which its metadata must have, too."""
    _put(content.replace(_NAME.encode(), _SWAPPED.encode()), target)


def _put(content: bytes, target: Path) -> None:
    partial = target.with_suffix(".part")
    partial.write_bytes(content)
    shutil.move(partial, target)
