from collections.abc import Iterator
from hashlib import sha256

import grpc
import pytest

from protos.upscaler.v1 import upscaler_pb2, upscaler_pb2_grpc
from serving.catalog import BUNDLED


@pytest.fixture(scope="module")
def stub(address: str) -> Iterator[upscaler_pb2_grpc.UpscalerServiceStub]:
    with grpc.insecure_channel(address) as channel:
        yield upscaler_pb2_grpc.UpscalerServiceStub(channel)


def test_all_models_are_listed(stub: upscaler_pb2_grpc.UpscalerServiceStub) -> None:
    response = stub.ListModels(upscaler_pb2.ListModelsRequest())
    assert [model.name for model in response.models] == [
        "nearest",
        "random",
        "x2-fast",
        "x2-fast-fp32",
        "x2-fast-int8",
        "x4-base",
        "x4-base-fp32",
        "x4-base-int8",
        "x4-fast",
        "x4-fast-fp32",
        "x4-fast-int8",
        "x4-gan",
        "x4-gan-fp32",
        "x4-gan-int8",
        "x4-photo",
        "x4-photo-fp32",
        "x4-photo-int8",
    ]
    precisions = {model.name: model.precision for model in response.models}
    assert precisions["x4-fast-fp32"] == upscaler_pb2.PRECISION_FP32
    assert precisions["x4-fast-int8"] == upscaler_pb2.PRECISION_INT8
    assert response.default_model == "nearest"


def test_a_model_in_full(stub: upscaler_pb2_grpc.UpscalerServiceStub) -> None:
    response = stub.GetModel(upscaler_pb2.GetModelRequest(name="x4-fast-fp32"))
    content = (BUNDLED / "x4-fast.onnx").read_bytes()
    assert (response.model.scale, response.halo, response.license) == (4, 12, "MIT")
    assert (response.sha256, response.size_bytes) == (sha256(content).hexdigest(), len(content))
    metrics = {(metric.dataset, metric.name): metric.value for metric in response.metrics}
    assert metrics["Set5", "psnr_y"] > 30


def test_a_model_without_a_card_has_no_metrics(
    stub: upscaler_pb2_grpc.UpscalerServiceStub,
) -> None:
    response = stub.GetModel(upscaler_pb2.GetModelRequest())
    assert (response.model.name, response.halo, len(response.metrics)) == ("nearest", 3, 0)


def test_an_unknown_model_is_not_found(stub: upscaler_pb2_grpc.UpscalerServiceStub) -> None:
    with pytest.raises(grpc.RpcError, match="model is 'x9'; expected one of: nearest") as caught:
        stub.GetModel(upscaler_pb2.GetModelRequest(name="x9"))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
