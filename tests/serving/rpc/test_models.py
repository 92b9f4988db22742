from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any

import grpc
import pytest

from protos.upscaler.v1 import upscaler_pb2, upscaler_pb2_grpc
from serving.catalog import BUNDLED
from serving.client import RetryPolicy, UpscaleFailed, UpscalerClient
from serving.config import ServerConfig
from serving.embedded import embedded_server
from serving.model import Model, load_model
from tests.serving.files import checker, read_png, write_png
from tests.serving.networks import Network

ONCE = RetryPolicy(attempts=1)


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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("mine", "other"):
        Network(name, strength=0).save(tmp_path)
    return tmp_path


@pytest.fixture
def mine(folder: Path) -> Iterator[UpscalerClient]:
    config = ServerConfig(port=0, models=(folder,), default_model="mine", concurrency=1)
    with embedded_server(config) as address, UpscalerClient(address, ONCE) as client:
        yield client


def test_the_model_that_is_served_is_told_of_not_the_file_that_is_there_now(
    mine: UpscalerClient, folder: Path
) -> None:
    before = mine.model()
    (folder / "mine.onnx").write_bytes(b"nonsense")
    assert mine.model() == before
    (folder / "mine.onnx").unlink()
    assert mine.model() == before


def test_a_file_that_has_become_bad_is_told_without_its_path(
    mine: UpscalerClient, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "other.onnx").write_bytes(b"nonsense")
    for call in (
        partial(mine.model, "other"),
        partial(mine.upscale, write_png(checker(3)), model="other"),
    ):
        with pytest.raises(UpscaleFailed, match="model is 'other'; expected another") as caught:
            call()
        assert caught.value.code is grpc.StatusCode.FAILED_PRECONDITION
        assert caught.value.reason == "UNUSABLE_MODEL"
        assert str(folder) not in str(caught.value)
    assert "other.onnx is unreadable" in caplog.text


def test_many_who_wait_for_one_model_keep_nobody_from_another(
    mine: UpscalerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = Event()

    def slowly(path: Path, *arguments: Any) -> Model:
        assert may_end.wait(30)
        return load_model(path, *arguments)

    monkeypatch.setattr("serving.catalog.load_model", slowly)
    with ThreadPoolExecutor(40) as threads:
        waiting = [threads.submit(mine.model, "other") for _ in range(40)]
        try:
            image = mine.upscale(write_png(checker(3)), timeout_s=20).image
        finally:
            may_end.set()
        assert read_png(image).shape[2] == 3
        assert {each.result().model.name for each in waiting} == {"other"}
