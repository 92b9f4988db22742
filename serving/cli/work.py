"""Carrying out one job."""

import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Literal

from protos.upscaler.v1 import upscaler_pb2
from serving.cli.aside import aside
from serving.cli.errors import OK, exit_code, sentence
from serving.cli.plan import Job
from serving.cli.whole import written_whole
from serving.client import UpscaleFailed, UpscalerClient
from serving.client.exchange import Choices, Progress
from serving.codec.formats import ImageFormat
from serving.errors import ServingError


@dataclass(frozen=True)
class Outcome:
    """What has become of a job.

    Attributes:
        job: the job.
        status: what has become of it; ``left`` if the command was interrupted before.
        reason: why it was skipped, or has failed.
        code: the exit code that it asks for.
        width: of the result in pixels.
        height: of the result in pixels.
        model: that made it.
        seconds: that it took.
    """

    job: Job
    status: Literal["done", "planned", "skipped", "failed", "left"]
    reason: str = ""
    code: int = OK
    width: int = 0
    height: int = 0
    model: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Worker:
    """Carries out jobs, one at a time.

    Attributes:
        client: of the server that computes.
        choices: what is asked of it for every picture; a job's target tells the format.
        format: of results on standard output; None for that of the picture.
        timeout_s: after which a picture is given up.
    """

    client: UpscalerClient
    choices: Choices
    format: ImageFormat | None
    timeout_s: float

    def carry_out(self, job: Job, progress: Progress) -> Outcome:
        """Makes one result; what fails is told by the outcome.

        Raises:
            BrokenPipeError: nobody reads standard output any more.
        """
        started = perf_counter()
        try:
            response = self._upscale(job, progress)
        except BrokenPipeError:  # of standard output: nobody reads any more
            raise
        except (ServingError, UpscaleFailed, OSError) as error:
            return Outcome(job, "failed", sentence(error), exit_code(error))
        return Outcome(
            job,
            "done",
            width=response.output.width,
            height=response.output.height,
            model=response.model.name,
            seconds=perf_counter() - started,
        )

    def _upscale(self, job: Job, progress: Progress) -> upscaler_pb2.UpscaleResponse:
        image: bytes | Path = job.source or sys.stdin.buffer.read()
        choices = self.choices.copy()
        choices["format"] = ImageFormat.of_suffix(job.target) if job.target else self.format
        with written_whole(job.target) as file:
            response = aside(
                lambda stop: self.client.upscale_into(
                    file, image, progress=progress, timeout_s=self.timeout_s, stop=stop, **choices
                )
            )
        if job.comparison and job.target:
            # Imported here because only comparisons need pixels.
            from serving.cli.compare import write_comparison

            data = image.read_bytes() if isinstance(image, Path) else image
            write_comparison(job.comparison, data, job.target.read_bytes(), response.model.name)
        return response
