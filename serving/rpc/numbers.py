"""The file formats' numbers in the public interface."""

from protos.upscaler.v1 import upscaler_pb2
from serving.codec.formats import ImageFormat

FORMAT_OF_NUMBER = {
    upscaler_pb2.IMAGE_FORMAT_PNG: ImageFormat.PNG,
    upscaler_pb2.IMAGE_FORMAT_JPEG: ImageFormat.JPEG,
    upscaler_pb2.IMAGE_FORMAT_WEBP: ImageFormat.WEBP,
    upscaler_pb2.IMAGE_FORMAT_TIFF: ImageFormat.TIFF,
    upscaler_pb2.IMAGE_FORMAT_BMP: ImageFormat.BMP,
}
NUMBER_OF_FORMAT = {format: number for number, format in FORMAT_OF_NUMBER.items()}
