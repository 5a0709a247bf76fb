"""No secret passes a redactor, however a tool printed it; everything else passes unchanged."""

from __future__ import annotations

import base64
import os
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.models.credential import Credential
from release.core.models.secret_location import EnvironmentVariable
from release.core.redaction import Redactor, redact
from release.core.secret import Secret
from release.core.tokens import macaroon

TOKEN = macaroon.to_text(macaroon.create_macaroon("pypi.org", str(uuid.uuid4()).encode(), os.urandom(32)))
MARK = f"<token {Secret(TOKEN).fingerprint}>"


def folded(width: int, glue: str = "\n") -> str:
    return glue.join(TOKEN[at : at + width] for at in range(0, len(TOKEN), width))


def known() -> Redactor:
    origin = EnvironmentVariable(name="TWINE_PASSWORD")
    return Redactor(
        [Credential(username="alice", username_origin=origin, password=Secret(TOKEN), origin=origin), Secret("hunter2")]
    )


@pytest.mark.parametrize("redactor", [known(), redact], ids=["known", "by shape"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"a {TOKEN} b", f"a {MARK} b"),
        (f'{{"token": "{TOKEN}"}}', f'{{"token": "{MARK}"}}'),
        (f"{folded(40)}\nUploading it", f"{MARK}\nUploading it"),
        (f"{folded(17)} Uploading", f"{MARK} Uploading"),
        (f"│ {folded(30, ' │' + chr(10) + '│ ')} │", f"│ {MARK} │"),
        (f"\x1b[31m{folded(50, chr(27) + '[0m' + chr(13) + chr(10))}\x1b[0m", f"\x1b[31m{MARK}\x1b[0m"),
        ("nothing to hide, not even pypi-thing", "nothing to hide, not even pypi-thing"),
    ],
)
def test_a_token_is_replaced_by_its_fingerprint_and_the_rest_stays(
    redactor: Redactor, text: str, expected: str
) -> None:
    assert redactor(text) == expected


@pytest.mark.parametrize("between", ["\n", "\r\n", "\n\n", "  \n│ ", "\n> ", "\x1b[0m\n\x1b[1m", " ", ", "])
def test_tokens_on_successive_lines_are_all_replaced(between: str) -> None:
    other = macaroon.to_text(macaroon.create_macaroon("pypi.org", b"another", os.urandom(32)))
    others = [TOKEN, other, TOKEN[:-9]]
    text = redact(between.join([*others, *others[:2]]))
    assert text.count("<token ") == 5
    assert "AgE" not in text


def test_a_basic_authorisation_is_as_secret_as_its_token() -> None:
    for user in ("__token__", "alice"):
        header = "Basic " + base64.b64encode(f"{user}:{TOKEN}".encode()).decode()
        assert known()(header) == f"Basic {MARK}"
    assert redact("Basic " + base64.b64encode(f"__token__:{TOKEN}".encode()).decode()).startswith("Basic <token ")


def test_line_by_line_no_long_part_of_a_known_token_is_left() -> None:
    """Tool output arrives in lines, and a token may be wrapped over them."""
    for line in folded(60).splitlines()[:2]:
        assert known()(f"| {line} |") == f"| {MARK} |"


def test_a_known_password_of_any_shape_goes_and_a_tiny_one_spoils_no_text() -> None:
    assert known()("password hunter2!") == f"password <secret {Secret('hunter2').fingerprint}>!"
    assert Redactor([Secret("a"), Secret("")])("a banana") == "a banana"


@given(st.integers(12, len(TOKEN)), st.text(max_size=30), st.text(max_size=30))
def test_no_beginning_of_a_token_is_left_in_any_text(length: int, before: str, after: str) -> None:
    assert TOKEN[:length] not in redact(f"{before} {TOKEN[:length]} {after}")
    assert TOKEN not in known()(before + TOKEN + after)


def test_ten_megabytes_take_less_than_a_second() -> None:
    big = "Collecting something-long 1.0 from here and there\n" * 200_000
    began = time.process_time()
    assert known()(big) == big
    assert time.process_time() - began < 1


HOSTILE = {
    "blank lines after a token": (TOKEN, "\n   ", "!"),
    "blank lines after a part": ("pypi-AgEx", "\n   ", "!"),
    "a box": (f"{TOKEN} {TOKEN[0]}", "│ \n│ ", "!"),
    "blank lines after the first character": (f"{TOKEN} {TOKEN[0]}", "\n \t ", "!"),
    "colors": (f"{TOKEN}pypi-AgEx", "\x1b[0m", "!"),
    "colors and lines": (f"{TOKEN}pypi-AgEx", "\x1b[0m \n ", "!"),
    "an endless color": (TOKEN, "\x1b[0", ""),
    "blanks": ("pypi-AgEx", " ", "!"),
    "prefixes": ("", "pypi-", ""),
    "beginnings": ("", "pypi-AgE\n", ""),
    "words": ("pypi-AgEx", "abc\n", ""),
    "halves": ("", TOKEN[:60] + "\n", ""),
    "all but the end": (TOKEN, TOKEN[:-1] + "\n", ""),
}


@pytest.mark.parametrize(("before", "piece", "after"), HOSTILE.values(), ids=HOSTILE)
def test_what_a_server_sends_is_redacted_in_linear_time(before: str, piece: str, after: str) -> None:
    """Twenty lines of blanks after a token once took hours."""
    redactor = Redactor([Secret(TOKEN)])
    redactor(TOKEN)  # compiles the pattern
    begun = time.process_time()
    for size in (40, 80, 40_000):
        text = redactor(before + piece * (size // len(piece)) + after)
        assert TOKEN not in text
        assert text.endswith(after)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("last", [1, 2, 30])
@pytest.mark.parametrize("glue", ["\n", "\r\n", "\n    "])
def test_the_end_of_a_token_behind_a_break_goes_with_it(last: int, glue: str) -> None:
    assert redact(f"{TOKEN[:-last]}{glue}{TOKEN[-last:]} end") == f"{MARK} end"
