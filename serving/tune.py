"""Finds out how this machine computes tiles fastest: ``python -m serving.tune``.

A server does the same when it first starts with a model, and remembers the answer.
"""

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import onnxruntime

from serving.cache import Cache
from serving.catalog import Catalog
from serving.config import ServerConfig
from serving.engine import DEFAULT_TILE, upscale
from serving.errors import InvalidConfig, ServingError
from serving.hints import Hints
from serving.model import Model
from serving.pixels import Pixels
from serving.processor import available_processors, processor_name
from serving.provider import Provider
from serving.session import Computing, check_provider
from serving.tasks import TaskPool

_CACHE = "tuning"
_ROUNDS = 3
# Another way must be so much faster than one thread a tile, which never does badly.
_CLEARLY = 0.85
_GLIMPSE = 32
_PATIENCE_S = 20.0


@dataclass(frozen=True)
class Setting:
    """How many tiles are computed at a time, and on how many threads each.

    Raises:
        InvalidConfig: a number is out of range.
    """

    concurrency: int
    threads: int = 1
    spinning: bool = False

    def __post_init__(self) -> None:
        for name in ("concurrency", "threads"):
            if not 1 <= getattr(self, name) <= 1024:
                raise InvalidConfig(name, getattr(self, name), "1 to 1024")


def settings(processors: int) -> Iterator[Setting]:
    """What is worth trying on so many processors; the first is the safe choice."""
    yield Setting(processors)
    threads = 2
    while threads <= processors:
        for spinning in (False, True):
            yield Setting(processors // threads, threads, spinning)
        threads *= 2
    if processors > 2:
        # Where two processors are one core's.
        yield Setting(processors // 2)


def measure(catalog: Catalog, provider: Provider, processors: int) -> dict[Setting, float]:
    """Milliseconds that a small picture takes by each setting, medians of runs that take turns.

    It opens the model anew each time.

    Raises:
        InvalidModel: the catalog's default model cannot be served.
    """
    halo = catalog.read(Computing(provider=provider)).info.halo
    if halo is None:  # There are no tiles.
        side = width = DEFAULT_TILE
    else:
        side = max(DEFAULT_TILE, 4 * halo)
        # Two tiles for each processor, or the last ones would leave some idle.
        width = 2 * processors * (side - 2 * halo) + 2 * halo
    picture = np.random.default_rng(0).integers(0, 256, (side, width, 3), dtype=np.uint8)
    taken: dict[Setting, list[float]] = {each: [] for each in settings(processors)}
    for _ in range(_ROUNDS):
        for setting, times in taken.items():
            # Or threads of another session that spin would disturb.
            model = catalog.read(Computing(setting.threads, setting.spinning, provider))
            with closing(TaskPool(setting.concurrency)) as pool:
                _seconds(model, picture, pool)
                times.append(1000 * _seconds(model, picture, pool))
    return {setting: median(times) for setting, times in taken.items()}


def _seconds(model: Model, picture: Pixels, pool: TaskPool) -> float:
    started = perf_counter()
    upscale(model, picture, np.uint8, pool)
    return perf_counter() - started


def _takes_long(catalog: Catalog, provider: Provider) -> bool:
    """Whether a model is so slow that nobody would wait for it to be measured."""
    with closing(TaskPool(1)) as pool:
        model = catalog.read(Computing(provider=provider))
        picture = np.zeros((_GLIMPSE, _GLIMPSE, 3), np.uint8)
        runs = 2 * _ROUNDS * len(list(settings(2))) * 2 * (DEFAULT_TILE / _GLIMPSE) ** 2
        return runs * _seconds(model, picture, pool) > _PATIENCE_S


def best(milliseconds: dict[Setting, float]) -> Setting:
    """The fastest setting, or the first where none is clearly faster."""
    first, fastest = next(iter(milliseconds)), min(milliseconds, key=milliseconds.__getitem__)
    return fastest if milliseconds[fastest] < _CLEARLY * milliseconds[first] else first


def tuned(catalog: Catalog, provider: Provider = "cpu") -> Setting:
    """The best setting for a catalog's default model on this machine, measured once.

    Models that would take long are not measured, and get one thread a tile.

    Raises:
        InvalidModel: the model cannot be served.
    """
    processors = available_processors()
    cache, key = Cache(_CACHE), _key(catalog, provider, processors)
    try:
        return Setting(**cache.get(key))
    except (TypeError, InvalidConfig):  # not known yet, or no longer understood
        if _takes_long(catalog, provider):
            setting = Setting(processors)
        else:
            setting = best(measure(catalog, provider, processors))
        cache.put(key, asdict(setting))
        return setting


def setting_for(catalog: Catalog, config: ServerConfig) -> Setting:
    """What the operator chose, or what is fastest here where nothing was chosen.

    Raises:
        InvalidModel: the default model cannot be served.
    """
    chosen = (config.concurrency, config.threads, config.spinning)
    if not config.tiles_of_batches and all(value is None for value in chosen):
        return tuned(catalog, config.provider)
    threads = config.threads or 1
    abreast = config.tiles_of_batches or max(1, available_processors() // threads)
    concurrency = config.concurrency or abreast
    return Setting(concurrency, threads, bool(config.spinning))


def _key(catalog: Catalog, provider: Provider, processors: int) -> str:
    machine = f"{processors} x {processor_name()}, {provider}, {onnxruntime.__version__}"
    return f"{machine}, {catalog.digest()}"


@dataclass(frozen=True)
class Arguments:
    """Measures how tiles are computed fastest, prints the table, and remembers the best way.

    Raises:
        InvalidConfig: the provider is not installed.
    """

    models: tuple[Path, ...] = ()
    """More model files, or folders of them."""

    hints: Hints = field(default_factory=Hints)
    """What is known of such models as do not describe themselves."""

    model: str = ""
    """Name of the model to measure with; empty for the default."""

    provider: Provider = "cpu"
    """What computes. All but cpu need another package than onnxruntime, such as onnxruntime-gpu."""

    def __post_init__(self) -> None:
        check_provider(self.provider)


def main() -> int:
    """The command line; returns the exit code: 0, or 2 for arguments that are wrong."""
    import tyro

    from serving.catalog import DEFAULT_MODEL

    processors = available_processors()
    try:
        arguments = tyro.cli(
            Arguments, prog="python -m serving.tune", config=(tyro.conf.OmitArgPrefixes,)
        )
        catalog = Catalog(arguments.models, arguments.model or DEFAULT_MODEL, hints=arguments.hints)
        milliseconds = measure(catalog, arguments.provider, processors)
    except ServingError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    chosen = best(milliseconds)
    Cache(_CACHE).put(_key(catalog, arguments.provider, processors), asdict(chosen))
    sys.stdout.write(
        f"{catalog.resolve()} on {processors} x {processor_name()}, "
        f"ONNX Runtime {onnxruntime.__version__}\n"
        f"{'tiles':>8}{'threads':>9}{'spinning':>10}{'ms':>8}\n"
    )
    for setting, time in milliseconds.items():
        spinning, mark = "yes" if setting.spinning else "no", " *" if setting == chosen else ""
        sys.stdout.write(
            f"{setting.concurrency:>8}{setting.threads:>9}{spinning:>10}{time:>8.1f}{mark}\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
