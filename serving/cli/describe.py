"""What an image file says of its picture, from its header."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import ImageCms

from serving.codec.decode import decode
from serving.codec.encode import check_encodable
from serving.codec.formats import DEFAULT_QUALITY, ImageFormat
from serving.codec.header import open_header
from serving.codec.metadata import read_metadata
from serving.errors import ServingError
from serving.pipeline.size import Size, SizeOptions
from serving.pipeline.upscaler import DEFAULT_MAX_OUTPUT_PIXELS

_NO_LIMIT = 2**62
_KINDS = {1: "grey", 2: "grey and alpha", 3: "RGB", 4: "RGB and alpha"}


@dataclass(frozen=True)
class Description:
    """A picture's file.

    Attributes:
        format: of the file, whatever its name says.
        bytes: of the file.
        width: in pixels, upright.
        height: in pixels, upright.
        mode: what a pixel is.
        bit_depth: of a sample, 8 or 16.
        orientation: the EXIF orientation, 1 to 8, by which the picture is turned; 1 is upright.
        profile: what the colour profile calls itself; empty where there is none.
        dpi: pixels an inch, or None where the file does not tell.
        frames: pictures in the file, of which the first is used.
        exif: whether there is EXIF, which goes into the result.
    """

    format: ImageFormat
    bytes: int
    width: int
    height: int
    mode: str
    bit_depth: int
    orientation: int
    profile: str
    dpi: tuple[float, float] | None
    frames: int
    exif: bool


def describe(data: bytes) -> Description:
    """Describes an image file. No pixel is decoded: what is damaged behind the header is not seen.

    Raises:
        ServingError: it is no picture that can be read.
    """
    picture = decode(data, _NO_LIMIT)
    strips, metadata = picture.strips, picture.metadata
    orientation, frames = _orientation_and_frames(data, picture.format)
    return Description(
        format=picture.format,
        bytes=len(data),
        width=strips.width,
        height=strips.height,
        mode=_KINDS[strips.channels],
        bit_depth=np.iinfo(strips.depth).bits,
        orientation=orientation,
        profile=_name_of(metadata.icc),
        dpi=metadata.dpi,
        frames=frames,
        exif=bool(metadata.exif),
    )


@dataclass(frozen=True)
class Prospect:
    """What a model would make of a picture.

    Attributes:
        width: of the result in pixels.
        height: of the result in pixels.
        bit_depth: of its samples, in a file of the picture's format.
        refused: why there would be no result; the rest is then 0.
    """

    width: int = 0
    height: int = 0
    bit_depth: int = 0
    refused: str = ""


def prospect(picture: Description, model_scale: int, size: SizeOptions) -> Prospect:
    """What a model of this scale would make of a picture, if `size` is asked for."""
    source = Size(picture.width, picture.height)
    try:
        result = size.of_result(source, model_scale, DEFAULT_MAX_OUTPUT_PIXELS)
        check_encodable(result.width, result.height, picture.format, DEFAULT_QUALITY)
    except ServingError as error:
        return Prospect(refused=str(error))
    return Prospect(result.width, result.height, picture.bit_depth)


def _orientation_and_frames(data: bytes, format: ImageFormat) -> tuple[int, int]:
    image = open_header(data)
    orientation = read_metadata(image, format, data)[1]
    try:
        return orientation, getattr(image, "n_frames", 1)
    except (OSError, ValueError, SyntaxError):  # Pages behind the first may be damaged.
        return orientation, 1


def _name_of(profile: bytes) -> str:
    if not profile:
        return ""
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError):
        return "unreadable"
    return name.strip() or "nameless"
