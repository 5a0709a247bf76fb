"""Damage of a sound token: each kind has its cause, wherever it is, and none is taken for something else."""

from __future__ import annotations

import base64
import html
import json
import os
import string
import uuid
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.core.secret import Secret
from release.core.tokens import macaroon
from release.core.tokens.token import Token, decode

ALPHABET = string.ascii_letters + string.digits + "-_"
CAVEATS: tuple[tuple[bytes, ...], ...] = (
    (),
    (json.dumps([3, str(uuid.uuid4())]).encode(),),
    (json.dumps([3, str(uuid.uuid4())]).encode(), b'[1,["acme","acme-widget"]]', b"[0,1900000000,1700000000]"),
)


def mint(location: str = "pypi.org", caveats: tuple[bytes, ...] = CAVEATS[1]) -> str:
    made = macaroon.create_macaroon(location, str(uuid.uuid4()).encode(), os.urandom(32), *caveats)
    return macaroon.to_text(made)


def cause_of(value: str) -> str:
    """The cause; of a token that is sound, or accepted with remarks, the remarks' causes."""
    found = decode(Secret(value))
    if isinstance(found, Token):
        return " ".join(str(one.cause) for one in found.remarks) or "sound"
    assert value.strip() not in found.message + found.remedy or len(value.strip()) < 6
    return found.cause


TOKENS = st.builds(
    mint, st.sampled_from(["pypi.org", "test.pypi.org", "localhost", "127.0.0.1"]), st.sampled_from(CAVEATS)
)
EVERY = settings(max_examples=120)

#: for less than five characters: nothing shows that they begin a token
TINY = {"cred.account-password"}
#: the last 45 characters contain no more than the signature, which is random; the next four, parts of its header
ONLY_SIGNATURE = 46
WITH_HEADER = 50


def test_a_sound_token_is_sound() -> None:
    for location in ("pypi.org", "test.pypi.org", "localhost", "127.0.0.1", "::1", "pypi.example"):
        for caveats in CAVEATS:
            assert cause_of(mint(location, caveats)) == "sound"


@pytest.mark.parametrize("caveats", CAVEATS, ids=["none", "user", "three"])
def test_a_token_cut_anywhere_is_truncated(caveats: tuple[bytes, ...]) -> None:
    value = mint(caveats=caveats)
    for length in range(1, len(value)):
        assert cause_of(value[:length]) in ({"cred.truncated"} if length > 4 else TINY), length


@pytest.mark.parametrize("prefix", ["", "pypi-"], ids=["bare", "prefix"])
@pytest.mark.parametrize("location", ["pypi.org", "test.pypi.org", "127.0.0.1"])
@pytest.mark.parametrize("caveats", CAVEATS, ids=["none", "user", "three"])
def test_a_token_without_its_head_is_called_so_wherever_it_was_cut(
    caveats: tuple[bytes, ...], location: str, prefix: str
) -> None:
    value = mint(location, caveats)
    for cut in range(6, len(value) - WITH_HEADER + 1):
        assert cause_of(prefix + value[cut:]) == "cred.head-missing", cut
        assert cause_of(f"{prefix}{value[cut:]}\n") == "cred.head-missing", cut


@given(TOKENS, st.data())
@EVERY
def test_the_middle_of_a_token_is_called_a_token_without_its_head(value: str, data: st.DataObject) -> None:
    """The identifier shows it, until that is damaged, too."""
    cut, end = data.draw(st.integers(6, 14)), data.draw(st.integers(85, len(value)))
    at = data.draw(st.integers(85, len(value)))
    assert cause_of(value[cut:end]) == "cred.head-missing"
    assert cause_of(value[cut:at] + "x" + value[at + 1 :]) == "cred.head-missing"


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_token_without_its_prefix_is_called_so(cut: int) -> None:
    assert cause_of(mint()[cut:]) == "cred.prefix-missing"


def test_the_end_of_a_signature_is_a_text_of_unknown_kind() -> None:
    """Nothing distinguishes it from a password, or by chance from a word or a one-time code."""
    for _ in range(20):
        value = mint()
        for length in range(7, ONLY_SIGNATURE):
            assert cause_of(value[-length:]) == "cred.account-password", length


#: causes that describe a changed character, by where it is: in "pypi-", or in the base64
CHANGED = {"cred.malformed", "cred.trailing"}
#: what remains can be what an index issued: another UUID, other caveats, another signature, another host
STILL_SOUND = {"sound"}


@given(TOKENS, st.sampled_from(ALPHABET), st.data())
@EVERY
def test_a_changed_character_of_the_alphabet_is_damage(value: str, one: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(value) - 1))
    cause = cause_of(value[:at] + one + value[at + 1 :])
    if at < 5:
        assert cause in {"cred.prefix-missing", "sound"}
    else:
        # A length or the end of the caveats that is larger than before reads like a token that was cut.
        assert cause in CHANGED | STILL_SOUND | {"cred.truncated"}


