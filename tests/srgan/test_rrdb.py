"""ESRGAN's generator and the names that published files give its weights."""

import pytest
import torch
from torch import Tensor, nn

from srgan.generators.rrdb import RRDB, published_weights


def earlier_name(name: str) -> str:
    """What ESRGAN's own repository calls a weight."""
    for new, old in (("body", "RRDB_trunk"), ("conv_body", "trunk_conv"), ("conv_up1", "upconv1"),
                     ("conv_up2", "upconv2"), ("conv_hr", "HRconv")):  # fmt: skip
        if name.startswith(f"{new}."):
            return old + name[len(new) :].replace("rdb", "RDB")
    return name


def place(name: str, scale: int) -> str:
    """What a weight is called where the network is a sequence, as in the files before those."""
    indices = {"conv_first": 0, "conv_up1": 3, "conv_up2": 6, "conv_hr": 8, "conv_last": 10}
    if scale == 2:
        indices |= {"conv_hr": 5, "conv_last": 7}
    first, *rest = name.split(".")
    if first == "body":
        block, dense, convolution, kind = rest
        return f"model.1.sub.{block}.{dense.upper()}.{convolution}.0.{kind}"
    before = "model.1.sub.2" if first == "conv_body" else f"model.{indices[first]}"
    return f"{before}.{rest[0]}"


@pytest.mark.parametrize("wrapper", [None, "params", "params_ema", "state_dict"])
@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("names", ["today's", "parallel", "earlier", "places"])
def test_published_files_load_whatever_they_call_things(
    wrapper: str | None, scale: int, names: str
) -> None:
    torch.manual_seed(0)
    network = RRDB(scale, 8, 2)

    def called(name: str) -> str:
        if names == "places":
            return place(name, scale)
        return {"parallel": f"module.{name}", "earlier": earlier_name(name)}.get(names, name)

    file: dict[str, Tensor] = {called(name): each for name, each in network.state_dict().items()}
    state = file if wrapper is None else {wrapper: file}
    other = RRDB(scale, 8, 2)
    other.load_state_dict(published_weights(state))  # type: ignore[arg-type]
    lr = torch.rand(1, 3, 6, 7)
    assert torch.equal(other(lr), network(lr))


def test_the_published_network_has_the_published_number_of_weights() -> None:
    with torch.device("meta"):
        network = RRDB()
    assert sum(p.numel() for p in network.parameters()) == 16_697_987
    assert len([m for m in network.modules() if isinstance(m, nn.Conv2d)]) == 23 * 15 + 6


@pytest.mark.parametrize("scale", [1, 3, 8])
def test_other_scales_are_refused(scale: int) -> None:
    with pytest.raises(ValueError, match="2 or 4"):
        RRDB(scale)
