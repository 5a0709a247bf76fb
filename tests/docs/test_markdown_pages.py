"""What the tests of the documentation find in a page."""

from __future__ import annotations

import pytest

from tests.docs import markdown_pages

PAGE = """\
# Is `the token` there?

[one](a.md#b) and `[none](code.md)`, [`two`](https://packages.example/x "title"), ![three](c.png)

```sh
pypi-preflight verify \\
  --index pypi # [no](link.md)
```

```console
$ pypi-preflight status
pypi-preflight is not a command here
```

## cred.missing

## cred.missing
"""


def test_links_outside_of_code() -> None:
    assert markdown_pages.links(PAGE) == ["a.md#b", "https://packages.example/x", "c.png"]


def test_anchors_are_those_of_github() -> None:
    assert markdown_pages.anchors(PAGE) == {"is-the-token-there", "credmissing", "credmissing-1"}


def test_command_lines_are_joined_and_output_is_left_out() -> None:
    assert list(markdown_pages.command_lines(PAGE)) == [
        "pypi-preflight verify --index pypi # [no](link.md)", "pypi-preflight status",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("pypi-preflight verify --index pypi  # why", [["verify", "--index", "pypi"]]),
        ("python -m pip install -e . && pypi-preflight rehearse", [["rehearse"]]),
        ('printf %s "$TOKEN" | pypi-preflight rotate --yes', [["rotate", "--yes"]]),
        ("pypi-preflight sandbox > sandbox.json &", [["sandbox"]]),
        ("TWINE_PASSWORD=x pypi-preflight verify; pypi-preflight status", [["verify"], ["status"]]),
        ("python -m pip install pypi-preflight", []),
        ("echo 'pypi-preflight check' | cat", []),
        ("echo 'pypi-preflight[attest]' | uv pip compile -", []),
        ("pypi-preflight tokens --issue-body i.md || gh issue create", [["tokens", "--issue-body", "i.md"]]),
    ],
)  # fmt: skip
def test_commands_of_a_line(line: str, commands: list[list[str]]) -> None:
    assert list(markdown_pages.own_commands(line)) == commands
