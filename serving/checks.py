"""Refusing settings that are out of range."""

from serving.errors import InvalidConfig

MOST_TILES = 1024  # at a time


def check_range(settings: object, name: str, least: float, most: float) -> None:
    """Refuses a number that is not `least` to `most`.

    Raises:
        InvalidConfig: the setting of this name is out of its range.
    """
    value = getattr(settings, name)
    if not least <= value <= most:
        raise InvalidConfig(name, value, f"{least} to {most}")
