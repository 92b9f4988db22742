"""A Python that has the project's slow imports behind it, and forks for each program.

``python -m tests.docs.warm_python SOCKET`` waits for a program's arguments, folder, environment and
streams on a socket of the machine, runs it as ``python`` would, and answers its exit code. Where
``ONLY_PARSE`` is set, a program ends as soon as its command line has been understood. ``QUICKLY``
holds options by program, as JSON, that are put after its own.
"""

import json
import os
import runpy
import signal
import socket
import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import tyro

OURS = ("core", "protos", "serving", "srgan", "tools")
SLOW = (
    "core.evaluate", "core.report.command", "core.sample", "core.train_vanilla",
    "matplotlib.pyplot",
    "onnxscript", "scipy.stats", "serving.cli", "serving.server",
    "sklearn.datasets", "srgan.check_data", "srgan.contact_sheet", "srgan.evaluate", "srgan.train",
    "tools.benchmark", "tools.export_onnx", "torch.onnx", "torch.utils.tensorboard",
)  # fmt: skip


def main(address: str) -> None:
    """Serve until killed."""
    for name in SLOW:
        import_module(name)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that have ended
        while True:
            caller, _ = listener.accept()
            with caller:
                if os.fork() == 0:
                    listener.close()
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    os._exit(_answer(caller))


def _answer(caller: socket.socket) -> int:
    message, streams, _, _ = socket.recv_fds(caller, 1 << 20, 3)
    arguments, folder, environment = json.loads(message)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    # What Python has opened already knows whether its file can be rewound, which may have changed.
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    code = _run(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    caller.sendall(str(code).encode())
    return code


def _run(arguments: list[str]) -> int:
    """Run ``python ARGUMENTS`` in this process; return its exit code."""
    sys.argv = arguments[1:] if arguments[0] == "-m" else arguments
    program = sys.argv[0]
    if os.environ.get("ONLY_PARSE"):
        if arguments[0] == "-m" and program.partition(".")[0] not in OURS:
            return 0
        tyro.cli = _ending(tyro.cli)
    warnings.filterwarnings("ignore", r".* found in sys\.modules", RuntimeWarning)
    sys.argv += json.loads(os.environ.get("QUICKLY") or "{}").get(program, "").split()
    try:
        if arguments[0] == "-m":
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(program, run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def _ending(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Return the parser, but one that ends the program when it has parsed the command line."""

    def parsed(*arguments: Any, **options: Any) -> Any:
        settings = parse(*arguments, **options)
        given, line = options.get("args"), sys.argv[1:]
        if (
            given is None or list(given)[len(given) - len(line) :] == line
        ):  # else it looked elsewhere
            sys.exit(0)
        return settings

    return parsed


if __name__ == "__main__":
    main(sys.argv[1])
