"""What one request, one client and all together may take: the settings."""

from dataclasses import dataclass

from serving.checks import check_range
from serving.pipeline.upscaler import DEFAULT_MAX_INPUT_PIXELS, DEFAULT_MAX_OUTPUT_PIXELS
from serving.rpc.channel import DEFAULT_MESSAGE_MIB, LARGEST_MESSAGE_MIB


@dataclass(frozen=True)
class Limits:
    """What one request, one client and all together may take.

    Raises:
        InvalidConfig: a value is out of its range.
    """

    max_input_pixels: int = DEFAULT_MAX_INPUT_PIXELS
    """The most pixels that an input image may have, judged by its header."""

    max_output_pixels: int = DEFAULT_MAX_OUTPUT_PIXELS
    """The most pixels that a result may have."""

    max_message_mib: int = DEFAULT_MESSAGE_MIB
    """Largest message in MiB: what Upscale takes and gives; UpscaleStream's pieces are small."""

    max_file_mib: int = 256
    """Largest image file that UpscaleStream takes, in MiB."""

    max_files_mib: int = 1024
    """All image files together that are held at a time, in MiB."""

    max_metadata_kib: int = 16
    """Largest metadata of a call, in KiB."""

    max_queued_pixels: int = 2**27
    """Pixels that the network is to be given for all requests that run or wait; when that is
    reached, further ones are refused at once."""

    max_calls: int = 256
    """Calls under way at a time, of all clients together."""

    max_client_calls: int = 64
    """Calls under way at a time of one client: of one token, unless that has a limit of its own,
    or else of one address."""

    max_call_s: float = 600.0
    """Seconds after which a call is ended."""

    max_idle_s: float = 30.0
    """Seconds that a client may leave the server waiting for a message, or with one of many for
    it."""

    def __post_init__(self) -> None:
        check_range(self, "max_input_pixels", 1, 2**31)
        check_range(self, "max_output_pixels", 1, 2**40)
        check_range(self, "max_message_mib", 1, LARGEST_MESSAGE_MIB)
        check_range(self, "max_file_mib", 1, 65_536)
        check_range(self, "max_files_mib", 1, 2**24)
        check_range(self, "max_metadata_kib", 8, 1024)
        check_range(self, "max_queued_pixels", 1, 2**40)
        check_range(self, "max_calls", 1, 1_000_000)
        check_range(self, "max_client_calls", 1, 1_000_000)
        check_range(self, "max_call_s", 0.1, 86_400)
        check_range(self, "max_idle_s", 0.1, 86_400)
