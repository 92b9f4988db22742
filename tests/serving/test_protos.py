import subprocess
import sysconfig
from pathlib import Path

from protos.generate import ROOT, generate

GENERATED = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")


def test_the_committed_modules_are_what_the_sources_give(tmp_path: Path) -> None:
    generate(tmp_path)
    fresh = {path.relative_to(tmp_path): path for path in tmp_path.rglob("*") if path.is_file()}
    assert len(fresh) == len(GENERATED) * len([*ROOT.glob("protos/**/*.proto")])
    for name, path in fresh.items():
        assert path.read_bytes() == (ROOT / name).read_bytes(), (
            f"run python -m protos.generate: {name}"
        )


def test_the_sources_pass_buf_lint() -> None:
    buf = Path(sysconfig.get_path("scripts")) / "buf"
    result = subprocess.run(
        [buf, "lint"], cwd=ROOT / "protos", capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout) == (0, "")
