"""The command `config`: what counts, where it comes from, and what is wrong with it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from release.cli.main import main
from release.core import config

TABLE = (
    '[project]\nname = "acme"\nversion = "1"\n[tool.release]\nbranch = "main"\n[tool.release.upload]\nattempts = 2\n'
)


def project(tmp_path: Path, text: str = TABLE) -> list[str]:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    return ["-C", str(tmp_path)]


def test_the_listing_is_toml_with_the_origin_of_each_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYPI_PREFLIGHT_OFFLINE", "1")
    assert main(["config", *project(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert f'branch = "main"  # {tmp_path / "pyproject.toml"}\n' in text
    assert "attempts = 2  # " in text
    assert "concurrency = 4  # default\n" in text
    assert "# changelog: not set\n" in text
    assert "# $PYPI_PREFLIGHT_OFFLINE: 1\n" in text
    table = tomllib.loads(text)["tool"]["release"]
    assert "set" not in table
    assert config.parse_config(table) == config.parse_config({"branch": "main", "upload": {"attempts": 2}})
    assert main(["config", "show", "--json", *project(tmp_path)]) == 0
    settings = {one["key"]: one for one in json.loads(capsys.readouterr().out)["settings"]}
    assert settings["attest"] == {"key": "attest", "value": "auto", "from": "default"}


def test_every_mistake_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = TABLE.replace("attempts = 2", "attempts = 0\nthreads = 1") + '[tool.release.fleet]\nwarn-before = "soon"\n'
    assert main(["config", "check", *project(tmp_path, wrong)]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.startswith("→ ") for line in lines] == [False, True] * 3
    assert main(["config", "check", *project(tmp_path)]) == 0
    assert capsys.readouterr().out.endswith("[tool.release] is valid: 2 keys\n")
    assert main(["config", "check", *project(tmp_path, "")]) == 0
    assert capsys.readouterr().out.endswith("[tool.release] is valid: all defaults\n")


@pytest.mark.parametrize("text", ["[tool.release", 'tool.release = "x"\n', "tool = 1\n"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    status = main(["config", "check", *project(tmp_path, text)])
    assert (status == 2) == (text != "tool = 1\n")
    assert "pyproject.toml" in "".join(capsys.readouterr())


def test_the_schema_is_for_a_whole_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0
    validator = jsonschema.Draft7Validator(json.loads(capsys.readouterr().out))
    validator.validate(tomllib.loads(TABLE))
    assert not validator.is_valid({"tool": {"release": {"branche": "main"}}})
