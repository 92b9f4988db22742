"""New, changed and removed model files, taken up while the server runs."""

import asyncio
import logging
from contextlib import suppress

import numpy as np

from serving.catalog import Catalog
from serving.errors import InvalidModel, ServingError
from serving.folders import Contents
from serving.model import Model
from serving.pipeline.upscaler import Upscaler

_TRIAL_SIDE = 48

_log = logging.getLogger(__name__)


class ModelWatch:
    """Exchanges an upscaler's catalogue for one of the files as they are now.

    New and changed files are loaded and tried before anybody is served by them. One that cannot be
    served is reported; the model that was there before stays. Files that make no catalogue at all
    are reported once. Both are tried again when files change or :meth:`look` asks. Requests that
    are under way end with the model that they began with.

    Args:
        upscaler: whose catalogue it is.
        every_s: seconds between two looks at the files; 0 waits for :meth:`look`.
    """

    def __init__(self, upscaler: Upscaler, every_s: float) -> None:
        self._upscaler = upscaler
        self._every_s = every_s or None
        self._asked = asyncio.Event()
        # Those that nothing could be made of, and that need not be reported again.
        self._failed: Contents | None = None

    def look(self) -> None:
        """Looks at the files now; for the thread of the event loop."""
        self._asked.set()

    async def run(self) -> None:
        """Looks whenever it is time or it is asked to, until it is cancelled."""
        seen = None
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._asked.wait()
            asked = self._asked.is_set()
            self._asked.clear()
            try:
                files = await asyncio.to_thread(self._upscaler.catalog.files)
                # A file that still changes may be half written.
                if asked or files == seen:
                    await asyncio.to_thread(self._exchange, asked)
                seen = files
            except Exception:  # Or nobody would look any more.
                _log.exception("the model files could not be looked at")

    def _exchange(self, asked: bool) -> None:
        files = self._upscaler.catalog.files()
        if not asked and (self._upscaler.catalog.is_current or files == self._failed):
            return
        self._failed = files
        try:
            catalog, refused = renewed(self._upscaler.catalog)
        except ServingError as error:
            _log.error("the models stay as they were: %s", error)
            return
        for refusal in refused:
            _log.error("a model is refused: %s", refusal)
        self._upscaler.catalog = catalog
        self._failed = None
        _log.info("models: %s", ", ".join(catalog.names))


def renewed(catalog: Catalog) -> tuple[Catalog, list[InvalidModel]]:
    """A catalogue of the same folders as they are now, and why files are refused.

    Raises:
        ServingError: there is no such catalogue, for instance because the default model is gone.
    """
    successor = catalog.successor()
    refused = []
    for path in successor.untried:
        try:
            try_out(successor.open(path))
        except InvalidModel as error:
            refused.append(error)
            successor.fall_back(path, catalog)
    return successor, refused


def try_all(catalog: Catalog) -> None:
    """Opens and tries the operator's models; those that cannot be served are reported and left out.

    Raises:
        UnknownModel: the default one is among them.
    """
    for path in catalog.untried:
        try:
            try_out(catalog.open(path))
        except InvalidModel as error:
            _log.error("a model is refused: %s", error)
            catalog.leave_out(path)


def try_out(model: Model) -> None:
    """Runs a model once.

    Raises:
        InvalidModel: it fails, or what it makes is no picture of the size that it says.
    """
    sides = model.fixed_size or (_TRIAL_SIDE, _TRIAL_SIDE)
    try:
        result = model.run(np.full((1, 3, *sides), 0.5, np.float32))
    except Exception as error:  # ONNX Runtime's own errors share no other base class.
        raise InvalidModel(
            f"model {model.info.name}", f"failing ({error})", "one that runs"
        ) from error
    expected = (1, 3, *(side * model.info.scale for side in sides))
    if result.shape != expected or not np.isfinite(result).all():
        raise InvalidModel(
            f"result of model {model.info.name}", result.shape, f"finite values {expected}"
        )
