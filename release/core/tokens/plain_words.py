"""Decide whether a text is no secret and may be shown.

A password may look like a placeholder, so a text is shown only if all of its words are words of this trade, or if a
form that no password has encloses words that do not look random.
"""

from __future__ import annotations

import re

from release.core.tokens.defects import counted, is_tokenish

#: characters of a text that are shown at most
SHOWN = 60
#: words by which a text shows that it stands for a value
MARKERS = frozenset(
    """your insert paste replace replaceme change changeme changeit placeholder todo fixme tbd xxx xxxx dummy fake test
    testing tests example examples sample demo foo bar baz foobar redacted hidden masked removed omitted here token
    tokens apitoken key keys apikey secret secrets password passwd pwd passphrase credential credentials none null nil
    undefined nan empty unset value invalid unknown missing tba blah""".split()  # noqa: SIM905 - a list that people read
)
#: words that stand next to those
_FILLERS = frozenset(
    """my the a an this that me it with put enter add set please real actual own new old of for from to is goes in and
    or not rest api auth access pass user users username name account project repository repo package scoped global pypi
    testpypi twine uv publish upload flit poetry pdm hatch index release deploy github gitlab gh ci prod production
    staging dev env vars var variable process string text id org main default job cat echo get read show run op vault
    sops keychain keyring bws bw doppler infisical vars variables etc
    aws azure gcp sm secretsmanager keyvault file pypirc netrc home root usr opt mnt data config txt""".split()  # noqa: SIM905 - a list that people read
)
_INDEX_WORDS = frozenset({"pypi", "testpypi"})
_NOUNS = frozenset({"token", "password", "secret", "key", "apikey", "auth", "credentials", "passwd", "pass", "pwd"})
#: words that ask for a value, so that they are in no name of a variable
_REQUESTS = frozenset({"your", "my", "insert", "paste", "replace", "change", "enter", "put", "add", "here", "me"})

#: words in the name of a variable
_LONGEST_NAME = 4
CONSTANT = re.compile(r"[A-Z][A-Z0-9_]+")
#: a word that is no random text: in one case, or in camel case, with a few digits at its end
_PLAIN = re.compile(
    r"(?:[A-Za-z]?[a-z]{1,19}|[A-Z]{1,20}|(?:[A-Z]?[a-z]{2,12}){1,3}[A-Z]?)\d{0,4}|\d{1,12}|[A-Za-z0-9]{1,6}"
)
_LOGIN = re.compile(r"//[^/]*:[^/]*@|[?&;][\w-]*(?:pass|secret|token|key|sig)\w*=", re.IGNORECASE)


def quoted(core: str, *, certain: bool = False) -> str:
    """The text in quotes if it is no secret, else its length; with a blank before it.

    `certain`: the form of the text is one that no password has, so that any plain words may be in it.
    """
    words = words_of(core)
    shown = all_known(words) or names_a_token(core.strip("${}%!()")) or (certain and all_plain(words))
    if not shown or not core.isprintable() or not core.isascii() or _LOGIN.search(core) or is_tokenish(core):
        return f" of {counted(len(core), 'character')}"
    cut = core if len(core) <= SHOWN else core[: SHOWN - 3] + "..."
    return f" '{cut}'" if "'" not in cut else f" {cut!r}"


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case unless their case is mixed."""
    words = re.findall(r"[A-Za-z0-9]+", text)
    return [word.lower() if word in {word.upper(), word.capitalize()} else word for word in words]


def all_known(words: list[str]) -> bool:
    """Whether all words are of this trade, or single letters."""
    return all(len(word) == 1 or word in MARKERS or word in _FILLERS for word in words)


def some_known(words: list[str]) -> bool:
    return any(word in MARKERS or word in _FILLERS for word in words)


def all_plain(words: list[str]) -> bool:
    """Whether no word looks random."""
    return all(_PLAIN.fullmatch(word) for word in words)


def names_a_token(name: str) -> bool:
    """Whether a name is that of a variable for a token of an index, such as ACME_PYPI_TOKEN."""
    words = name.lower().split("_")
    return bool(CONSTANT.fullmatch(name) and _INDEX_WORDS & {*words} and _NOUNS & {*words} and all_plain(words))


def is_variable(name: str) -> bool:
    """Whether a text is the name of a variable or secret, and does not ask for a value."""
    words = name.lower().split("_")
    named = names_a_token(name) or (1 < len(words) <= _LONGEST_NAME and words[-1] in _NOUNS and all_plain(words))
    return bool(CONSTANT.fullmatch(name)) and named and not _REQUESTS & {*words}
