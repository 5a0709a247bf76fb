from __future__ import annotations

from pathlib import Path

import pytest

from release.adapters.builds.builder import load_pyproject
from release.adapters.project_config import load_toml
from release.core.errors import ConfigError
from release.core.foreign_json import MAX_DEPTH
from release.core.toml_text import TomlError, parse_toml

FAULTS = {
    "a = " + "[" * 100_000: "nested more than 60 levels deep",
    "a = " + "{b=" * 100_000: "nested more than 60 levels deep",
    "a = " + "[" * 100 + "]" * 100: "nested more than 60 levels deep",
    f"[{'a.' * 100}a]": "nested more than 60 levels deep",
    "a = " + "9" * 10_000: "4300 digits",
    "a = ": "Invalid value",
}


@pytest.mark.parametrize(("text", "words"), FAULTS.items())
def test_every_fault_is_an_error_of_the_file(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(TomlError, match=words):
        parse_toml(text)
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"pyproject\.toml' is not valid TOML: "):
        load_pyproject(tmp_path)
    with pytest.raises(ConfigError, match=r"pyproject\.toml' is not valid TOML: "):
        load_toml(tmp_path / "pyproject.toml")


@pytest.mark.parametrize("text", ["", "[a.b.c]\nd = [[1, 2], {e = 2026-01-01}]", "a = " + "[" * 59 + "]" * 59])
def test_what_projects_write_is_read(text: str) -> None:
    assert parse_toml(text) is not None
    assert text.count("[") < MAX_DEPTH
