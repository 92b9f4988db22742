"""What the command says of its work: sentences for people, or JSON for programs."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TextIO

from serving.cli.work import Outcome

Say = Callable[[str, TextIO], None]


class Report(Protocol):
    """Tells what becomes of jobs."""

    def tell(self, outcome: Outcome, say: Say) -> None:
        """Tells what has become of one."""

    def sum_up(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        """Tells what has become of all."""


class Sentences:
    """For people: results on standard output, unless pictures go there, all else on error."""

    def tell(self, outcome: Outcome, say: Say) -> None:
        """A line for one job."""
        job = outcome.job
        source, target = _name(job.source), _name(job.target)
        files = ", ".join(map(str, job.files)) or target
        match outcome.status:
            case "done":
                line = (
                    f"{target}: {outcome.width}x{outcome.height} by {outcome.model} "
                    f"in {round(1000 * outcome.seconds)} ms"
                )
                say(line, sys.stdout if job.target else sys.stderr)
            case "planned":
                say(f"{source} -> {files}", sys.stdout)
            case "skipped":
                say(f"{source}: skipped, {outcome.reason}", sys.stdout)
            case "failed":
                say(f"upscale: error: {source}: {outcome.reason}", sys.stderr)

    def sum_up(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        """A line for all, where there are several."""
        if len(outcomes) > 1:
            counts = Counter(outcome.status for outcome in outcomes)
            shown = ", ".join(f"{count} {status}" for status, count in counts.items())
            sys.stderr.write(f"upscale: {shown} in {seconds:.1f} s\n")


class Lines:
    """For programs: a JSON object a line on standard output, the last one for all."""

    def tell(self, outcome: Outcome, say: Say) -> None:
        """A line for one job."""
        job = outcome.job
        fields: dict[str, Any] = {"source": _name(job.source), "status": outcome.status}
        if job.target:
            fields["target"] = str(job.target)
        if job.comparison:
            fields["comparison"] = str(job.comparison)
        if outcome.status == "done":
            fields |= {
                "width": outcome.width,
                "height": outcome.height,
                "model": outcome.model,
                "seconds": round(outcome.seconds, 3),
            }
        if outcome.reason:
            fields["reason"] = outcome.reason
        say(json.dumps(fields), sys.stdout)

    def sum_up(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        """The last line."""
        counts = Counter(outcome.status for outcome in outcomes)
        line = {"summary": dict(counts), "seconds": round(seconds, 3)}
        sys.stdout.write(f"{json.dumps(line)}\n")


def _name(path: Path | None) -> str:
    return str(path) if path else "-"
