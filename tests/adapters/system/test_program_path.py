"""Where programs are found: in the directories of PATH, never in the project's."""

from __future__ import annotations

import pytest

from release.adapters.system.program_path import find_on_windows

FILES = {r"C:\Git\cmd\git.exe", r"C:\sdk\gcloud.cmd", r"C:\sdk\gcloud", "git.exe", r".\git.exe", r"\tools\git.exe"}
EXTENSIONS = ".COM;.EXE;.BAT;.CMD"


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("git", r"C:\Windows;C:\Git\cmd", r"C:\Git\cmd\git.exe"),
        ("git.exe", r"C:\Git\cmd", r"C:\Git\cmd\git.exe"),
        ("GIT.EXE", r"C:\Git\cmd", r"C:\Git\cmd\GIT.EXE"),
        ("git", r'"C:\Git\cmd";C:\Windows', r"C:\Git\cmd\git.exe"),
        ("gcloud", r"C:\sdk", r"C:\sdk\gcloud.cmd"),
        # the current directory, and what is relative to it or to the current drive
        ("git", "", None), ("git", ".", None), ("git", r".;C:\Windows", None), ("git", r"\tools", None),
        ("git", "C:tools", None), ("git", ";;", None),
        ("uv", r"C:\Git\cmd", None),
    ],
)  # fmt: skip
def test_a_program_is_found_as_windows_would_but_not_in_the_current_directory(
    name: str, path: str, expected: str | None
) -> None:
    known = {file.lower() for file in FILES}
    assert find_on_windows(name, path, EXTENSIONS, is_file=lambda file: file.lower() in known) == expected
