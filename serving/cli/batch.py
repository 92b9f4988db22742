"""Carrying out jobs one after the other, whatever becomes of each."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from time import perf_counter

from serving.cli.done import is_done
from serving.cli.errors import INTERRUPTED, worst
from serving.cli.plan import Job
from serving.cli.progress import Progress
from serving.cli.report import Report
from serving.cli.work import Outcome, Worker


@dataclass(frozen=True)
class Batch:
    """How jobs are carried out.

    Attributes:
        worker: makes one result; None where nothing is to be made.
        report: is told of each.
        redo: make anew what is there already.
        dry_run: only tell what would be done.
    """

    worker: Worker | None
    report: Report
    redo: bool = False
    dry_run: bool = False

    def run(self, jobs: Sequence[Job], known: Sequence[Outcome] = ()) -> int:
        """Carries them out; returns the exit code: that of the worst failure, 130 after Ctrl-C.

        Args:
            jobs: what is to be done.
            known: what has become of others already.
        """
        started = perf_counter()
        outcomes: list[Outcome] = []
        interrupted = False
        waiting = [job for job in jobs if self.redo or not is_done(job)]
        progress = Progress([_size(job) for job in waiting])
        with closing(progress):
            try:
                for outcome in self._outcomes(jobs, waiting, known, progress):
                    outcomes.append(outcome)
                    self.report.tell(outcome, progress.say)
            except KeyboardInterrupt:
                interrupted = True
                told = {outcome.job for outcome in outcomes}
                outcomes += [Outcome(job, "left") for job in jobs if job not in told]
        self.report.sum_up(outcomes, perf_counter() - started)
        return INTERRUPTED if interrupted else worst(outcome.code for outcome in outcomes)

    def _outcomes(
        self,
        jobs: Sequence[Job],
        waiting: Sequence[Job],
        known: Sequence[Outcome],
        progress: Progress,
    ) -> Iterator[Outcome]:
        yield from known
        pending = set(waiting)
        for job in jobs:
            if job not in pending:
                yield Outcome(job, "skipped", f"{job.target} is newer")
        for job in waiting:
            if self.dry_run or not self.worker:
                yield Outcome(job, "planned")
                continue
            with progress.picture(job.source.name if job.source else "-", _size(job)) as tell:
                outcome = self.worker.carry_out(job, tell)
            yield outcome


def _size(job: Job) -> int:
    """Bytes of the picture's file; where they cannot be told, its failure will take no time."""
    try:
        return job.source.stat().st_size if job.source else 1
    except OSError:
        return 0
