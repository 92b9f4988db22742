"""What can be wrong with a request, a model file or a setting.

Every message names the field, its value and what is allowed, and is fit to be shown to the caller.
No error knows of a transport: :mod:`serving.interceptor` gives each its gRPC status code.
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


class InvalidImage(ServingError):
    """The bytes are no image that can be read."""


class ImageTooLarge(ServingError):
    """The image, or what would come of it, has too many pixels."""


class InvalidOption(ServingError):
    """An option of the request has a value that is not allowed."""


class UnknownModel(ServingError):
    """No model of this name is offered."""


class ResultTooLarge(ServingError):
    """The encoded result does not fit in the message that would carry it."""


class ServerBusy(ServingError):
    """Too many requests are waiting already."""


class InvalidModel(ServingError):
    """A model file cannot be served."""


class InvalidConfig(ServingError):
    """A setting of the server has a value that is not allowed."""
