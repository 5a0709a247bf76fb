"""The index's rules for the addresses of authors and maintainers, and its words for what is wrong with one.

The index looks up no name. It rejects quotes before the @-sign, a display name and an IP address in brackets, but names
other mistakes in them first. Which characters exist depends on the Unicode of Python and of idna.
Source: email-validator 2.4.0, with the options that the index uses; RFC 5321, RFC 5322; RFC 6531 (beyond ASCII).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from msgspec import Struct

from release.core.lazy_pattern import lazy_pattern

#: bytes of UTF-8; Source: RFC 3696, errata 1690
_ADDRESS_LIMIT = 254
#: ASCII characters; Source: RFC 1035, 2.3.4
_DOMAIN_LIMIT, _LABEL_LIMIT = 253, 63
#: top-level domains that receive no mail; Source: IANA, "Special-Use Domain Names", but the examples; and all of arpa
_SPECIAL_USE = frozenset({"arpa", "invalid", "local", "localhost", "onion", "test"})
#: a character, the most that combine with it, and the next; Source: UAX #15, "Stream-Safe Text Format"
_COMBINING_WINDOW = 32

_BEYOND_ASCII = "\u0080-\U0010ffff"
#: Source: RFC 5322, 3.2.3
_ATOM = r"a-zA-Z0-9_!#$%&'*+/=?^`{|}~\-"
_NOT_IN_DISPLAY_NAME = lazy_pattern(f"[^{_ATOM} ]")
_NOT_IN_LOCAL_PART = lazy_pattern(f"[^.{_ATOM}{_BEYOND_ASCII}]")
_NOT_IN_QUOTES = lazy_pattern(r"[\x00-\x1f\x7f]")
_NOT_IN_DOMAIN = lazy_pattern(f"[^a-zA-Z0-9.{_BEYOND_ASCII}-]")
#: more than RFC 5322, 3.4.1 allows, as in email-validator
_NOT_IN_BRACKETS = lazy_pattern("[^!-\u00fa]")
_DOT_ATOM = lazy_pattern(rf"[{_ATOM}{_BEYOND_ASCII}]+(?:\.[{_ATOM}{_BEYOND_ASCII}]+)*")
_QUOTED_STRING = lazy_pattern(r'"((?:[^"\\]|\\.)*)(?:"(.*))?', re.DOTALL)
_ESCAPED = lazy_pattern(r"\\(.)", re.DOTALL)
_IPV4 = lazy_pattern(r"[0-9.]+\n?")

_NO_ADDRESS = "An email address must have an @-sign."
#: other at-signs
_LOOK_ALIKES = {
    "\uff20": 'The email address has the "full-width" at-sign (@) character instead of a regular at-sign.',
    "\ufe6b": 'The email address has the "small commercial at" character instead of a regular at-sign.',
}
_MARKS = {".": "period", "-": "hyphen"}


class InvalidAddressError(ValueError):
    """The index rejects an address; the text is its message."""


class _Address(Struct, frozen=True, kw_only=True):
    """The parts of an address."""

    #: whether there is a display name, or angle brackets
    named: bool
    #: before the @-sign, as it is written
    written: str
    #: the same without quotes
    local: str
    quoted: bool
    domain: str


def check_address(address: str) -> None:
    """Raise InvalidAddressError, with the index's message, if the index rejects the address."""
    parts = _split_address(address)
    local = unicodedata.normalize("NFC", parts.local)
    _check_local_part(parts.local, quoted=parts.quoted)
    if local != parts.local:
        try:
            _check_local_part(local, quoted=parts.quoted)
        except InvalidAddressError as error:
            raise InvalidAddressError(f"After Unicode normalization: {error}") from error
    if parts.quoted:
        raise InvalidAddressError("Quoting the part before the @-sign is not allowed here.")
    if not parts.domain:
        raise InvalidAddressError("There must be something after the @-sign.")
    if parts.domain.startswith("[") and parts.domain.endswith("]"):
        _check_host_address(parts.domain[1:-1])
        raise InvalidAddressError("A bracketed IP address after the @-sign is not allowed here.")
    domain = _encode_domain(parts.domain)
    _check_encoded_domain(domain)
    decoded = _decode_domain(domain)
    _check_written_length(f"{parts.written}@{parts.domain}")
    _check_length(f"{local}@{decoded}", "after normalization")
    _check_length(f"{local}@{domain}", "when the part after the @-sign is converted to IDNA ASCII")
    if parts.named:
        raise InvalidAddressError("A display name and angle brackets around the email address are not permitted here.")


def _split_address(text: str) -> _Address:
    before, after = _split_at(text, "@<")
    named = after.startswith("<")
    if named:
        _check_display_name(before.rstrip())
        if ">" not in after:
            raise InvalidAddressError(
                "An open angle bracket at the start of the email address has to be followed by a close angle bracket "
                "at the end."
            )
        if not after.rstrip(" ").endswith(">"):
            raise InvalidAddressError("There can't be anything after the email address.")
        before, after = _split_at(after.rstrip(" ")[1:-1], "@")
    local, quoted = _unquote(before)
    return _Address(named=named, written=before, local=local, quoted=quoted, domain=after[1:])


