import json

import pytest

from serving import cli
from serving.catalog import BUNDLED


def test_the_bundled_models_are_listed_with_what_their_card_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["models"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split("  ")[0] == "name"
    assert "PSNR-Y Set5" in head
    card = json.loads((BUNDLED / "x4-fast.json").read_text())
    for file in card["files"]:
        (row,) = [row for row in rows if row.split()[0] == f"x4-fast-{file['precision']}"]
        shown = row.split()
        assert shown[1:3] == ["4x", file["precision"]]
        assert f"{file['metrics']['Set14']['psnr_y']:.2f}" in shown
        assert card["license"] in shown
    (default,) = [row for row in rows if "default" in row]
    assert default.startswith("x4-fast  ")


def test_programs_get_json_a_line_of_any_server(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["models", "--json", "--server", address]) == 0
    models = {
        model["name"]: model for model in map(json.loads, capsys.readouterr().out.splitlines())
    }
    assert models["nearest"]["default"]
    assert (models["random"]["scale"], models["random"]["precision"]) == (4, "fp32")
    assert {"dataset": "Set5", "name": "psnr_y", "value": 31.34} in models["x4-fast-fp32"][
        "metrics"
    ]