@given(TOKENS, st.sampled_from(ALPHABET), st.data())
@EVERY
def test_an_inserted_character_of_the_alphabet_is_damage(value: str, one: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(value)))
    cause = cause_of(value[:at] + one + value[at:])
    # In the signature, it makes the token longer by one character: PyPI reads the token without the last one.
    assert cause in ({"cred.prefix-missing", "cred.malformed"} if at <= 5 else CHANGED | {"cred.truncated"}) or (
        at > 5 and cause == "cred.trailing"
    )


@given(TOKENS, st.data())
@EVERY
def test_a_removed_character_is_damage(value: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(value) - 1))
    cause = cause_of(value[:at] + value[at + 1 :])
    if at < 5:
        assert cause == "cred.prefix-missing"
    elif at < 8:  # one character of the beginning is as good as missing as several
        assert cause == "cred.head-missing"
    else:
        assert cause in {"cred.malformed", "cred.truncated"}


@given(TOKENS, st.sampled_from([one for one in string.punctuation if one not in "-_+/"]), st.data())
@EVERY
def test_an_inserted_punctuation_mark_is_called_a_quote_or_another_character(
    value: str, one: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(value)))
    cause = cause_of(value[:at] + one + value[at:])
    quotes = one in "'\"`<>" or (one in "()[]{}" and at in {0, len(value)})
    around = {"cred.comment"} if one in "#;" and at == len(value) else set()
    prefix = {"cred.prefix-missing"} if at < 5 and one not in "'\"`<>" else set()
    escaped = {"cred.encoded"} if one == "\\" and value[at : at + 1] in {"-", "_"} else set()
    padding = {"cred.trailing"} if one == "=" and at == len(value) else set()
    assert cause in ({"cred.quotes"} if quotes else {"cred.alphabet"} | around | prefix | padding | escaped)


@given(TOKENS, st.integers(3, 100), st.sampled_from(["\n", "\r\n", " ", "\n    ", "\t"]))
@EVERY
def test_a_wrapped_token_contains_blanks(value: str, width: int, line_break: str) -> None:
    wrapped = line_break.join(value[at : at + width] for at in range(0, len(value), width))
    assert cause_of(wrapped) == "cred.token-whitespace"


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (str.lower, "cred.malformed"),
        (str.upper, "cred.malformed"),
        (str.swapcase, "cred.malformed"),
        (str.title, "cred.malformed"),
        (lambda t: t + t, "cred.pasted-twice"),
        (lambda t: f"{t}\n{t}", "cred.pasted-twice"),
        (lambda t: f"{t} {mint()}", "cred.pasted-twice"),
        (lambda t: f"pypi-{t}", "cred.prefix-doubled"),
        (lambda t: f"[{t}]", "cred.quotes"),
        (lambda t: f"({t})", "cred.quotes"),
        (lambda t: f"{{{t}}}", "cred.quotes"),
        (lambda t: f'["{t}"]', "cred.quotes"),
        (lambda t: f"[{t}", "cred.quotes"),
        (lambda t: f"{t})", "cred.quotes"),
        (lambda t: f"({t[:-30]})", "cred.quotes"),
        (lambda t: f"{t} # laptop", "cred.comment"),
        (lambda t: f"{t}  ; laptop", "cred.comment"),
        (lambda t: f"{t} // laptop", "cred.comment"),
        (lambda t: f"{t}#laptop", "cred.comment"),
        (lambda t: f"{t} (laptop)", "cred.comment"),
        (lambda t: f"{t} laptop", "cred.comment"),
        (lambda t: f"{t}\n# laptop", "cred.comment"),
        (lambda t: f'"{t}" # laptop', "cred.comment"),
        (lambda t: f"# laptop\n{t}", "cred.comment"),
        (lambda t: f"; made in May\n\n{t}\n", "cred.comment"),
        (lambda t: f"{t[:-30]} # laptop", "cred.token-whitespace"),
        (lambda t: f"username = __token__\npassword = {t}", "cred.assignment"),
        (lambda t: f"[pypi]\nusername = __token__\npassword = {t}\n", "cred.assignment"),
        (lambda t: f"password: {t}", "cred.assignment"),
        (lambda t: f"password = {t} # laptop", "cred.assignment"),
        (lambda t: f'{{"token": "{t}"}}', "cred.assignment"),
        (lambda t: f"TOKEN=[{t}]", "cred.assignment"),
        (lambda t: f"twine upload -u __token__ -p {t} dist/*", "cred.assignment"),
        (lambda t: f"export TWINE_PASSWORD={t}; twine upload dist/*", "cred.assignment"),
        (lambda t: f"Authorization: token {t}", "cred.assignment"),
        (lambda t: f"https://__token__:{t}@127.0.0.1/legacy/", "cred.assignment"),
        (lambda t: f"https://127.0.0.1/?token={t}", "cred.assignment"),
        (lambda t: f"password = {t.removeprefix('pypi-')}", "cred.assignment"),
        (lambda t: f"{t},", "cred.alphabet"),
        (lambda t: f"{t}.", "cred.alphabet"),
        (lambda t: "".join(f"{t[at : at + 60]}\\\n" for at in range(0, len(t), 60)), "cred.token-whitespace"),
        (lambda t: f"{t[:70]}\\\r\n  {t[70:]}", "cred.token-whitespace"),
        (lambda t: f"{t[:70]}=\n{t[70:]}", "cred.token-whitespace"),
        (lambda t: base64.b64encode(t.encode()).decode(), "cred.encoded"),
        (lambda t: base64.encodebytes(t.encode()).decode(), "cred.encoded"),
        (lambda t: base64.b64encode(f"{t}\n".encode()).decode(), "cred.encoded"),
        (lambda t: base64.b64encode(f"__token__:{t}".encode()).decode(), "cred.encoded"),
        (lambda t: "Basic " + base64.b64encode(f"__token__:{t}".encode()).decode(), "cred.encoded"),
        (lambda t: base64.b64encode(t.encode()).decode()[:-9], "cred.encoded"),
        (lambda t: t.encode().hex(), "cred.encoded"),
        (lambda t: t.replace("-", "%2D"), "cred.encoded"),
        (lambda t: t.replace("-", "%2d").replace("_", "%5F"), "cred.encoded"),
        (lambda t: f"{t}%0A", "cred.encoded"),
        (lambda t: t.replace("-", "&#45;"), "cred.encoded"),
        (lambda t: html.escape(f'"{t}"'), "cred.encoded"),
        (lambda t: t.replace("-", "\\u002d"), "cred.encoded"),
        (lambda t: t.replace("-", "\\-").replace("_", "\\_"), "cred.encoded"),
        (lambda t: f"{t}\\n", "cred.encoded"),
        (lambda t: json.dumps(json.dumps(t)), "cred.quotes"),
        (lambda t: f'\\"{t}\\"', "cred.quotes"),
        (lambda t: f"{t[:20]}<rest>", "cred.placeholder"),
        (lambda t: f"{t};", "cred.alphabet"),
        (lambda t: f"**{t}**", "cred.alphabet"),
        (lambda t: f"%{t}%", "cred.alphabet"),
        (lambda t: f'"{t[:20]}"', "cred.quotes"),
        (lambda t: t[:24] + "...", "cred.placeholder"),
        (lambda t: t[:24] + "…", "cred.placeholder"),
        (lambda t: t[:30] + "..." + t[-6:], "cred.placeholder"),
        (lambda t: t[:24] + "*" * 100, "cred.placeholder"),
        (lambda t: t[:8] + "xxxxxxxx", "cred.placeholder"),
        (lambda t: t[:40] + "XXXXXXXX", "cred.placeholder"),
    ],
)
def test_each_accident_of_copying_has_its_cause(spoil: Callable[[str], str], cause: str) -> None:
    for location in ("pypi.org", "test.pypi.org", "127.0.0.1"):
        for caveats in CAVEATS:
            assert cause_of(spoil(mint(location, caveats))) == cause


