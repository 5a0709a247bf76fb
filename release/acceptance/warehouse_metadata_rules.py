"""The index's own rules about metadata, beyond the specification.

Source: warehouse, `forklift/metadata.py`.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from release.acceptance.metadata_error import LOCAL_VERSIONS, Problem, broken

#: field of `packaging.metadata.RawMetadata` → value
Raw = Mapping[str, Any]

#: characters
_SUMMARY, _LABEL = 512, 32


_PLAIN_ADDRESS = re.compile(
    r"[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+(?:com|org|net|edu|gov|io|dev|me|de|fr|uk|eu)"
)
#: characters; no limit of any part is longer than this
_SHORT = 60


def own_problems(raw: Raw) -> Iterator[Problem]:
    """What the index itself minds in metadata that holds to the specification."""
    for look in _RULES:
        yield from look(raw)


def _local_version(raw: Raw) -> Iterator[Problem]:
    from packaging.version import Version

    version = Version(raw["version"])
    if version.local:
        yield Problem(
            field="version", text=f"The use of local versions in '{version}' is not allowed.", see=LOCAL_VERSIONS
        )


def _summary(raw: Raw) -> Iterator[Problem]:
    if len(raw.get("summary", "")) > _SUMMARY:
        yield Problem(field="summary", text=f"'summary' field must be {_SUMMARY} characters or less.")


def _addresses(raw: Raw) -> Iterator[Problem]:
    for name, field in (("author_email", "author-email"), ("maintainer_email", "maintainer-email")):
        address = the_address(raw.get(name, ""))
        if address and not is_plain(address):
            from email_validator import EmailNotValidError, validate_email

            try:
                validate_email(address, check_deliverability=False)
            except EmailNotValidError as error:
                yield Problem(field=field, text=f"{address!r} is not a valid email address: {error}")


def is_plain(address: str) -> bool:
    """Whether an address is one that every validator takes; the library that knows all the rules loads slowly."""
    return len(address) <= _SHORT and _PLAIN_ADDRESS.fullmatch(address) is not None


def the_address(header: str) -> str:
    """The one address in a header; empty where there is none, or more than one, or it can't be told.

    Python 3.13 and the patched 3.11 and 3.12 read so; the index runs on 3.14, and checks no address
    that it does not see. Source: CPython, `email.utils.parseaddr`, CVE-2023-27043.
    """
    if getattr(email.utils, "supports_strict_parsing", False):
        return email.utils.parseaddr(header)[1]
    found = email.utils.getaddresses([header])
    if len(found) != 1 or "[" in found[0][1] or not _parentheses_match(header):
        return ""
    return found[0][1]


def _parentheses_match(header: str) -> bool:
    depth, quoted, escaped = 0, False, False
    for character in header:
        if escaped or character == "\\":
            escaped = not escaped
        elif character == '"':
            quoted = not quoted
        elif not quoted and character in "()":
            depth += 1 if character == "(" else -1
            if depth < 0:
                return False
    return depth == 0


def _classifiers(raw: Raw) -> Iterator[Problem]:
    if not raw.get("classifiers"):
        return
    from trove_classifiers import classifiers, deprecated_classifiers

    given = set(raw["classifiers"])
    known = classifiers | deprecated_classifiers.keys()
    for name in sorted(given - known):
        yield Problem(field="classifier", text=f"{name!r} is not a valid classifier.")
    for name in sorted(given & deprecated_classifiers.keys()):
        instead = deprecated_classifiers[name]
        advice = f", use one of {instead} instead" if instead else ""
        yield Problem(field="classifier", text=f"The classifier {name!r} has been deprecated{advice}.")


def _addresses_of_pages(raw: Raw) -> Iterator[Problem]:
    for name, field in (("home_page", "home-page"), ("download_url", "download-url")):
        if name in raw:
            yield from _url(raw[name], field)


def _project_urls(raw: Raw) -> Iterator[Problem]:
    for label, url in raw.get("project_urls", {}).items():
        if not label:
            yield Problem(field="project-url", text="Must have a label")
        elif len(label) > _LABEL:
            yield Problem(field="project-url", text=f"{label!r} must be {_LABEL} characters or less.")
        elif not url:
            yield Problem(field="project-url", text="Must have a URL")
        else:
            yield from _url(url, "project-url")


def _url(url: str, field: str) -> Iterator[Problem]:
    """The index asks for http or https and for a well-formed path and query; a host need not be there."""
    from rfc3986 import exceptions, uri_reference  # type: ignore[import-untyped] # it has no types
    from rfc3986.validators import Validator  # type: ignore[import-untyped] # it has no types

    validator = Validator().allow_schemes("http", "https").require_presence_of("scheme")
    validator.check_validity_of("scheme", "host", "port", "path", "query")
    try:
        validator.validate(uri_reference(url).normalize())
    except exceptions.ValidationError:
        yield Problem(field=field, text=f"{url!r} is not a valid url.")
    except Exception:  # noqa: BLE001 - the server does not catch it either, and answers with an internal error
        yield broken(field)


def _other_dists(raw: Raw) -> Iterator[Problem]:
    from packaging.requirements import InvalidRequirement, Requirement

    for name, field in (("provides_dist", "provides-dist"), ("obsoletes_dist", "obsoletes-dist")):
        for text in raw.get(name, ()):
            try:
                requirement = Requirement(text)
            except InvalidRequirement as error:
                yield Problem(field=field, text=f"{text!r} is invalid: {error}")
            else:
                if requirement.url is not None:
                    yield Problem(field=field, text=f"Can't have direct dependency: {text!r}")


def _requires_dist(raw: Raw) -> Iterator[Problem]:
    from packaging.requirements import Requirement

    for text in raw.get("requires_dist", ()):
        if "@" in text and (requirement := Requirement(text)).url is not None:
            yield Problem(field="requires-dist", text=f"Can't have direct dependency: {requirement}")


def _dynamic(raw: Raw) -> Iterator[Problem]:
    if "dynamic" in map(str.lower, raw.get("dynamic", ())):
        yield Problem(field="dynamic", text="Dynamic field 'dynamic' is not a valid dynamic field.")


def _license(raw: Raw) -> Iterator[Problem]:
    if raw.get("license") and raw.get("license_expression"):
        yield Problem(
            field="license",
            text="License is deprecated when License-Expression is present. Only License-Expression should be present.",
        )


_RULES: tuple[Callable[[Raw], Iterator[Problem]], ...] = (
    _local_version,
    _summary,
    _addresses,
    _classifiers,
    _addresses_of_pages,
    _project_urls,
    _other_dists,
    _requires_dist,
    _dynamic,
    _license,
)
