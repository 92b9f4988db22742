"""What the page does when somebody presses its button; knows nothing of browsers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from time import monotonic

from protos.upscaler.v1 import upscaler_pb2
from serving.client import UpscalerClient
from serving.client.exchange import Progress
from serving.codec.formats import ImageFormat
from serving.errors import InvalidImage
from serving.processor import available_processors
from serving.rpc.numbers import FORMAT_OF_NUMBER
from serving.stop import Stop
from serving.tasks import TaskPool
from serving.web.pictures import Comparison, compare, enlarged, open_picture, thumbnail
from serving.web.psnr import NotComparable, psnr_y

_STEP_S = 0.1


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to be done.

    Attributes:
        picture: its file.
        model: name of a model; empty for the service's default.
        format: of the result; None for that of the picture.
        original: file of the picture that the result should be, if there is one.
    """

    picture: Path
    model: str = ""
    format: ImageFormat | None = None
    original: Path | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """How far it is.

    Attributes:
        rows_done: rows of the result that are computed.
        rows: that it will have; 0 before the service has told.
        seconds: since the beginning.
    """

    rows_done: int
    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Quality:
    """How near the result is to the original.

    Attributes:
        psnr: of the result, in dB.
        bicubic: of bicubic interpolation instead.
    """

    psnr: float
    bicubic: float


@dataclass(frozen=True, slots=True)
class Done:
    """A picture that was enlarged.

    Attributes:
        file: the result.
        response: what the service says of it.
        seconds: from sending the picture to having the result.
        comparison: to be shown.
        quality: where an original was given; a sentence where it could not be measured.
    """

    file: Path
    response: upscaler_pb2.UpscaleResponse
    seconds: float
    comparison: Comparison
    quality: Quality | str | None


@dataclass(frozen=True, slots=True)
class Glance:
    """What there is to see of a picture at once: its size in pixels, its format, a small JPEG."""

    width: int
    height: int
    format: ImageFormat
    thumbnail: bytes


class Workshop:
    """Does what visitors wish; several threads may use it at once.

    Args:
        client: of the service.
        folder: for results, each in a folder of its own with a name that nobody can guess.
    """

    def __init__(self, client: UpscalerClient, folder: Path) -> None:
        self._client = client
        self._folder = folder
        self._pool = TaskPool(available_processors())

    def models(self) -> upscaler_pb2.ListModelsResponse:
        """Which models there are.

        Raises:
            UpscaleFailed: the service does not tell.
        """
        return self._client.models(timeout_s=10)

    def glance(self, picture: Path) -> Glance:
        """Looks at a picture before anything is done to it.

        Raises:
            InvalidImage: it is none, or damaged.
            ImageTooLarge: it has more pixels than the service takes.
        """
        opened = open_picture(picture)
        strips = opened.strips
        small = thumbnail(opened, self._pool)
        return Glance(strips.width, strips.height, opened.format, small)

    def enlarge(self, wish: Wish, stop: Stop) -> Iterator[Step | Done]:
        """Enlarges a picture: now and then how far it is, last the result.

        Setting `stop` or closing the iterator ends the work, and nothing is left of it.

        Raises:
            Stopped: `stop` was set.
            UpscaleFailed: the service refused or failed.
            OSError: a file cannot be read or written.
        """
        folder = Path(mkdtemp(dir=self._folder))
        finished = False
        try:
            yield from self._steps(wish, folder, stop)
            finished = True
        finally:
            if not finished:
                rmtree(folder)

    def _steps(self, wish: Wish, folder: Path, stop: Stop) -> Iterator[Step | Done]:
        begun = monotonic()
        rows = (0, 0)

        def progress(rows_done: int, of: int) -> None:
            nonlocal rows
            rows = rows_done, of

        with ThreadPoolExecutor(1, thread_name_prefix="web") as thread:
            work = thread.submit(self._make, wish, folder, progress, stop)
            try:
                while not work.done():
                    yield Step(*rows, monotonic() - begun)
                    wait([work], _STEP_S)
                yield work.result()
            finally:
                stop.set()

    def _make(self, wish: Wish, folder: Path, progress: Progress, stop: Stop) -> Done:
        begun = monotonic()
        partial = folder / "partial"
        with partial.open("wb") as file:
            response = self._client.upscale_into(
                file,
                wish.picture,
                progress=progress,
                stop=stop,
                model=wish.model,
                format=wish.format,
            )
        seconds = monotonic() - begun
        suffix = FORMAT_OF_NUMBER[response.output.format].value.suffixes[0]
        result = partial.rename(folder / f"{wish.picture.stem}_x{response.model.scale}{suffix}")
        stop.check()
        comparison = compare(wish.picture, result, folder, self._pool)
        stop.check()
        quality = self._measure(wish, result, border=response.model.scale)
        return Done(result, response, seconds, comparison, quality)

    def _measure(self, wish: Wish, result: Path, border: int) -> Quality | str | None:
        if wish.original is None:
            return None
        made, source = open_picture(result).strips, open_picture(wish.picture).strips
        try:
            psnr = psnr_y(made, open_picture(wish.original).strips, border)
            bicubic = enlarged(source, made.width, made.height, self._pool)
            return Quality(psnr, psnr_y(bicubic, open_picture(wish.original).strips, border))
        except NotComparable as error:
            return str(error)
        except InvalidImage:
            return "The original is no picture that can be read, so PSNR was not measured."
