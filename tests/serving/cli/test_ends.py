"""Ends that come from outside: signals, and readers that have had enough."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import ENVIRONMENT, ROOT
from tests.serving.cli.conftest import below
from tests.serving.files import checker, write_png


def start(*arguments: str | Path, prelude: str = "") -> subprocess.Popen[str]:
    """Starts the command, as the installed one does, after some lines of Python."""
    # A shell's background job, as these tests may be, passes on that Ctrl-C is to be ignored.
    heard = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{heard}\n{prelude}\nimport sys\nfrom serving.cli import main\nsys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_half_file_and_a_summary(photos: Path, number: int) -> None:
    (photos / "large.png").write_bytes(write_png(checker(3, height=3000, width=3000)))
    results = photos.with_name("photos_x4")
    command = (photos, "--model", "x4-fast-fp32", "--json")
    with start(*command) as process:
        assert process.stdout
        first = json.loads(process.stdout.readline())
        while len(below(results)) < 2:  # the half-written one
            assert process.poll() is None
        process.send_signal(number)
        output, errors = process.communicate()
    assert (process.returncode, errors) == (130, "")
    assert Path(first["source"]).name == "a.png"
    assert json.loads(output.splitlines()[-1])["summary"] == {"done": 1, "left": 2}
    assert below(results) == ["a.png"]


def test_ctrl_c_in_the_first_moments_is_quiet() -> None:
    """While modules are still imported: here, at the first one that the command needs."""
    prelude = (
        "import sys\n"
        "class Pressed:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'serving.cli.command':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Pressed())"
    )
    with start("models", prelude=prelude) as process:
        assert process.communicate() == ("", "")
    assert process.returncode == 130


@pytest.mark.parametrize("command", ["models", "--help"])
def test_a_reader_that_leaves_is_no_error_to_tell(command: str) -> None:
    with start(command) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1
