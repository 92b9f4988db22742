"""The deployment examples say what the server understands, and agree with each other."""

import re
import shlex
import subprocess
import sysconfig
import tomllib
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from serving.config import ServerConfig
from serving.settings import merged, of_environment, of_file
from tests.programs import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def instructions(name: str) -> list[str]:
    joined = DOCKERFILE.replace("\\\n", " ")
    return re.findall(rf"^{name} +(.*)$", joined, re.MULTILINE)


@pytest.fixture
def objects() -> dict[str, Any]:
    documents = yaml.safe_load_all((ROOT / "deploy/kubernetes.yaml").read_text("utf-8"))
    return {document["kind"]: document for document in documents}


def complaints(program: str, *arguments: str) -> str:
    """What a linter says of files of the repository."""
    result = subprocess.run(
        [Path(sysconfig.get_path("scripts"), program), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout + result.stderr


def test_the_dockerfile_passes_hadolint() -> None:
    assert complaints("hadolint", "Dockerfile") == ""


def test_no_yaml_file_has_a_key_twice_or_is_otherwise_odd() -> None:
    rules = "{extends: relaxed, rules: {line-length: disable}}"
    assert complaints("yamllint", "--config-data", rules, "deploy", ".github") == ""


def test_the_image_is_not_roots_and_tells_its_health() -> None:
    assert instructions("USER") == ["10001"]
    (check,) = instructions("HEALTHCHECK")
    assert "serving.health" in check
    assert instructions("ENTRYPOINT") == ['["python", "-m", "serving.server"]']


def sources_of_the_image() -> list[str]:
    """What is copied into the image from the build's folder."""
    words = [instruction.split() for instruction in instructions("COPY")]
    return [
        source
        for instruction in words
        if not instruction[0].startswith("--from")
        for source in instruction[:-1]
    ]


def is_sent_to_the_builder(name: str) -> bool:
    """What .dockerignore says of a file or folder: the last line that fits it decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        if fnmatch(name, line.removeprefix("!")):
            sent = line.startswith("!")
    return sent


@pytest.mark.parametrize("source", sources_of_the_image())
def test_the_image_is_built_of_what_there_is(source: str) -> None:
    assert (ROOT / source).exists()
    assert is_sent_to_the_builder(source)


def test_the_image_has_all_that_the_package_is_built_of() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project, wheel = settings["project"], settings["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"pyproject.toml", project["readme"], *project["license-files"], *wheel["packages"]}
    assert needed <= set(sources_of_the_image())


def test_the_images_environment_is_understood() -> None:
    (words,) = instructions("ENV")
    environment = dict(word.split("=", 1) for word in shlex.split(words))
    config = merged(ServerConfig(), [of_environment(ServerConfig(), environment)])
    assert (config.host, config.insecure, config.logs.log_format) == ("0.0.0.0", True, "json")
    assert config.metrics.metrics_port == 9090
    known = [name for name in environment if name.startswith("UPSCALER_")]
    assert len(known) == 5


def test_compose_starts_a_server_that_gets_its_time_to_end() -> None:
    service = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text("utf-8"))["services"]
    config = merged(ServerConfig(), arguments=service["upscaler"]["command"])
    assert float(service["upscaler"]["stop_grace_period"].rstrip("s")) > config.grace_s


def test_kubernetes_starts_a_server_that_gets_its_time_to_end(
    objects: dict[str, Any], tmp_path: Path
) -> None:
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    path = tmp_path / "server.toml"
    path.write_text(objects["ConfigMap"]["data"]["server.toml"], "utf-8")
    config = merged(ServerConfig(), [of_file(ServerConfig(), path)])
    assert pod["terminationGracePeriodSeconds"] > config.grace_s
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": config.port, "metrics": config.metrics.metrics_port}
    probes = [container[f"{kind}Probe"]["grpc"] for kind in ("startup", "readiness", "liveness")]
    assert {probe["port"] for probe in probes} == {config.port}
    assert ("--config", "/etc/upscaler/server.toml") in pairwise(container["args"])


def test_kubernetes_sets_no_variables_that_look_like_settings(objects: dict[str, Any]) -> None:
    assert objects["Deployment"]["spec"]["template"]["spec"]["enableServiceLinks"] is False


def test_the_check_compares_the_protocol_with_the_last_release() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text("utf-8"))
    checkout, *_ = workflow["jobs"]["check"]["steps"]
    assert checkout["uses"].startswith("actions/checkout@")
    assert checkout["with"]["fetch-depth"] == 0  # or there are no tags to compare with


def test_kubernetes_selects_what_it_starts(objects: dict[str, Any]) -> None:
    labels = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for selector in (
        objects["Deployment"]["spec"]["selector"]["matchLabels"],
        objects["Service"]["spec"]["selector"],
        objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    ):
        assert selector == labels
