"""The server's settings, checked once."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from serving.catalog import DEFAULT_MODEL
from serving.checks import MOST_TILES, check_range
from serving.engine import DEFAULT_TILE
from serving.errors import InvalidConfig
from serving.hints import Hints
from serving.load.limits import Limits
from serving.observe.logs import Logs
from serving.observe.metrics import MetricsAt
from serving.provider import Provider
from serving.security.tls import Tls
from serving.session import check_provider

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 50051


@dataclass(frozen=True)
class ServerConfig:
    """Serves super-resolution models over gRPC until SIGTERM or SIGINT.

    Raises:
        InvalidConfig: a value is out of its range, or the server would be open to everybody.
    """

    host: str = DEFAULT_HOST
    """Address to listen on; 0.0.0.0 for every IPv4 interface."""

    port: int = DEFAULT_PORT
    """TCP port; 0 takes a free one, which the ready line names."""

    models: tuple[Path, ...] = ()
    """Model files, or folders of them, offered beside the bundled models."""

    hints: Hints = field(default_factory=Hints)
    """What is known of such models as do not describe themselves."""

    default_model: str = DEFAULT_MODEL
    """The model for requests that name none."""

    watch_models_s: float = 0.0
    """Look for new, changed and removed model files every so many seconds; 0 never does, except
    at SIGHUP."""

    close_models_above_mib: int | None = None
    """Where the process has more memory than this, models are closed, those not used for the
    longest first, except the default one; they are opened anew at need. Linux only."""

    workers: int = 1
    """Processes that share the port; one that dies is replaced."""

    concurrency: int | None = None
    """Tiles that each computes at the same time; by default the processors are shared out. Where
    neither this nor threads nor spinning is given, and there is one process, serving.tune finds out
    what is fastest."""

    threads: int | None = None
    """Threads that each tile is computed on; by default 1."""

    spinning: bool | None = None
    """Whether such threads wait in a loop; by default not."""

    provider: Provider = "cpu"
    """What computes. All but cpu need another package than onnxruntime, such as onnxruntime-gpu."""

    max_batch: int = 1
    """Equal tiles, of any requests, that are computed in one run. More than 1 pays on graphics
    cards, not on processors; twice as many are then in work where concurrency is not given."""

    batch_delay_ms: float = 0.0
    """How long a tile waits for others to share a run with even where nothing else is running."""

    tile: int = DEFAULT_TILE
    """Tiles that images are cut into have at most as many input pixels as a square of this side."""

    limits: Limits = field(default_factory=Limits)
    """What one request, one client and all together may take."""

    tls: Tls = field(default_factory=Tls)
    """Encrypted connections."""

    insecure: bool = False
    """Listen without encryption to others than this machine."""

    token_file: Path | None = None
    """TOML file of the bearer tokens of those who may call; without it, everybody may."""

    metrics: MetricsAt = field(default_factory=MetricsAt)
    """Where metrics are served."""

    traces: bool = False
    """Send traces by OTLP; the variables of OpenTelemetry (OTEL_EXPORTER_OTLP_ENDPOINT,
    OTEL_TRACES_SAMPLER and others) say where to, and how many. Needs the otel extra."""

    logs: Logs = field(default_factory=Logs)
    """What is logged, and how."""

    reflection: bool = True
    """Tell clients such as grpcurl what the interface is."""

    grace_s: float = 30.0
    """Seconds that running requests get to finish when the server is told to stop."""

    def __post_init__(self) -> None:
        check_range(self, "port", 0, 65535)
        check_range(self, "watch_models_s", 0, 86_400)
        check_range(self, "workers", 1, 1024)
        if self.close_models_above_mib is not None:
            check_range(self, "close_models_above_mib", 1, 2**24)
        for name in ("concurrency", "threads"):
            if getattr(self, name) is not None:
                check_range(self, name, 1, MOST_TILES)
        check_range(self, "max_batch", 1, 256)
        if self.max_batch > (self.concurrency or self.max_batch):
            allowed = f"at most concurrency, {self.concurrency}"
            raise InvalidConfig("max_batch", self.max_batch, allowed)
        check_range(self, "batch_delay_ms", 0, 1000)
        check_range(self, "tile", 16, 8192)
        check_range(self, "grace_s", 0, 86_400)
        check_provider(self.provider)
        if not (self.tls or self.insecure or _is_loopback(self.host)):
            raise InvalidConfig(
                "host", self.host, "a loopback address, or tls_certificate, or insecure"
            )

    @property
    def tiles_of_batches(self) -> int:
        """Tiles to have in work so that one batch gathers while another runs; 0 without batches."""
        return 2 * self.max_batch if self.max_batch > 1 else 0


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
