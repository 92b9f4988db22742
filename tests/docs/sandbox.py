"""A folder in which the documents' commands find what they speak of, and programs to run them."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from tests.programs import ENVIRONMENT, ROOT

# What a document calls something that its reader fills in, or has made by then.
STAND_INS = {
    r"\bNAME\b": "digits",
    r"\bPROOF\b": "overhead",
    r"\bTEACHER\b": "bicubic",
    r"--degradation webcam": "--degradation camera",
    r"--generator stack": "--generator light",
}

# Options after a program's own that make it quick. Nothing else differs from what is documented.
QUICKLY = {
    "core.evaluate": "--samples 200",
    "core.sample": "--count 10",
    "core.train_vanilla": "--epochs 1 --width 8 --discriminator-width 8 --latent-size 4",
    "serving.server": "--check-config",
    "srgan.distil": "--holdout 0",
    "srgan.train": "--pixel-steps 2 --adversarial-steps 1 --quantisation-steps 1 --minutes 0"
    " --batch-size 1 --patch 16 --width 16 --blocks 1 --discriminator-width 8 --holdout 2"
    " --precision fp32",
}

# Programs that are not ours; they are taken to work.
OTHERS = ("git", "grep", "mkdocs", "pip", "pre-commit", "tensorboard", "twine")

_PYTHON = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    message = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [message], [0, 1, 2])
    sys.exit(int(server.recv(16) or 1))
"""
_SHELL = {
    "upscale": 'exec python -m serving.cli "$@"',
    "torchrun": 'while [ "$1" != -m ]; do shift; done; exec python "$@"',
    **dict.fromkeys(OTHERS, ":"),
}


class Sandbox:
    """Runs what documents show, as a shell and as Python would.

    Args:
        home: for what outlives a page: the programs, and runs that pages take for granted.
        server: address of a server that documents call 127.0.0.1:50051.
    """

    def __init__(self, home: Path, server: str) -> None:
        self.home = home
        self._server = server
        self._programs = home / "bin"
        self._programs.mkdir()
        (home / "cache").mkdir()
        address = str(home / "python.socket")
        self._write("python", _PYTHON.format(python=sys.executable, address=address))
        for name, script in _SHELL.items():
            self._write(name, f"#!/bin/sh\n{script}\n")

    def _write(self, name: str, script: str) -> None:
        path = self._programs / name
        path.write_text(script)
        path.chmod(0o755)

    def folder(self, name: str, runs: tuple[str, ...] = ()) -> Path:
        """Return a new folder with pictures, the repository's own files, and finished runs."""
        folder = self.home / name
        folder.mkdir()
        for part in ("serving", "srgan", "tools", "docs"):
            (folder / part).symlink_to(ROOT / part)
        shutil.copytree(ROOT / "examples", folder / "examples")  # results are written beside
        for part in ("REPOSITORY/.venv/bin/activate", "check"):
            (folder / part).parent.mkdir(parents=True, exist_ok=True)
            (folder / part).write_text("#!/bin/sh\n")
            (folder / part).chmod(0o755)
        _pictures(folder)
        for run in runs:
            shutil.copytree(self.run_of(run), folder / "runs" / run)
        return folder

    def run_of(self, name: str) -> Path:
        """Return the folder of a short run, of digits or of super-resolution; trained once."""
        made = self.home / "made"
        recipe = "digits" if name == "digits" else "srgan"
        if not made.is_dir():
            self.folder("made")
        if not (made / "runs" / recipe).is_dir():
            self.shell(
                made,
                "python -m core.train_vanilla --recipe digits"
                if recipe == "digits"
                else "python -m srgan.train --data FOLDER",
            )
        return made / "runs" / recipe

    def text(self, text: str) -> str:
        """Return what a document says with stand-ins for what is the reader's."""
        for pattern, stand_in in STAND_INS.items():
            text = re.sub(pattern, stand_in, text)
        return text.replace("127.0.0.1:50051", self._server)

    def shell(self, folder: Path, text: str, *, only_parse: bool = False) -> None:
        """Run a block of the shell.

        Args:
            folder: where.
            text: the block.
            only_parse: let our programs end as soon as they have understood their command line.

        Raises:
            AssertionError: if it fails; the message holds what it printed.
        """
        environment = ENVIRONMENT | {
            "PATH": f"{self._programs}:/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "ONLY_PARSE": "1" if only_parse else "",
            "QUICKLY": "" if only_parse else json.dumps(QUICKLY),
        }
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.text(text)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, f"{text}\nended with {ended.returncode}:\n{ended.stdout}"


def _pictures(folder: Path) -> None:
    cat = Image.open(ROOT / "examples" / "cat.png").convert("RGB")
    cat.save(folder / "photo.jpg")
    for name, count in (("FOLDER", 6), ("Set5", 1), ("Set14", 1), ("photos", 1)):
        (folder / name).mkdir()
        for number in range(count):
            left, top = 20 * number, 8 * number
            cat.crop((left, top, left + 200, top + 200)).save(folder / name / f"{number}.png")
    cat.crop((0, 0, 200, 150)).save(folder / "photos" / "cat.jpg")


@contextmanager
def warm_python(address: Path) -> Iterator[None]:
    """Keep a Python at ``address`` that has its imports behind it."""
    command = [sys.executable, "-m", "tests.docs.warm_python", str(address)]
    with subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT) as python:
        try:
            while not address.exists():
                assert python.poll() is None, "the warm Python did not start"
                time.sleep(0.05)
            yield
        finally:
            python.terminate()


@contextmanager
def at(folder: Path) -> Iterator[None]:
    """Work in a folder."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
