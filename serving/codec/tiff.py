"""Writing TIFF 6.0 with 8 or 16 bits a sample: deflate with horizontal differencing, in strips."""

from io import BytesIO
from itertools import accumulate

from isal import isal_zlib
from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from serving.codec.picture import Metadata
from serving.pixels import Pixels

_ADOBE_DEFLATE = 8
_BLACK_IS_ZERO, _RGB = 1, 2
_HORIZONTAL_DIFFERENCING = 2
_UNASSOCIATED_ALPHA = 2
_STRIP_BYTES = 1 << 20


def encode_tiff(pixels: Pixels, metadata: Metadata) -> bytes:
    """Encodes uint8 or uint16 pixels [H, W, C] (1 grey, 2 grey and alpha, 3 RGB, 4 RGBA)."""
    height, width, channels = pixels.shape
    rows = max(1, _STRIP_BYTES // (width * channels * pixels.dtype.itemsize))
    strips = [_compress(pixels[top : top + rows]) for top in range(0, height, rows)]
    sizes = tuple(len(strip) for strip in strips)

    directory = ImageFileDirectory_v2()
    if metadata.exif:
        exif = Image.Exif()
        exif.load(metadata.exif)
        for tag, value in exif.items():
            directory[tag] = dict(exif.get_ifd(tag)) if tag in (IFD.Exif, IFD.GPSInfo) else value
    directory[Base.ImageWidth] = width
    directory[Base.ImageLength] = height
    directory[Base.BitsPerSample] = (pixels.dtype.itemsize * 8,) * channels
    directory[Base.Compression] = _ADOBE_DEFLATE
    directory[Base.PhotometricInterpretation] = _BLACK_IS_ZERO if channels < 3 else _RGB
    directory[Base.SamplesPerPixel] = channels
    directory[Base.RowsPerStrip] = rows
    # Offsets count from the end of the directory, which adds its own length.
    directory[Base.StripOffsets] = tuple(accumulate(sizes[:-1], initial=0))
    directory[Base.StripByteCounts] = sizes
    directory[Base.Predictor] = _HORIZONTAL_DIFFERENCING
    if channels in (2, 4):
        directory[Base.ExtraSamples] = _UNASSOCIATED_ALPHA
    if metadata.icc:
        directory[Base.InterColorProfile] = metadata.icc
    file = BytesIO()
    directory.save(file)
    file.writelines(strips)
    return file.getvalue()


def _compress(strip: Pixels) -> bytes:
    differences = strip.copy()
    differences[:, 1:] -= strip[:, :-1]
    little_endian = differences.astype(differences.dtype.newbyteorder("<"), copy=False)
    return isal_zlib.compress(little_endian.tobytes(), level=1)
