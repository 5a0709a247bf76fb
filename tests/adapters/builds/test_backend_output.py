"""What a backend prints about missing files is recognized; its other warnings are not."""

from __future__ import annotations

import pytest

from release.adapters.builds.backend_output import file_warning


@pytest.mark.parametrize(
    ("line", "message"),
    [  # Observed: setuptools 84.2, 2026-11
        ("warning: no files found matching 'src/a/data/*.dat'", "no files found matching 'src/a/data/*.dat'"),
        ("warning: no files found matching 'b' under directory 'a'", "no files found matching 'b' under directory 'a'"),
        ("warning: no directories found matching 'nodir'", "no directories found matching 'nodir'"),
        (
            "WARNING Package 'a.data' is absent from the `packages` configuration.",
            "Package 'a.data' is absent from the `packages` configuration",
        ),
        ("file src/gone.py (for module gone) not found", "file src/gone.py (for module gone) not found"),
        ("warning: no previously-included files matching '*.py[cod]' found anywhere in distribution", None),
        ("no previously-included directories found matching 'nothing2'", None),
        ("warning: no previously-included files found matching 'nofile'", None),
        ("warning: build_py: byte-compiling is disabled, skipping.", None),
        ("warning: sdist: standard file not found: should have one of README, README.rst, README.txt, README.md", None),
        ("copying src/acme_widget/__init__.py -> build/lib/acme_widget", None),
    ],
)  # fmt: skip
def test_a_missing_file_is_recognized(line: str, message: str | None) -> None:
    assert file_warning(line) == message
