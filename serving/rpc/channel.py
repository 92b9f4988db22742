"""What both ends of a gRPC connection must agree on."""

DEFAULT_MESSAGE_MIB = 64
# gRPC counts a message's bytes in a signed 32-bit number.
LARGEST_MESSAGE_MIB = 2047


def message_options(max_mib: int) -> list[tuple[str, int]]:
    """Channel arguments that allow messages of up to `max_mib` MiB; gRPC's own limit is 4."""
    max_bytes = max_mib * 2**20
    return [
        ("grpc.max_receive_message_length", max_bytes),
        ("grpc.max_send_message_length", max_bytes),
    ]