@pytest.mark.parametrize("words", ["YOUR_TOKEN", "your-token-here", "_REPLACE_ME", "-rest-of-token", "CJexample"])
@pytest.mark.parametrize("start", ["pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBpLm9yZw"])
def test_words_after_the_start_of_a_token_are_a_placeholder(start: str, words: str) -> None:
    assert cause_of(start + words) == "cred.placeholder"


@given(TOKENS, st.sampled_from([one for one in string.printable if one not in ALPHABET]), st.data())
@EVERY
def test_no_damage_is_taken_for_something_else(value: str, one: str, data: st.DataObject) -> None:
    """Two kinds of damage at once still are damage, of an unknown kind at worst."""
    at, end = data.draw(st.integers(0, len(value))), data.draw(st.integers(60, len(value)))
    broken = (value[:at] + one + value[at:])[:end]
    assert cause_of(broken) not in {
        "cred.other-service", "cred.identifier", "cred.secret-reference", "cred.file-path", "cred.placeholder",
        "cred.head-missing", "cred.encoded",
    }  # fmt: skip


@pytest.mark.parametrize("one", string.punctuation + string.whitespace)
def test_a_mark_or_a_blank_in_a_token_is_damage_wherever_it_is(one: str) -> None:
    value = mint()
    kinds = {"cred.quotes", "cred.alphabet", "cred.prefix-missing", "cred.token-whitespace", "cred.malformed"}
    kinds |= {"cred.trailing", "sound"} if one in ALPHABET + "+/=" else set()
    kinds |= {"cred.trailing cred.alphabet"} if one in "+/" else set()
    kinds |= {"cred.encoded"} if one == "\\" else set()
    for at in range(len(value) - 1):  # without the last one, it is cut
        assert cause_of(value[:at] + one + value[at:]) in kinds, at
        assert cause_of(value[:at] + one + value[at + 1 :]) in kinds, at
