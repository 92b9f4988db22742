"""What docs/troubleshooting.md quotes is what the code prints."""

import ast
import re

import pytest

from tests.programs import ROOT

MESSAGES = re.findall(
    r"^\| `(.+?)` \|", (ROOT / "docs" / "troubleshooting.md").read_text(), re.MULTILINE
)
GAP = "\0"  # where the code puts something in


def text(node: ast.AST) -> str | None:
    """A string of the source, with gaps for what is filled in; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%[.\d]*[sdf]", GAP, node.value).replace("%%", "%")
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else GAP for part in node.values)
        return "".join(map(str, parts))
    return None


def sentence(call: ast.Call) -> str | None:
    """What an error says: its only string, or ``field is value; expected allowed``."""
    found = [text(argument) for argument in call.args]
    if len(found) == 3:
        field, value, allowed = (part if part is not None else GAP for part in found)
        return f"{field} is {value}; expected {allowed}"
    return found[0] if found else None


@pytest.fixture(scope="module")
def printed() -> list[str]:
    paths = [path for package in ("core", "srgan", "serving", "tools")
             for path in (ROOT / package).rglob("*.py")]  # fmt: skip
    found = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            found.add(text(node))
            if isinstance(node, ast.Call):
                found.add(sentence(node))
    return [message for message in found if message and len(message.replace(GAP, "")) > 8]


def test_there_are_messages() -> None:
    assert len(MESSAGES) > 30


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_one_that_the_code_has(message: str, printed: list[str]) -> None:
    pieces = [re.escape(piece) for piece in message.split("…")]
    pattern = re.compile(".*".join(pieces), re.DOTALL)
    assert any(pattern.search(candidate) for candidate in printed)
