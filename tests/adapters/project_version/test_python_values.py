"""`__version__` in Python files: only the value changes, whatever stands around it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from release.adapters.project_version import write_version
from release.adapters.project_version.base import ProjectFiles
from release.adapters.project_version.python_values import attribute_place

words = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, blacklist_characters="\x7f\x85"), max_size=10)


@given(data=st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_everything_around_the_value_stays(tmp_path: Path, data: st.DataObject) -> None:
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    quote = data.draw(st.sampled_from(["'", '"', "'''", 'r"']))
    start = data.draw(
        st.sampled_from(["__version__ = ", "__version__: str =", "VERSION = __version__=\t", "é = 1; __version__ = "])
    )
    rest = f"{quote[-1] if quote[0] == 'r' else quote}  # {data.draw(words)} 1.1.0"
    before = [f"# {data.draw(words)}", "x = '1.1.0\\d'", "if True:", "    y = __doc__"]
    after = [f"version = {data.draw(words)!r}", "__versions__ = '1.1.0'"]
    source = end.join([*before, f"{start}{quote}1.1.0{rest}", *after])
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "latin-1"]))
    coded = source.encode(encoding, errors="replace")
    (tmp_path / "a.py").write_bytes(coded)
    place = attribute_place(ProjectFiles(directory=tmp_path, pyproject={}), "a.py", "__version__")
    assert place is not None
    (edit,) = write_version(tmp_path, [place], "10.2.0")
    assert edit.after == source.replace(f"{start}{quote}1.1.0", f"{start}{quote}10.2.0").encode(
        encoding, errors="replace"
    )


@pytest.mark.parametrize(
    "source",
    [
        "__version__ = '1.1' '.0'",
        "__version__ = '1.\\x31.0'",
        "__version__ = f'1.1.{0}'",
        "__version__ = b'1.1.0'",
        "__version__ = (1, 1, 0)",
        "__version__ = version('a')",
        "__version__ = __version__",
        "def f():\n    __version__ = '1.1.0'",
        "x.__version__ = '1.1.0'",
        "from a import __version__",
        "from elsewhere import __version__",
        "__version__ = '1.1.0'\rx = 1",
        "not python '",
        "",
    ],
)
def test_what_is_no_plain_string(tmp_path: Path, source: str) -> None:
    (tmp_path / "a.py").write_bytes(source.encode())
    assert attribute_place(ProjectFiles(directory=tmp_path, pyproject={}), "a.py", "__version__") is None


def test_imports_and_conditions_are_followed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("try:\n    from b import V as __version__\nexcept ImportError:\n    pass\n")
    (tmp_path / "b.py").write_text("if 1:\n    V = W = '1.1.0'\n")
    place = attribute_place(ProjectFiles(directory=tmp_path, pyproject={}), "a.py", "__version__")
    assert place is not None
    assert (place.path, place.line, place.column, place.text) == ("b.py", 2, 13, "1.1.0")
