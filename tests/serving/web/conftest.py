"""A page that runs in a process of its own, and a browser to look at it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.programs import ENVIRONMENT, ROOT

NAMES = ("chromium", "chromium-browser", "google-chrome")
DESKTOP, PHONE = (1280, 900), (390, 844)


@dataclass(frozen=True)
class Served:
    """The page's address, and where its process keeps temporary files."""

    url: str
    temporary: Path


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def start(*arguments: object, temporary: Path, log: Path) -> subprocess.Popen[str]:
    with log.open("w") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "serving.web", *map(str, arguments)],
            cwd=ROOT,
            env=ENVIRONMENT | os.environ | {"TMPDIR": str(temporary)},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page as somebody starts it; in the end it has left no file and no line behind."""
    temporary = tmp_path_factory.mktemp("temporary")
    log = tmp_path_factory.mktemp("log") / "stderr"
    with start("--port", free_port(), temporary=temporary, log=log) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            assert line.startswith("The page is at http://127.0.0.1:"), log.read_text()
            yield Served(line.split()[-1], temporary)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=30)
    assert code == 0
    # ONNX Runtime keeps a hidden file of its own there.
    assert not [path for path in temporary.iterdir() if not path.name.startswith(".")]
    assert log.read_text() == ""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"there is no browser: none of {', '.join(NAMES)} is installed")
    with sync_playwright() as playwright:
        # Whoever is root, as in a container, gets no sandbox.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, served: Served, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page in a window of a desktop's size, or of the test's parameter; it asks nobody else."""
    width, height = getattr(request, "param", DESKTOP)
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(30_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served.url)
    page.wait_for_selector("#start")
    yield page
    page.close()
    strangers = [url for url in asked if not url.startswith((served.url, "data:", "blob:"))]
    assert asked
    assert not strangers
