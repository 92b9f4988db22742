"""Settings from a file, the environment and the command line, each stronger than the one before."""

from pathlib import Path

import pytest

from serving.config import ServerConfig
from serving.errors import InvalidConfig
from serving.settings import Source, merged, of_environment, of_file, refusing


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
    config = merged(ServerConfig(), [of_file(ServerConfig(), path)])
    assert (config.port, config.limits.max_call_s, config.reflection) == (7, 2.5, False)
    assert (config.models, config.insecure) == ((Path("a b"), Path("c")), True)
    assert (config.logs.log_format, config.token_file) == ("json", Path("tokens.toml"))
    assert config.tls.tls_key == Path("x.key")
    assert config.grace_s == ServerConfig().grace_s


def environment(**variables: str) -> Source:
    return of_environment(
        ServerConfig(), {f"UPSCALER_{name}": text for name, text in variables.items()}
    )


def test_the_environment_is_stronger_and_the_command_line_strongest(tmp_path: Path) -> None:
    file = of_file(ServerConfig(), written(tmp_path, "port = 1\nmax_calls = 1\ngrace_s = 1"))
    sources = [file, environment(PORT="2", MAX_CALLS="2", REFLECTION="false")]
    config = merged(ServerConfig(), sources, ["--port", "3"])
    assert (config.port, config.limits.max_calls, config.grace_s) == (3, 2, 1)
    assert config.reflection is False


def test_one_source_completes_what_another_begins(tmp_path: Path) -> None:
    file = of_file(ServerConfig(), written(tmp_path, 'host = "0.0.0.0"'))
    assert merged(ServerConfig(), [file], ["--insecure"]).host == "0.0.0.0"
    assert merged(ServerConfig(), [file, environment(INSECURE="true")]).host == "0.0.0.0"
    half = environment(TLS_CERTIFICATE="a.crt")
    assert merged(ServerConfig(), [half], ["--tls-key", "a.key"]).tls
    with pytest.raises(
        InvalidConfig, match=r"server\.toml: host is 0\.0\.0\.0; expected a loopback"
    ):
        merged(ServerConfig(), [file])


def test_spaces_part_only_lists() -> None:
    config = merged(
        ServerConfig(), [environment(TOKEN_FILE="/my dir/-t.toml", MODELS="a b", SPINNING="true")]
    )
    assert (config.token_file, config.spinning) == (Path("/my dir/-t.toml"), True)
    assert config.models == (Path("a"), Path("b"))
    assert merged(ServerConfig(), [environment(MODELS="")]).models == ()


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("UPSCALER_MAX_CALL", "MAX_CALLS"),
        ("UPSCALER_prot", "PORT"),
        ("UPSCALER_TOKEN_FIL", "TOKEN_"),
    ],
)
def test_a_variable_that_is_no_setting_is_refused(variable: str, nearest: str) -> None:
    with pytest.raises(InvalidConfig, match=f"^{variable} is unknown; .* UPSCALER_{nearest}"):
        of_environment(ServerConfig(), {variable: "1"})


def test_variables_of_other_programs_are_let_be() -> None:
    assert environment(CONFIG="x", TOKEN="y").words == {}
    assert of_environment(ServerConfig(), {"PATH": "/bin"}).words == {}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("prot = 1", "prot is unknown; expected one of host, port, "),
        ('port = "a"', "port is 'a'; expected a whole number"),
        ("port = 1.5", "port is 1.5; expected a whole number"),
        ("port = true", "port is true; expected a whole number"),
        ("port = 70000", "port is 70000; expected 0 to 65535"),
        ('max_calls = "8"', "max_calls is '8'; expected a whole number"),
        ("max_calls = [8]", r"max_calls is \[8\]; expected a whole number"),
        ('grace_s = "1"', "grace_s is '1'; expected a number"),
        ('models = "a"', "models is 'a'; expected a list, each item a path in quotes"),
        ("models = [1]", r"models is \[1\]; expected a list"),
        ("token_file = 1", "token_file is 1; expected a path in quotes"),
        ('spinning = "yes"', "spinning is 'yes'; expected true or false"),
        ('reflection = "perhaps"', "reflection is 'perhaps'; expected true or false"),
        ("log_format = 1", "log_format is 1; expected one of 'text', 'json'"),
        ('log_format = "xml"', "log_format is 'xml'; expected what --help tells"),
        ("port = ", "a readable TOML file"),
        ("[limits]\nmax_calls = 1", "limits is unknown"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(tmp_path: Path, content: str, complaint: str) -> None:
    with pytest.raises(InvalidConfig, match=complaint):
        merged(ServerConfig(), [of_file(ServerConfig(), written(tmp_path, content))])


def test_a_variable_that_does_not_fit_is_refused_by_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(InvalidConfig, match="environment: max_calls is 'many'"):
        merged(ServerConfig(), [environment(MAX_CALLS="many")])
    assert capsys.readouterr() == ("", "")
    with pytest.raises(InvalidConfig, match="environment: token_file is ''"):
        merged(ServerConfig(), [environment(TOKEN_FILE="")], ["--port", "1"])


@pytest.mark.parametrize("name", ["INSECURE", "TRACES", "REFLECTION"])
@pytest.mark.parametrize("text", ["", "yes"])
def test_a_variable_is_on_or_off_by_these_words_alone(name: str, text: str) -> None:
    refusal = f"^UPSCALER_{name} is '{text}'; expected true or false$"
    with pytest.raises(InvalidConfig, match=refusal):
        environment(**{name: text})
    config = merged(ServerConfig(), [environment(**{name: "False"})])
    assert getattr(config, name.lower()) is False


def test_who_is_to_blame_is_named_only_where_it_is_certain() -> None:
    with pytest.raises(InvalidConfig, match=r"^port is 70000"):
        merged(ServerConfig(), [environment(PORT="1")], ["--port=70000"])


def test_a_wrong_command_line_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        merged(ServerConfig(), [environment(PORT="1")], ["--prot", "2"])
    assert "--prot" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "gist"),
    [
        (["--prot", "2"], "Unrecognized options: --prot, 2"),
        (["--port", "many"], "Error parsing --port: invalid literal for int.* 'many'"),
        (["--port"], "Missing value for argument '--port'.*"),
        (["--log-format", "xml"], "invalid choice 'xml' .* Expected one of .*'json'.*"),
    ],
)
def test_a_wrong_command_line_can_be_refused_in_a_line(
    arguments: list[str], gist: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = rf"^command line is refused \({gist}\); expected what --help tells$"
    with pytest.raises(InvalidConfig, match=refusal), refusing():
        merged(ServerConfig(), [environment(PORT="1")], arguments)
    assert capsys.readouterr() == ("", "")


def test_help_is_no_refusal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), refusing():
        merged(ServerConfig(), [], ["--help"])
    assert "--port INT" in capsys.readouterr().out
