import sys

import pytest

from tools.fuzz import main, seeds, try_one

SEEDS = seeds()


@pytest.mark.parametrize("name", SEEDS)
def test_what_fuzzing_begins_with_is_decoded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or it would look for faults in what is refused at once."""
    monkeypatch.setattr("tools.fuzz.InvalidImage", ZeroDivisionError)
    try_one(SEEDS[name])


def test_a_refusal_is_no_finding_and_all_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    try_one(b"nonsense")

    def fail(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr("serving.codec.decode.decode", fail)
    with pytest.raises(KeyError):
        try_one(b"nonsense")


def test_without_atheris_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "atheris", None)
    with pytest.raises(SystemExit, match="fuzz"):
        main(["--minutes", "0"])
