"""What a pyproject.toml declares is judged without a build, and only that."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.core.errors import ConfigError, UsageError
from release.publishing import declared

GOOD = '[project]\nname = "acme-widget"\nversion = "1.0"\ndescription = "A widget."\n'


def written(directory: Path, text: str) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "pyproject.toml").write_text(text)
    return directory / "pyproject.toml"


def test_only_a_pyproject_toml_declares_metadata() -> None:
    assert declared.is_declaration(Path("a/pyproject.toml"))
    for name in ("pyproject.toml.bak", "setup.cfg", "acme-1.0.tar.gz", "pyproject.toml/x"):
        assert not declared.is_declaration(Path(name))


def test_one_bad_file_among_good_ones(tmp_path: Path) -> None:
    good = written(tmp_path / "good", GOOD)
    bad = written(tmp_path / "bad", GOOD.replace('"1.0"', '"1.0-not a version"'))
    documents = declared.inspect_declarations([good, bad])
    assert [one["verdict"] for one in documents] == ["accept", "refuse"]
    assert [one["file"] for one in documents] == [str(good), str(bad)]
    assert documents[0] == {
        "file": str(good), "sha256": None, "size": len(GOOD), "verdict": "accept", "findings": [],
    }  # fmt: skip
    assert documents[1].keys() == documents[0].keys()
    assert declared.refuses(documents)
    assert not declared.refuses(documents[:1])
    assert not declared.refuses([])


def test_a_warning_does_not_refuse(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + "unknown-key = 1\n")
    (document,) = declared.inspect_declarations([path])
    assert [one["severity"] for one in document["findings"]] == ["warn"]
    assert (document["verdict"], declared.refuses([document])) == ("accept", False)


def test_the_readme_is_read_next_to_the_file(tmp_path: Path) -> None:
    """A description that PyPI cannot render is refused: reStructuredText with an error in it."""
    path = written(tmp_path, GOOD + 'readme = "README.rst"\n')
    (tmp_path / "README.rst").write_text("Title\n===\n\n.. unknown-directive::\n\n`broken\n")
    (broken,) = declared.inspect_declarations([path])
    (tmp_path / "README.rst").write_text("Title\n=====\n\nFine.\n")
    (fine,) = declared.inspect_declarations([path])
    assert [one["check"] for one in broken["findings"]] != [one["check"] for one in fine["findings"]]


@pytest.mark.parametrize("text", ["", "[tool.x]\n", 'project = "no table"\n'])
def test_without_a_project_table_only_a_build_shows_the_metadata(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"has no table \[project\]") as wrong:
        declared.inspect_declarations([written(tmp_path, text)])
    assert wrong.value.remedy.startswith("pypi-preflight build")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        declared.inspect_declarations([tmp_path / "pyproject.toml"])


def test_as_text(tmp_path: Path) -> None:
    good = written(tmp_path / "good", GOOD)
    bad = written(tmp_path / "bad", GOOD.replace('"1.0"', '"1.0-not a version"'))
    documents = declared.inspect_declarations([good, bad])
    loud, quiet = (list(declared.declarations_to_text(documents, quiet=one)) for one in (False, True))
    assert loud[0] == f"accept  {good}  as far as it declares the metadata; nothing was built"
    assert f"REFUSE  {bad}" in loud
    assert quiet[0] == f"REFUSE  {bad}"
    assert not any(str(good) in line for line in quiet)
    assert len(quiet) > 1, "the reason is never left out"