def _split_at(text: str, marks: str) -> tuple[str, str]:
    """Split the text before the first mark outside of quotes. A character that others combine with is not a mark."""
    quoted = escaped = False
    for index, character in enumerate(text):
        if unicodedata.normalize("NFC", text[index : index + _COMBINING_WINDOW])[0] != character:
            continue
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = True
        elif character in marks:
            return text[:index], text[index:]
    raise InvalidAddressError(next((_LOOK_ALIKES[mark] for mark in _LOOK_ALIKES if mark in text), _NO_ADDRESS))


def _unquote(text: str) -> tuple[str, bool]:
    """The text without quotes and escapes, and whether it was quoted."""
    found = _QUOTED_STRING.match(text)
    if not found:
        return text, False
    if found[2]:
        extra = ", ".join(map(_describe, found[2]))
        raise InvalidAddressError(f"Extra character(s) found after close quote: {extra}")
    return _ESCAPED.sub(r"\1", found[1]), True


def _check_display_name(text: str) -> None:
    name, quoted = _unquote(text)
    if not quoted:
        _refuse("The display name contains invalid characters when not quoted", _NOT_IN_DISPLAY_NAME.findall(name))
    _check_unsafe(name, spaces=True)


def _check_local_part(text: str, *, quoted: bool) -> None:
    if not text:
        raise InvalidAddressError("There must be something before the @-sign.")
    if _DOT_ATOM.fullmatch(text):
        _check_unsafe(text)
    elif quoted:
        what = "The email address contains invalid characters in quotes before the @-sign"
        _refuse(what, _NOT_IN_QUOTES.findall(text))
        _check_unsafe(text, spaces=True)
    else:
        _refuse("The email address contains invalid characters before the @-sign", _NOT_IN_LOCAL_PART.findall(text))
        _check_ends(
            text,
            ".",
            start="An email address cannot start with a {}.",
            end="An email address cannot have a {} immediately before the @-sign.",
        )
        raise InvalidAddressError("An email address cannot have two periods in a row.")


def _check_ends(text: str, mark: str, *, start: str, end: str) -> None:
    if text.endswith(mark):
        raise InvalidAddressError(end.format(_MARKS[mark]))
    if text.startswith(mark):
        raise InvalidAddressError(start.format(_MARKS[mark]))


def _check_unsafe(text: str, *, spaces: bool = False) -> None:
    """Refuse what cannot be seen, and a first character that would combine with the text before.

    Letters, numbers, punctuation and symbols are safe.
    """
    unsafe: set[str] = set()
    for index, character in enumerate(text):
        category = unicodedata.category(character)
        if category[0] not in "LNPS" and not (category[0] == "M" and index) and not (category == "Zs" and spaces):
            unsafe.add(character)
    if unsafe:
        shown = ", ".join(map(_describe, sorted(unsafe)))
        raise InvalidAddressError(f"The email address contains unsafe characters: {shown}.")


def _refuse(what: str, characters: Iterable[str]) -> None:
    if shown := ", ".join(sorted({_describe(one) for one in characters})):
        raise InvalidAddressError(f"{what}: {shown}.")


def _describe(character: str) -> str:
    """A character in quotes, or the name or number of one that cannot be seen."""
    if character == "\\":
        return '"\\"'
    if unicodedata.category(character)[0] in "LNPS":
        return repr(character)
    number = ord(character)
    return unicodedata.name(character, f"U+{number:04X}" if character < "\uffff" else f"U+{number:08X}")


def _encode_domain(domain: str) -> str:
    """The domain in ASCII, lower case."""
    if len(domain) > _DOMAIN_LIMIT:
        excess = _too_many(len(domain) - _DOMAIN_LIMIT, "character")
        raise InvalidAddressError(f"The email address is too long after the @-sign ({excess}).")
    what = "The part after the @-sign contains invalid characters"
    _refuse(what, _NOT_IN_DOMAIN.findall(domain))
    _check_unsafe(domain)
    if domain.isascii():
        domain = domain.lower()
    else:
        # a fullwidth full stop separates labels, like that of ASCII; other characters with one in them are mistakes
        _refuse(what, (one for one in domain if one != "\uff0e" and "002E" in unicodedata.decomposition(one).split()))
        domain = _map_domain(domain)
        _refuse(f"{what} after Unicode normalization", _NOT_IN_DOMAIN.findall(domain))
    _check_labels(domain)
    if domain and domain.isascii():
        return domain
    import idna

    try:
        return ".".join(idna.alabel(label).decode("ascii") for label in domain.split("."))
    except idna.IDNAError as error:
        raise InvalidAddressError(f"The part after the @-sign is invalid ({error}).") from error


