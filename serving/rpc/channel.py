"""What both ends of a gRPC connection must agree on."""

DEFAULT_MESSAGE_MIB = 64
# gRPC counts a message's bytes in a signed 32-bit number.
LARGEST_MESSAGE_MIB = 2047
_LARGEST_NUMBER = 2**31 - 1

# Files are sent in pieces of this size.
CHUNK_BYTES = 1 << 20

# A connection that answers no ping for this long is dead.
_PING_AFTER_MS, _PING_TIMEOUT_MS = 60_000, 20_000
_RECONNECT_MS = 100
_PINGS = [
    ("grpc.keepalive_time_ms", _PING_AFTER_MS),
    ("grpc.keepalive_timeout_ms", _PING_TIMEOUT_MS),
]


def server_options(
    max_message_mib: int, max_metadata_kib: int, share_port: bool
) -> list[tuple[str, int]]:
    """A server's channel arguments: what it takes, and how it finds out that a client is gone.

    gRPC takes somewhat more than the limits, so that what exceeds them is refused by the server
    itself: with details, a line in the log and in the metrics.
    """
    max_message = max_message_mib * 2**20
    max_metadata = 2 * max_metadata_kib * 2**10
    return [
        ("grpc.max_receive_message_length", min(max_message + max_message // 8, _LARGEST_NUMBER)),
        ("grpc.max_send_message_length", max_message),
        # Between the two, gRPC refuses at random.
        ("grpc.max_metadata_size", max_metadata),
        ("grpc.absolute_max_metadata_size", max_metadata),
        *_PINGS,
        ("grpc.http2.min_recv_ping_interval_without_data_ms", _PING_AFTER_MS // 2),
        # Unless it is told so, a second server on the port is a mistake, not a sharer of its load.
        ("grpc.so_reuseport", int(share_port)),
    ]


def client_options(direct: bool = False) -> list[tuple[str, int]]:
    """A client's channel arguments: it tries again by its own policy, and notices dead servers.

    Args:
        direct: past the proxy that the environment may name (``http_proxy`` and the like).
    """
    return [
        ("grpc.enable_http_proxy", int(not direct)),
        ("grpc.enable_retries", 0),
        # Sooner than the policy's first new try, which would fail without having been sent.
        ("grpc.initial_reconnect_backoff_ms", _RECONNECT_MS),
        *_PINGS,
    ]
