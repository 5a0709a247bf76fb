"""A refusal that names an option is followed by the command with it."""

from __future__ import annotations

import pytest

from release.core.repeated_command import repeat_with_remedy

RELEASE, SET = "pypi-preflight release --index pypi", "pypi-preflight set release"


@pytest.mark.parametrize(
    ("command", "remedy", "expected"),
    [
        (RELEASE, "to create it, pass --new-project acme-widget", f"{RELEASE} --new-project acme-widget"),
        (f"{RELEASE} --new-project acme", "to create it, pass --new-project a.b_c", f"{RELEASE} --new-project a.b_c"),
        (SET, "to create them, pass --new-project a b-c", f"{SET} --new-project a b-c"),
        (
            f"{SET} --new-project a --only c d --files 'x y'",
            "release the new projects on 2 days; the first ones: --only c",
            f"{SET} --new-project a --files 'x y' --only c",
        ),
        (SET, "release them together: --only a b", f"{SET} --only a b"),
        (SET, "correct it; to release the others only: --only d", SET),
        (SET, "release the new projects on 2 days", SET),
        (RELEASE, "compare them; if they match, pass --new-project acme to check, testpypi and release", RELEASE),
        (RELEASE, "pass --yes to skip the prompt", RELEASE),
        (RELEASE, "", RELEASE),
    ],
)  # fmt: skip
def test_the_option_of_the_remedy_is_that_of_the_command(command: str, remedy: str, expected: str) -> None:
    assert repeat_with_remedy(command, remedy) == expected
