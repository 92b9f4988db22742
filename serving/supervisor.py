"""Several processes that share one port, each a whole server; one that dies is replaced."""

import asyncio
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Thread
from time import monotonic

from prometheus_client.multiprocess import mark_process_dead

from serving.addresses import reserved
from serving.config import ServerConfig
from serving.errors import ServingError
from serving.observe.logs import set_up, tell_failure
from serving.observe.metrics import FOLDER_VARIABLE, Metrics, MetricsAt
from serving.processor import available_processors
from serving.signals import end_at_once, hang_up_ignored

Ready = Callable[[str], None]
Serve = Callable[[ServerConfig, Ready, bool], Awaitable[None]]

_WRONG_SETTINGS = 2
# A worker that dies sooner than this is not replaced before; after each that could not even start,
# the next is waited for twice as long.
_SHORT_LIFE_S = 2.0
_LONGEST_PAUSE_S = 60.0
_LOOK_S = 0.2
_KILL_AFTER_S = 10.0

_log = logging.getLogger(__name__)


def supervise(config: ServerConfig, serve: Serve, ready: Ready) -> int:
    """Runs ``config.workers`` processes until SIGTERM or SIGINT.

    Args:
        config: settings of all together.
        serve: what each does; called with its settings, what to call when it is ready, and True.
        ready: called with the address when all are.

    Returns:
        The exit code: 0 after a signal, 2 where a worker could not start before all were ready.

    Raises:
        InvalidConfig: the address or the port for metrics is not free.
    """
    with ExitStack() as stack:
        port = stack.enter_context(reserved(config.host, config.port))
        if config.metrics.metrics_port is not None:
            os.environ[FOLDER_VARIABLE] = stack.enter_context(tempfile.TemporaryDirectory())
            stack.callback(os.environ.pop, FOLDER_VARIABLE)
            stack.callback(Metrics().serve(config.metrics))
        each = replace(of_each(config), port=port, metrics=MetricsAt())
        return _Supervisor(each, config.workers, serve).run(ready)


def of_each(config: ServerConfig) -> ServerConfig:
    """The settings that each worker starts with; those of a single process are its own."""
    if config.workers == 1:
        return config
    return replace(config, workers=1, concurrency=config.concurrency or share(config))


def share(config: ServerConfig) -> int:
    """Tiles that each worker computes at the same time.

    So many that all use the processors once, but enough for one batch to gather while another runs.
    """
    processors = available_processors() // (config.workers * (config.threads or 1))
    return max(1, config.tiles_of_batches, processors)


def pause_after(failures: int) -> float:
    """Seconds until the next try, after so many workers in a row that could not start."""
    return min(_SHORT_LIFE_S * 2.0 ** (min(failures, 10) - 1), _LONGEST_PAUSE_S)


class _Supervisor:
    def __init__(self, config: ServerConfig, workers: int, serve: Serve) -> None:
        self._config = config
        self._serve = serve
        self._workers: list[_Worker | None] = [None] * workers
        self._told_to_stop = False
        self._announced = False

    def run(self, ready: Ready) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop())
        signal.signal(signal.SIGHUP, lambda *_: self._hang_up())
        while not self._told_to_stop:
            self._fill()
            if not self._announced and any(worker.cannot_start for worker in self._present):
                self._stop()
                self._join()
                return _WRONG_SETTINGS
            self._announce(ready)
            self._pass_on_hang_up()
            living = [worker.process.sentinel for worker in self._present if worker.alive]
            connection.wait(living, _LOOK_S)
        self._join()
        return 0

    @property
    def _present(self) -> "list[_Worker]":
        return [worker for worker in self._workers if worker]

    def _fill(self) -> None:
        """Starts a worker where there is none, or none that lives any more."""
        for index, worker in enumerate(self._workers):
            if worker is None or (not worker.alive and self._bury(worker)):
                failures = 0 if worker is None else worker.failures
                self._workers[index] = _Worker(self._config, self._serve, failures)

    def _announce(self, ready: Ready) -> None:
        """Tells once that all are ready."""
        if not self._announced and all(worker.address for worker in self._present):
            self._announced = True
            ready(self._present[0].address)

    def _bury(self, worker: "_Worker") -> bool:
        """Notes a worker's death once; tells whether it is time for another."""
        if not worker.buried:
            worker.buried = True
            worker.failures = 0 if worker.address else worker.failures + 1
            pid = worker.process.pid or 0
            _log.error("worker %d died with exit code %s", pid, worker.exit_code)
            if FOLDER_VARIABLE in os.environ:
                mark_process_dead(pid)  # type: ignore[no-untyped-call]
            worker.replace_at = worker.started + _SHORT_LIFE_S
            if worker.failures:
                pause = pause_after(worker.failures)
                worker.replace_at = monotonic() + pause
                _log.error("it could not start; the others go on; a new try in %g s", pause)
        return monotonic() > worker.replace_at

    def _stop(self) -> None:
        self._told_to_stop = True
        self._pass_on(signal.SIGTERM)

    def _hang_up(self) -> None:
        for worker in self._present:
            worker.hung_up = True

    def _pass_on_hang_up(self) -> None:
        """Tells those that it would find serving, the others later."""
        for worker in self._present:
            if worker.hung_up and worker.address:
                worker.hung_up = False
                worker.tell(signal.SIGHUP)

    def _pass_on(self, number: signal.Signals) -> None:
        for worker in self._present:
            worker.tell(number)

    def _join(self) -> None:
        self._pass_on(signal.SIGTERM)  # Again, for one that was just being started.
        end = monotonic() + self._config.grace_s + _KILL_AFTER_S
        for worker in self._present:
            worker.process.join(max(0.0, end - monotonic()))
            worker.process.kill()


class _Worker:
    def __init__(self, config: ServerConfig, serve: Serve, failures: int) -> None:
        context = get_context("spawn")  # A fork would take threads' locks along.
        self._ready, theirs = context.Pipe(duplex=False)
        self.process: BaseProcess = context.Process(target=_work, args=(config, serve, theirs))
        self.process.start()
        theirs.close()
        self.started = monotonic()
        self.buried = False
        self.replace_at = self.started
        # Workers in its place, up to itself, that in a row could not start.
        self.failures = failures
        # Whether it is to be told of a SIGHUP.
        self.hung_up = False
        self._address = ""

    @property
    def alive(self) -> bool:
        return self.process.is_alive()

    def tell(self, number: signal.Signals) -> None:
        """Sends it a signal, if it lives."""
        if self.alive and self.process.pid:
            os.kill(self.process.pid, number)

    @property
    def exit_code(self) -> int | None:
        return self.process.exitcode

    @property
    def cannot_start(self) -> bool:
        """Whether it has ended because its settings are wrong."""
        return self.exit_code == _WRONG_SETTINGS and not self.address

    @property
    def address(self) -> str:
        """Where it answers calls, or empty as long as it does not."""
        if not self._address and self._ready.poll():
            try:
                self._address = self._ready.recv()
            except EOFError:
                return ""
        return self._address


@hang_up_ignored()
def _work(config: ServerConfig, serve: Serve, ready: Connection) -> None:
    end_at_once()
    set_up(config.logs)
    Thread(target=_end_with_the_parent, daemon=True).start()
    try:
        asyncio.run(serve(config, ready.send, True))  # type: ignore[arg-type]
    except ServingError as error:
        tell_failure(error, config.logs.log_format)
        sys.exit(_WRONG_SETTINGS)


def _end_with_the_parent() -> None:
    parent = parent_process()
    assert parent
    connection.wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
