"""Regenerates the Python modules of every ``.proto`` file: ``python -m protos.generate``.

Needs the ``dev`` extra. The modules are written next to their sources and committed; the versions
of the generators are pinned in that extra so that everybody gets the same bytes.
"""

import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def generate(target: Path = ROOT) -> None:
    """Writes the modules and their type stubs under `target`, in the sources' folders.

    Raises:
        RuntimeError: the compiler refused a source; it has said why on stderr.
    """
    # Imported here so that the installed package needs no generator.
    import grpc_tools
    from grpc_tools import protoc

    scripts = Path(sysconfig.get_path("scripts"))
    well_known = Path(grpc_tools.__path__[0]) / "_proto"
    sources = sorted(path.relative_to(ROOT) for path in ROOT.glob("protos/**/*.proto"))
    code = protoc.main(
        [
            "protoc",
            f"--proto_path={ROOT}",
            f"--proto_path={well_known}",
            *(
                f"--plugin={plugin}={scripts / plugin}"
                for plugin in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")
            ),
            f"--python_out={target}",
            f"--grpc_python_out={target}",
            f"--mypy_out=quiet:{target}",
            f"--mypy_grpc_out=quiet:{target}",
            *(source.as_posix() for source in sources),
        ]
    )
    if code != 0:
        raise RuntimeError(f"protoc ended with exit code {code}")


if __name__ == "__main__":
    generate()
