"""Settings from a file, the environment and the command line, each stronger than the one before."""

from pathlib import Path

import pytest

from serving.config import ServerConfig
from serving.errors import InvalidConfig
from serving.settings import from_command_line, from_environment, from_file


def written(folder: Path, content: str) -> Path:
    path = folder / "server.toml"
    path.write_text(content)
    return path


def test_a_file_sets_values_of_every_type(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        port = 7
        max_call_s = 2.5
        models = ["a b", "c"]
        reflection = false
        insecure = true
        log_format = "json"
        token_file = "tokens.toml"
        tls_certificate = "x.crt"
        tls_key = "x.key"
        """,
    )
    config = from_file(ServerConfig(), path)
    assert (config.port, config.limits.max_call_s, config.reflection) == (7, 2.5, False)
    assert (config.models, config.insecure) == ((Path("a b"), Path("c")), True)
    assert (config.logs.log_format, config.token_file) == ("json", Path("tokens.toml"))
    assert config.tls.tls_key == Path("x.key")
    assert config.grace_s == ServerConfig().grace_s


def test_the_environment_is_stronger_and_the_command_line_strongest(tmp_path: Path) -> None:
    config = from_file(ServerConfig(), written(tmp_path, "port = 1\nmax_calls = 1\ngrace_s = 1"))
    environment = {"UPSCALER_PORT": "2", "UPSCALER_MAX_CALLS": "2", "UPSCALER_REFLECTION": "false"}
    config = from_environment(config, environment)
    config = from_command_line(config, ["--port", "3"])
    assert (config.port, config.limits.max_calls, config.grace_s) == (3, 2, 1)
    assert config.reflection is False


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("prot = 1", "prot is unknown; expected one of host, port, "),
        ('port = "a"', "port is 'a'; expected what --help tells"),
        ("port = 1.5", "port is '1.5'"),
        ("port = 70000", "port is 70000; expected 0 to 65535"),
        ('reflection = "perhaps"', "reflection is 'perhaps'"),
        ('log_format = "xml"', "log_format is 'xml'"),
        ("port = ", "a readable TOML file"),
        ("[limits]\nmax_calls = 1", "limits is unknown"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(tmp_path: Path, content: str, complaint: str) -> None:
    with pytest.raises(InvalidConfig, match=complaint):
        from_file(ServerConfig(), written(tmp_path, content))


def test_a_variable_that_does_not_fit_is_refused_by_name() -> None:
    with pytest.raises(InvalidConfig, match="environment: max_calls is 'many'"):
        from_environment(ServerConfig(), {"UPSCALER_MAX_CALLS": "many"})
