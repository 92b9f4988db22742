"""What docs/gan.md quotes is there to be found, and its sampler gives what it says."""

import re

import pytest
import torch

from tests.docs.documents import python_blocks
from tests.docs.sandbox import Sandbox, at
from tests.programs import ROOT

PAGE = ROOT / "docs" / "gan.md"
QUOTED = re.findall(r"^\| .+ \| `(.+)` \| \[.+\]\((.+)\) \|$", PAGE.read_text(), re.MULTILINE)


def test_the_papers_ideas_are_quoted() -> None:
    assert len(QUOTED) >= 15


@pytest.mark.parametrize(("line", "file"), QUOTED, ids=[line for line, _ in QUOTED])
def test_a_quoted_line_is_a_line_of_its_file(line: str, file: str) -> None:
    lines = [text.strip() for text in (PAGE.parent / file).read_text().splitlines()]
    assert any(text.rstrip(",") == line.rstrip(",") for text in lines)


@pytest.mark.slow
def test_a_generator_is_loaded_and_sampled_from_in_the_three_lines_that_the_page_shows(
    sandbox: Sandbox,
) -> None:
    (code,) = python_blocks(PAGE)
    assert len([line for line in code.splitlines() if line]) == 3
    names: dict[str, object] = {}
    with at(sandbox.folder("sampler", ("digits",))):
        exec(code, names)
    pictures = names["pictures"]
    assert isinstance(pictures, torch.Tensor)
    assert (pictures.shape, pictures.dtype) == ((100, 1, 8, 8), torch.float32)
    assert 0 <= float(pictures.min()) < float(pictures.max()) <= 1
