"""Tags in the names of wheels, and what many files are in a few words."""

from __future__ import annotations

import pytest
from packaging.utils import parse_wheel_filename

from release.core.wheel_tags import _FEWEST, _ROWS, expand_tags, platforms_to_lines, python_of_wheel, summarize_files


def wheels(*tags: str) -> list[str]:
    return [f"acme-1.0-{tag}.whl" for tag in tags]


@pytest.mark.parametrize(
    "name",
    [
        "acme-1.0-py2.py3-none-any.whl",
        "acme-1.0-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "acme-1.0-CP311-abi3-macosx_11_0_arm64.whl",
    ],
)
def test_compressed_tags_are_expanded_as_packaging_does(name: str) -> None:
    assert set(expand_tags(name)) == set(map(str, parse_wheel_filename(name)[3]))


@pytest.mark.parametrize("name", ["acme-1.0.tar.gz", "acme-1.0.zip", "acme.whl", "acme-1.0-py3.whl"])
def test_other_files_have_no_tags(name: str) -> None:
    assert expand_tags(name) == ()
    assert python_of_wheel(name) is None


@pytest.mark.parametrize(
    ("tag", "python"),
    [
        ("cp313-cp313-win32", "cp313"),
        ("cp313-cp313t-win32", "cp313t"),
        ("cp39-abi3-win32", "cp39-abi3"),
        ("pp310-pypy310_pp73-win32", "pp310"),
        ("py3-none-win32", "py3"),
    ],
)
def test_the_python_of_a_wheel(tag: str, python: str) -> None:
    assert python_of_wheel(*wheels(tag)) == python


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["acme-1.0.tar.gz"], "1 sdist"),
        ([*wheels("py3-none-any"), "acme-1.0.tar.gz"], "1 wheel, 1 sdist"),
        (wheels("cp311-abi3-win32", "cp311-abi3-win_amd64"), "2 wheels for 1 Python and 2 platforms"),
        (
            wheels("cp311-cp311-win32", "cp311-cp311-win_arm64", "cp312-cp312-win32", "cp312-cp312-win_arm64"),
            "4 wheels for 2 Pythons × 2 platforms",  # noqa: RUF001
        ),
        (
            wheels("cp311-cp311-win32", "cp311-cp311-win_arm64", "cp312-cp312-win32"),
            "3 wheels for 2 Pythons and 2 platforms",
        ),
    ],
)
def test_files_in_a_few_words(names: list[str], text: str) -> None:
    assert summarize_files(names) == text


def test_the_platforms_fit_into_a_terminal() -> None:
    pythons = [f"cp3{minor}-cp3{minor}" for minor in range(8, 15)]
    many = wheels(*(f"{python}-manylinux_2_{number}_arch{number}" for python in pythons for number in range(30)))
    lines = list(platforms_to_lines(many))
    assert len(lines) == 15
    assert lines[0] == "linux arch0:  cp38 cp39 cp310 cp311 cp312 cp313 cp314"
    assert lines[-1] == "16 more platforms: 112 wheels"
    long = wheels(*(f"cp{n}-cp{n}-{name}" for n in range(311, 340) for name in ("win32", "win_amd64")))
    assert list(platforms_to_lines(long)) == [
        "win32:     29 Pythons, cp311 to cp339",
        "win_amd64: 29 Pythons, cp311 to cp339",
    ]
    assert list(platforms_to_lines(["acme-1.0.tar.gz", *wheels("py3-none-any")])) == []


@pytest.mark.parametrize("count", [_FEWEST - 1, _FEWEST, _ROWS, _ROWS + 1, _ROWS + 3])
def test_as_many_platforms_have_a_line_as_there_are_rows(count: int) -> None:
    names = wheels(*(f"cp311-cp311-linux_{chr(ord('a') + number)}" for number in range(count)))
    lines = list(platforms_to_lines(names))
    if count < _FEWEST:
        assert lines == []
    elif count <= _ROWS:
        assert len(lines) == count
        assert all(line.endswith(" cp311") for line in lines)
    else:
        assert len(lines) == _ROWS
        rest = count - _ROWS + 1
        assert lines[-1] == f"{rest} more platforms: {rest} wheels"
