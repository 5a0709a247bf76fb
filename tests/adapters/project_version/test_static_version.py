"""`project.version` and `tool.poetry.version`: only the value changes, whatever stands around it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from release.adapters.project_version import find_version, write_version
from release.core.errors import ReleaseError
from release.core.models.preparation import VersionPlace


def written(directory: Path, source: str, version: str = "1.2.0") -> tuple[tuple[VersionPlace, ...], str]:
    """The places that a pyproject.toml has, and its text with another version."""
    file = directory / "pyproject.toml"
    file.write_bytes(source.encode())
    places = find_version(directory, tomllib.loads(source.removeprefix("\ufeff")))
    assert isinstance(places, tuple)
    (edit,) = write_version(directory, places, version)
    assert file.read_bytes() == source.encode() == edit.before, "nothing is written"
    assert edit.after is not None
    return places, edit.after.decode()


@pytest.mark.parametrize(
    "source",
    [
        '[project]\nname = "a"\nversion = "1.1.0"  # keep\n',
        "[project]\r\nname = 'a'\r\nversion   =\t'1.1.0'\r\n\r\n[tool.x]\r\ny = 1\r\n",
        '\ufeff[project]\nversion = "1.1.0"\nname = "a"',
        'project.version = "1.1.0"\nproject.name = "a"\n',
        'project = { name = "a", version = "1.1.0" }\n',
        '[project]\nname = "a"\ndependencies = [\n  "x==1.1.0", # 1.1.0\n]\n"version" = """1.1.0"""\n',
        '# version = "1.1.0"\n[tool.a]\nversion = "1.1.0"\n[project]\nname = "é"\nversion = "1.1.0"',
        '[tool.poetry]\nname = "a"\nversion="1.1.0"\n',
        '[tool.x]\na=1\n[project]\nname="a"\nversion="1.1.0"\n[tool.y]\nb=1\n[project.urls]\nx="1.1.0"\n',
        '[project.urls]\nx="1.1.0"\n[tool.x]\n[project]\nname="a"\nversion="1.1.0"\n',
    ],
    ids=["comment", "CRLF", "BOM", "dotted", "inline", "multiline", "others", "poetry", "out of order", "urls first"],
)
def test_only_the_value_changes(tmp_path: Path, source: str) -> None:
    (place,), text = written(tmp_path, source)
    parts = source.split("1.1.0")
    assert text in {"1.1.0".join(parts[:at]) + "1.2.0" + "1.1.0".join(parts[at:]) for at in range(1, len(parts))}
    found = tomllib.loads(text.removeprefix("\ufeff"))
    assert (found.get("project") or found["tool"]["poetry"])["version"] == "1.2.0"
    line = source.split("\n")[place.line - 1]
    assert line[place.column :].startswith("1.1.0")
    assert place.path == "pyproject.toml"
    assert place.setting in {"project.version", "tool.poetry.version"}


comments = st.text(st.characters(blacklist_categories=("Cc", "Cs"), blacklist_characters="\x7f"), max_size=12)


@given(data=st.data())
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_everything_around_the_value_stays(tmp_path: Path, data: st.DataObject) -> None:
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    space = st.text(" \t", max_size=3)
    quote = data.draw(st.sampled_from(['"', "'"]))
    before, after = (
        [f"#{data.draw(comments)}" for _ in range(data.draw(st.integers(0, 2)))] for _ in range(2)
    )  # fmt: skip
    start = f"{data.draw(space)}version{data.draw(space)}={data.draw(space)}{quote}"
    rest = f"{quote}{data.draw(space)}#{data.draw(comments)}"
    lines = [*before, "[project]", 'name = "a"', f"{start}1.1.0{rest}", *after, "[tool.a]", "version='1.1.0'"]
    bom = data.draw(st.sampled_from(["", "\ufeff"]))
    last = data.draw(st.sampled_from(["", end]))
    _, text = written(tmp_path, bom + end.join(lines) + last)
    lines[len(before) + 2] = f"{start}1.2.0{rest}"
    assert text == bom + end.join(lines) + last


def test_the_spelling_of_the_place_is_kept(tmp_path: Path) -> None:
    for before, version, after in [
        ("2026.06.04", "2026.11.9", "2026.11.09"),
        ("2026.6.4", "2026.11.09", "2026.11.9"),
        ("2026.11.28", "2026.12.01", "2026.12.01"),  # the file does not show it, the tags do
        ("1.0.0-rc.1", "1.0.0rc2", "1.0.0-rc.2"),
        ("1.0.0", "1.1.0-rc.1", "1.1.0rc1"),
        ("1.0.0-beta.1", "1.0.0", "1.0.0"),
    ]:
        assert (
            written(tmp_path, f'[project]\nversion = "{before}"\n', version)[1] == f'[project]\nversion = "{after}"\n'
        )


def test_escapes_are_for_the_user(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"project\.version of pyproject\.toml is not spelled as plain text"):
        written(tmp_path, '[project]\nname = "a"\nversion = "1.\\u0031.0"\n')
