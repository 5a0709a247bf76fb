"""The rules for addresses give the verdict of the library that the index asks, in its words."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator

import email_validator
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.acceptance.email_address_rules import InvalidAddressError, check_address

FOLLOWED = "2.4.0"
INSTALLED = importlib.metadata.version("email-validator")


def ours(address: str) -> str:
    """The message of our rules; empty for an address that they accept."""
    try:
        check_address(address)
    except InvalidAddressError as error:
        return str(error)
    return ""


def theirs(address: str) -> str:
    try:
        email_validator.validate_email(address, check_deliverability=False)
    except email_validator.EmailNotValidError as error:
        return str(error)
    return ""


NO_AT = "An email address must have an @-sign."
BEFORE = "The email address contains invalid characters before the @-sign: "
UNSAFE = "The email address contains unsafe characters: "
AFTER = "The part after the @-sign contains invalid characters: "
INVALID = "The part after the @-sign is invalid "
NO_IDNA = "The part after the @-sign is not valid IDNA "
QUOTED = "Quoting the part before the @-sign is not allowed here."
SPECIAL = "The part after the @-sign is a special-use or reserved name that cannot be used with email."
NAMED = "A display name and angle brackets around the email address are not permitted here."
IPV4 = "The address in brackets after the @-sign is not valid: It is not an IPv4 address "
IPV6 = "The IPv6 address in brackets after the @-sign is not valid "
TWO_HYPHENS = (
    "An email address cannot have two letters followed by two dashes immediately after the @-sign or after a period, "
    "except Punycode."
)
UNCLOSED = (
    "An open angle bracket at the start of the email address has to be followed by a close angle bracket at the end."
)
UNMAPPED = "The part after the @-sign contains invalid characters (Codepoint "
LONG_LABEL = "After the @-sign, periods cannot be separated by so many characters "
BY_NORMALIZATION = "The part after the @-sign contains invalid characters after Unicode normalization: "
TOO_LONG = "The email address is too long "

CASES = [
    ("ada@acme.ch", ""),
    ("Ada.Lovelace+pypi@Mail.ACME.org", ""),
    ("!#$%&'*+-/=?^_`{|}~@acme.org", ""),
    ("é@bücher.example", ""),
    ("葉士豪@臺網中心.tw", ""),
    ("ada@bücher。example", ""),
    ("ada@\uff21\uff23\uff2d\uff25\uff0e\uff4f\uff52\uff47", ""),
    ("ada@xn--bcher-kva.example", ""),
    ("ada@acme.xn--p1ai", ""),
    ("e\u0301@acme.org", ""),
    ("ada@acme.example", ""),
    ("ada@acme\u3164.org", ""),
    # longer than 64 characters: versions before 2.3 refuse it, the index does not
    (f"{'a' * 65}@acme.org", ""),
    (f"{'a' * 245}@acme.org", ""),
    # no address
    ("", NO_AT),
    ("ada", NO_AT),
    ('"ada@acme.org', NO_AT),
    ("ada\uff20acme.org", 'The email address has the "full-width" at-sign (@) character instead of a regular at-sign.'),
    ("ada\ufe6bacme.org", 'The email address has the "small commercial at" character instead of a regular at-sign.'),
    # before the @-sign
    ("@acme.org", "There must be something before the @-sign."),
    ('""@acme.org', "There must be something before the @-sign."),
    ("a b\\@acme.org", BEFORE + '"\\", SPACE.'),
    ("\x00\x7fé(@acme.org", BEFORE + "'(', U+0000, U+007F."),
    (".ada@acme.org", "An email address cannot start with a period."),
    ("ada.@acme.org", "An email address cannot have a period immediately before the @-sign."),
    ("a..b@acme.org", "An email address cannot have two periods in a row."),
    ("\u0301a@acme.org", UNSAFE + "COMBINING ACUTE ACCENT."),
    ("a\u3000\ud800@acme.org", UNSAFE + "IDEOGRAPHIC SPACE, U+D800."),
    ("a\uffff\U0010ffff@acme.org", UNSAFE + "U+0000FFFF, U+0010FFFF."),
    ("a\u037e@acme.org", "After Unicode normalization: " + BEFORE + "';'."),
    # quotes
    ('"ada"@acme.org', QUOTED),
    ('"a @\\"\u3000"@acme.org', QUOTED),
    ('"a\\\u212a"@x"@acme.org', "Extra character(s) found after close quote: '@', 'x', '\"'"),
    ('"a\tb"@acme.org', "The email address contains invalid characters in quotes before the @-sign: U+0009."),
    ('"a\u2028b"@acme.org', UNSAFE + "LINE SEPARATOR."),
    ('"a"bb@acme.org', "Extra character(s) found after close quote: 'b', 'b'"),
    # a display name
    ("<ada@acme.org>", NAMED),
    ('"Ada, of Acme" <ada@acme.org> ', NAMED),
    ("Ada (Acme) B.<ada@acme.org>", "The display name contains invalid characters when not quoted: '(', ')', '.'."),
    ('"\u200d"<ada@acme.org>', UNSAFE + "ZERO WIDTH JOINER."),
    ("Ada <ada@acme.org", UNCLOSED),
    ("Ada <ada@acme.org>,", "There can't be anything after the email address."),
    ("<ada@acme.org>>", AFTER + "'>'."),
    ("Ada <ada>", NO_AT),
    ("a<\u0338b@acme.org", BEFORE + "'<'."),
    # brackets
    ("ada@[127.0.0.1]", "A bracketed IP address after the @-sign is not allowed here."),
    ("ada@[ipv6:::1]", "A bracketed IP address after the @-sign is not allowed here."),
    ("ada@[127.0.0]", IPV4 + "(Expected 4 octets in '127.0.0') or is missing an address literal tag."),
    ("ada@[IPv6:::g]", IPV6 + "(Only hex digits permitted in 'g' in '::g')."),
    ("ada@[IPv6:fe80::1%1]", IPV6 + "(It has a zone index)."),
    ("ada@[acme]", "The part after the @-sign in brackets is not an IPv4 address and has no address literal tag."),
    ("ada@[x: \u0101]", "The part after the @-sign contains invalid characters in brackets: 'ā', SPACE."),
    ("ada@[x:y]", "The part after the @-sign contains an invalid address literal tag in brackets."),
    # after the @-sign
    ("ada@", "There must be something after the @-sign."),
    ("ada@ac me_.org", AFTER + "'_', SPACE."),
    ("ada@acme.org\u200b", UNSAFE + "ZERO WIDTH SPACE."),
    ("ada@acme\u2024org", AFTER + "'\u2024'."),
    ("ada@acme\ufffd.org", UNMAPPED + "U+FFFD not allowed at position 5 in 'acme�.org')."),
    ("ada@ac\u1fefme.org", BY_NORMALIZATION + "'`'."),
    ("ada@.acme.org", "An email address cannot have a period immediately after the @-sign."),
    ("ada@acme.org。", "An email address cannot end with a period."),
    ("ada@acme..org", "An email address cannot have two periods in a row."),
    ("ada@-acme.org", "An email address cannot have a hyphen immediately after the @-sign."),
    ("ada@acme.org\uff0d", "An email address cannot end with a hyphen."),
    ("ada@acme-.org", "An email address cannot have a period and a hyphen next to each other."),
    ("ada@ac--me.org", TWO_HYPHENS),
    ("ada@\u3164", INVALID + "(Empty Label)."),
    ("ada@☃.org", INVALID + "(Codepoint U+2603 at position 1 of '☃' not allowed)."),
    ("ada@a·l.org", INVALID + "(Codepoint U+00B7 not allowed at position 2 in 'a·l')."),
    (f"ada@{'é' * 60}.org", INVALID + "(Label too long)."),
    ("ada@acme", "The part after the @-sign is not valid. It should have a period."),
    ("ada@127.0.0.1", "The part after the @-sign is not valid. It is not within a valid top-level domain."),
    *((f"ada@acme.{name}", SPECIAL) for name in ("arpa", "INVALID", "local", "localhost", "onion", "test")),
    ("ada@xn--ls8h.org", NO_IDNA + "(Codepoint U+1F4A9 at position 1 of '💩' not allowed)."),
    ("ada@xn--11b2ezcw70k.org", UNSAFE + "ZERO WIDTH JOINER."),
    ("ada@א1.org", ""),
    ("ada@1.xn--4dbc.org", NO_IDNA + "(First codepoint in label '1' must be directionality L, R or AL)."),
    # lengths
    (f"ada@{'a.' * 126}de", TOO_LONG + "after the @-sign (1 character too many)."),
    (f"ada@{'é ' * 126}org", TOO_LONG + "after the @-sign (2 characters too many)."),
    (f"ada@{'é.' * 31}acm.de", TOO_LONG + "after the @-sign (1 byte too many after IDNA encoding)."),
    (f"ada@{'é.' * 40}org", TOO_LONG + "after the @-sign (70 bytes too many after IDNA encoding)."),
    (f"ada@{'a' * 64}.org", LONG_LABEL + "(1 character too many)."),
    (f"ada@{'a' * 70}.org", LONG_LABEL + "(7 characters too many)."),
    (f"{'a' * 246}@acme.org", TOO_LONG + "(1 character too many)."),
    (f"{'é' * 123}@acme.org", TOO_LONG + "(1 character too many)."),
    (f"{'a' * 250}@acme.org", TOO_LONG + "(5 characters too many)."),
    (f"{'é' * 130}@acme.org", TOO_LONG + "(7-15 characters too many)."),
    ("\u0958" * 80 + "@acme.org", TOO_LONG + "after normalization (235 bytes too many)."),
    (
        f"{'a' * 230}@{'é.' * 5}org",
        TOO_LONG + "when the part after the @-sign is converted to IDNA ASCII (20 bytes too many).",
    ),
    (f"{'a' * 210}@{'é.' * 5}org", ""),
]


@pytest.mark.parametrize(("address", "message"), CASES, ids=range(len(CASES)))
def test_each_address_gets_the_message_of_the_index(address: str, message: str) -> None:
    assert ours(address) == message
    assert theirs(address) == message, f"email-validator {INSTALLED} differs from {FOLLOWED}, which the rules follow"


#: start of what the library says with other options, and of what it has never been seen to say
OTHER_OPTIONS = {
    "The email address is not valid ASCII": "an address of bytes",
    "The email address is too long before the @-sign": "strict",
    "Internationalized characters before the @-sign are not supported": "without SMTPUTF8",
}
UNREACHABLE = {
    "The email address contains an invalid character.": "surrogates are refused as unsafe",
    "The email address contains invalid characters before the @-sign.": "each reason has a message of its own",
    "The email address contains invalid characters after the @-sign after IDNA encoding.": "idna makes host names",
    "The part after the @-sign became invalid after normalizing": "idna encodes what it has decoded",
}


def raised_texts() -> Iterator[str]:
    """Patterns of the messages in the library's source; what it computes may be any text."""
    for module in ("syntax", "validate_email"):
        tree = ast.parse(inspect.getsource(importlib.import_module(f"email_validator.{module}")))
        for node in ast.walk(tree):
            match node:
                case ast.Raise(exc=ast.Call(func=ast.Name(id="EmailSyntaxError"), args=[text])):
                    yield pattern(text)
                case _:
                    continue


