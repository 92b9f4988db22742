"""What can be wrong with a request, a model file or a setting.

Every message names the field, its value and what is allowed, and is fit to be shown to the caller.
No error knows of a transport: :mod:`serving.rpc.status` gives each its gRPC status.
"""


class ServingError(Exception):
    """Base of everything that serving refuses on purpose.

    Args:
        field: what was wrong, as the caller knows it (``options.quality``).
        value: what it was; a short phrase for what cannot be shown (``truncated``).
        allowed: what would have been accepted.
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{field} is {value}; expected {allowed}")
        self.field = field
        self.value = value
        self.allowed = allowed


class InvalidRequest(ServingError):
    """The messages of a call cannot be understood."""


class UnknownMethod(ServingError):
    """No call of this name is offered."""


class MessageTooLarge(ServingError):
    """A message, or what comes along with a call, has more bytes than the server takes."""


class InvalidImage(ServingError):
    """The bytes are no image that can be read."""


class ImageTooLarge(ServingError):
    """The image, or what would come of it, has too many pixels."""


class InvalidOption(ServingError):
    """An option of the request has a value that is not allowed."""


class UnknownModel(ServingError):
    """No model of this name is offered."""


class UnusableModel(ServingError):
    """A model is offered, but its file has become one that cannot be served."""


class FileTooLarge(ServingError):
    """The image's file has more bytes than the server takes."""


class ResultTooLarge(ServingError):
    """The encoded result does not fit in the message that would carry it."""


class ServerBusy(ServingError):
    """There is no room for this request at present.

    Args:
        field: what is full.
        value: with how much.
        allowed: what would help.
        retry_after_s: seconds after which a new try is likely to succeed.
    """

    def __init__(self, field: str, value: object, allowed: str, retry_after_s: float = 1.0) -> None:
        super().__init__(field, value, allowed)
        self.retry_after_s = retry_after_s


class QuotaExceeded(ServingError):
    """This client has too much under way, or asks too often.

    Args:
        field: what there is too much of.
        value: how much, and of whom.
        allowed: the quota.
        retry_after_s: seconds after which a new try is likely to succeed.
    """

    def __init__(self, field: str, value: object, allowed: str, retry_after_s: float = 1.0) -> None:
        super().__init__(field, value, allowed)
        self.retry_after_s = retry_after_s


class TimeLimitExceeded(ServingError):
    """A call, or a pause in it, takes longer than the server allows."""


class Unauthenticated(ServingError):
    """The caller shows nothing by which the server knows it."""


class ServerStopping(ServerBusy):
    """The server is about to end."""


class InvalidModel(ServingError):
    """A model file cannot be served."""


class InvalidConfig(ServingError):
    """A setting of the server has a value that is not allowed."""