def _map_domain(domain: str) -> str:
    """The domain in lower case and NFC. Source: UTS #46."""
    import idna

    try:
        return idna.uts46_remap(domain, std3_rules=False)
    except idna.IDNAError as error:
        raise InvalidAddressError(f"The part after the @-sign contains invalid characters ({error}).") from error


def _check_labels(domain: str) -> None:
    """Source: RFC 952, RFC 1123, 2.1; RFC 5890, 2.3.1 (labels with two hyphens)."""
    start = "An email address cannot have a {} immediately after the @-sign."
    end = "An email address cannot end with a {}."
    _check_ends(domain, ".", start=start, end=end)
    if ".." in domain:
        raise InvalidAddressError("An email address cannot have two periods in a row.")
    _check_ends(domain, "-", start=start, end=end)
    if ".-" in domain or "-." in domain:
        raise InvalidAddressError("An email address cannot have a period and a hyphen next to each other.")
    if any(label[2:4] == "--" and not label.startswith("xn") for label in domain.split(".")):
        raise InvalidAddressError(
            "An email address cannot have two letters followed by two dashes immediately after the @-sign or after a "
            "period, except Punycode."
        )


def _check_encoded_domain(domain: str) -> None:
    if len(domain) > _DOMAIN_LIMIT:
        excess = _too_many(len(domain) - _DOMAIN_LIMIT, "byte")
        raise InvalidAddressError(f"The email address is too long after the @-sign ({excess} after IDNA encoding).")
    labels = domain.split(".")
    for label in labels:
        if len(label) > _LABEL_LIMIT:
            excess = _too_many(len(label) - _LABEL_LIMIT, "character")
            raise InvalidAddressError(
                f"After the @-sign, periods cannot be separated by so many characters ({excess})."
            )
    if len(labels) == 1:
        raise InvalidAddressError("The part after the @-sign is not valid. It should have a period.")
    if not domain[-1].isalpha():
        raise InvalidAddressError("The part after the @-sign is not valid. It is not within a valid top-level domain.")
    if labels[-1] in _SPECIAL_USE:
        raise InvalidAddressError(
            "The part after the @-sign is a special-use or reserved name that cannot be used with email."
        )


def _decode_domain(domain: str) -> str:
    """The domain in Unicode."""
    if "xn--" not in domain:
        return domain
    import idna

    try:
        decoded = idna.decode(domain)
        _check_unsafe(decoded)
        # idna checks each label alone, but one from right to left binds all of them. Source: RFC 5893, 1.4
        if any(unicodedata.bidirectional(one) in {"R", "AL", "AN"} for one in decoded):
            for label in decoded.split("."):
                idna.check_bidi(label, check_ltr=True)
    except idna.IDNAError as error:
        raise InvalidAddressError(f"The part after the @-sign is not valid IDNA ({error}).") from error
    return decoded


def _check_written_length(address: str) -> None:
    """The limit is in bytes, the message in characters: how many are too many depends on which are removed."""
    excess = len(address.encode()) - _ADDRESS_LIMIT
    if excess > 0:
        fewest = max(1, excess // max(len(character.encode()) for character in address))
        more = _too_many(excess, "character")
        shown = more if fewest == excess else f"{fewest}-{more}"
        raise InvalidAddressError(f"The email address is too long ({shown}).")


def _check_length(address: str, when: str) -> None:
    excess = len(address.encode()) - _ADDRESS_LIMIT
    if excess > 0:
        raise InvalidAddressError(f"The email address is too long {when} ({_too_many(excess, 'byte')}).")


def _too_many(excess: int, unit: str) -> str:
    return f"{excess} {unit}{'s' * (excess > 1)} too many"


def _check_host_address(text: str) -> None:
    """Check what is in brackets. Source: RFC 5321, 4.1.3."""
    from ipaddress import IPv4Address, IPv6Address

    before = "address in brackets after the @-sign is not valid"
    if _IPV4.fullmatch(text):
        try:
            IPv4Address(text)
        except ValueError as error:
            raise InvalidAddressError(
                f"The {before}: It is not an IPv4 address ({error}) or is missing an address literal tag."
            ) from error
    elif text[:5].lower() == "ipv6:":
        try:
            zone = IPv6Address(text[5:]).scope_id
        except ValueError as error:
            raise InvalidAddressError(f"The IPv6 {before} ({error}).") from error
        if zone is not None:
            raise InvalidAddressError(f"The IPv6 {before} (It has a zone index).")
    elif ":" not in text:
        raise InvalidAddressError(
            "The part after the @-sign in brackets is not an IPv4 address and has no address literal tag."
        )
    else:
        _refuse("The part after the @-sign contains invalid characters in brackets", _NOT_IN_BRACKETS.findall(text))
        raise InvalidAddressError("The part after the @-sign contains an invalid address literal tag in brackets.")
