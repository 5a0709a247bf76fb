"""Text that fits a screen: no word torn, names known again, and what is to be copied left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.cli.terminal.truncate import fit_line, truncate_middle

WHEEL = "acme_widget-1.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


@given(st.text().filter(lambda text: "…" not in text), st.integers(1, 100))
def test_what_is_shortened_keeps_both_its_ends(text: str, width: int) -> None:
    short = truncate_middle(text, width)
    assert len(short) == min(width, len(text))
    head, _, tail = short.partition("…") if short != text else (text, "", "")
    assert text.startswith(head)
    assert text.endswith(tail)


CASES = {
    "short": ("  done in 2.6 s", ["  done in 2.6 s"]),
    "a name and what became of it": (
        f"  {WHEEL}: accepted",
        ["  acme_widget-1.0-cp313-cp313-manyli…7_x86_64.manylinux2014_x86_64.whl: accepted"],
    ),
    "a check folds under its title": (
        "  ok     No file with credentials goes out: .pypirc, netrc, .env, .git-credentials, and their like",
        [
            "  ok     No file with credentials goes out: .pypirc, netrc, .env,",
            "         .git-credentials, and their like",
        ],
    ),
    "a sentence": (
        "  not signed, because an API token is used: PyPI takes attestations from trusted publishers alone",
        [
            "  not signed, because an API token is used: PyPI takes attestations from trusted",
            "  publishers alone",
        ],
    ),
    "two names": (
        f"  done in 3.1 s: acme_widget-1.0.tar.gz, {WHEEL}",
        ["  done in 3.1 s: acme_widget-1.0.tar.gz,", f"  {WHEEL}"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_a_line_fits_eighty_columns(text: str, expected: list[str]) -> None:
    assert fit_line(text, 80).splitlines() == expected
    assert max(map(len, expected)) <= 80


@pytest.mark.parametrize(
    "text",
    [
        f"         → run: python -m twine check --strict /home/somebody/project/dist/{WHEEL}",
        f"next: python -m release publish --config preflight.toml --files {WHEEL} wheelhouse",
        f"record: /home/somebody/a/long/way/down/to/the/project/.release/1.0/{'ab' * 20}/record.json",
    ],
)
def test_what_is_to_be_copied_stays_one_line(text: str) -> None:
    assert fit_line(text, 80) == text