def pattern(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return re.escape(text)
        case ast.JoinedStr(values=parts):
            return "".join(map(pattern, parts))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return pattern(left) + pattern(right)
        case _:
            return ".*"


def test_each_message_of_the_library_is_in_the_table() -> None:
    texts = set(raised_texts())
    assert len(texts) > 30
    left_out = [re.escape(start) for start in (*OTHER_OPTIONS, *UNREACHABLE)]
    messages = [message for _, message in CASES]
    missing = {
        text
        for text in texts
        if not text.startswith(tuple(left_out)) and not any(re.fullmatch(text, one) for one in messages)
    }
    assert missing == set(), f"email-validator {INSTALLED} has more messages than {FOLLOWED}, which the rules follow"


#: each stands for a branch of the rules
PIECES = [
    "a", "A", "é", "e\u0301", "\u0301", "\u0338", '"', "\\", "@", "<", ">", " ", ".", "..", "-", "--", ".-", "_", "(",
    "xn--", "xn--bcher-kva", "xn--4dbc", "xn--ls8h", "xn---bbk", "xn--11b2ezcw70k", "ac--me", "אב", "\u0627", "1",
    "\u0661", "\u06f1", "क\u094d\u200dष", "l·l", "·", "ー・カ", "☃", "\u200c", "\u00ad", "\u3164", "。", "\uff0e",
    "\uff0d", "\uff21", "\u017f", "\u212a", "ß", "ς", "\uff20", "\ufe6b", "\u2024", "⒈", "\u1fef", "\ufffd", "\u037e",
    "\u0958", "😀", "\ud800", "\x00", "\n", "\u2028", "\u3000", "\ue000", "\u0378", "\uffff", "[", "]", ":",
    "127.0.0.1", "IPv6:", "::1", "%1", "x:",
]  # fmt: skip
ENDINGS = ["acme.org", "ac--me.org", "org", "test", "acme.local", "acme.1", "xn--p1ai", "\u0440\u0444", "אב.איל"]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=2), max_size=4).map("".join)
LONG = st.builds(
    lambda piece, count: piece * count, st.sampled_from(["a", "é", "a.", "é.", "\u0958"]), st.integers(1, 255)
)
LOCAL = st.one_of(TEXTS, TEXTS.map('"{}"'.format), LONG, st.sampled_from(PIECES).map("a{}a".format))
LABELS = st.one_of(
    st.sampled_from(PIECES),
    st.sampled_from(PIECES).map("a{}a".format),
    st.text(min_size=1, max_size=3).map(lambda text: "xn--" + text.encode("punycode").decode()),
    TEXTS,
)
NAMES = st.builds("{}.{}".format, st.lists(LABELS, min_size=1, max_size=2).map(".".join), st.sampled_from(ENDINGS))
LONG_NAMES = st.builds("{}{}".format, LONG, st.sampled_from(ENDINGS))
HOSTS = st.lists(st.sampled_from(["127.0.0.1", "IPv6:", "ipv6:", "::1", "::1%1", "x:", "1", "é", "ā"]), max_size=3)
DOMAINS = st.one_of(NAMES, LONG_NAMES, st.sampled_from(ENDINGS), TEXTS)
#: most have one odd part, so that no other hides it
ADDRESSES = st.one_of(
    TEXTS,
    LOCAL.map("{}@acme.org".format),
    DOMAINS.map("ada@{}".format),
    st.builds("{}@{}".format, LOCAL, DOMAINS),
    HOSTS.map("".join).map("ada@[{}]".format),
    st.builds("{}<{}>{}".format, LOCAL, TEXTS.map("ada@acme.org{}".format), st.sampled_from(["", " ", "x"])),
    st.sampled_from(PIECES).map("Ada <ada@acme.org>{}".format),
)


@settings(max_examples=300)
@given(ADDRESSES)
def test_any_address_gets_the_message_of_the_index(address: str) -> None:
    assert ours(address) == theirs(address), f"email-validator {INSTALLED}; the rules follow {FOLLOWED}"


def test_an_address_in_ascii_needs_no_tables_of_unicode() -> None:
    """Those of idna take longer to import than the rules to apply."""
    program = (
        "import sys\nfrom release.acceptance.email_address_rules import check_address\n"
        "check_address('ada@Acme.ch')\nprint('idna' in sys.modules)\n"
        "check_address('ada@xn--bcher-kva.ch')\nprint('idna' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=240)
    assert done.stdout.split() == ["False", "True"]
