"""``python -m tools.stress PROOF``; ``--help`` lists the proofs."""

import logging
import sys
from collections.abc import Sequence

import tyro

from core.command import UserError
from serving.processor import processor_name
from tools.stress.cancellation import Cancellation
from tools.stress.fairness import Fairness
from tools.stress.figures import report
from tools.stress.hostile import Hostile
from tools.stress.overhead import Overhead
from tools.stress.overload import Overload
from tools.stress.security import Security
from tools.stress.sigterm import Sigterm
from tools.stress.soak import Soak
from tools.stress.swap import Swap
from tools.stress.worker_kill import WorkerKill

Proof = (
    Sigterm
    | WorkerKill
    | Cancellation
    | Overload
    | Hostile
    | Soak
    | Swap
    | Fairness
    | Overhead
    | Security
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a proof; return 0 if every promise is kept, 1 if not, 2 if it cannot be run."""
    logging.getLogger("grpc").setLevel(logging.CRITICAL)
    proof = tyro.cli(Proof, prog="python -m tools.stress", args=argv)
    sys.stdout.write(f"{type(proof).__name__}, {processor_name()}\n")
    try:
        return 0 if report(proof.run()) else 1
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
