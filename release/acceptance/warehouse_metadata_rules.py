"""The index's own rules on metadata, beyond the specification.

Source: warehouse, `forklift/metadata.py`.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from release.acceptance.dependency_specifiers import InvalidDependencyError, parse_dependency
from release.acceptance.known_names import DEPRECATED_CLASSIFIERS, is_classifier, newer_classifiers
from release.acceptance.server_reference import ServerFailsError
from release.core.lazy_pattern import lazy_pattern

#: end of the index's messages about metadata
SEE_CORE_METADATA = "See https://packaging.python.org/specifications/core-metadata for more information."
#: what to do about most fields
CORRECT = "correct the field in pyproject.toml and rebuild"

#: field of `packaging.metadata.RawMetadata` → value
Raw = Mapping[str, Any]

#: characters
_SUMMARY, _LABEL = 512, 32

_PLAIN_ADDRESS = lazy_pattern(
    r"[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+(?:com|org|net|edu|gov|io|dev|me|de|fr|uk|eu)"
)
_PICK_CLASSIFIER = "choose a classifier from https://pypi.org/classifiers/"


class InvalidField(Struct, frozen=True, kw_only=True):
    """A metadata field that the index rejects."""

    #: as in METADATA, lower case: "requires-dist"; the form's name where the form cannot be read
    name: str
    #: the index's message
    text: str = ""
    #: where the index sends the reader
    see: str = SEE_CORE_METADATA
    remedy: str = CORRECT
    #: our message, where the index's does not say what is wrong
    message: str = ""
    #: id in the catalog of known failures
    cause: str | None = None
    #: whether the server fails on the field instead of rejecting it
    server_fails: bool = False


def warehouse_errors(raw: Raw) -> Iterator[InvalidField]:
    """What the index itself rejects in metadata that conforms to the specification."""
    from packaging.version import Version

    version = Version(raw["version"])
    if version.local:
        yield InvalidField(
            name="version",
            text=f"The use of local versions in '{version}' is not allowed.",
            see="See https://packaging.python.org/en/latest/specifications/version-specifiers/"
            "#local-version-identifiers for more information.",
            remedy="commit and tag, or set local_scheme = 'no-local-version'",
            cause="version.local",
        )
    if len(raw.get("summary", "")) > _SUMMARY:
        text = f"'summary' field must be {_SUMMARY} characters or less."
        yield InvalidField(name="summary", text=text, remedy="shorten the summary", cause="meta.summary-long")
    if "dynamic" in map(str.lower, raw.get("dynamic", ())):
        text = "Dynamic field 'dynamic' is not a valid dynamic field."
        yield InvalidField(name="dynamic", text=text, remedy="correct project.dynamic", cause="meta.dynamic-invalid")
    if raw.get("license") and raw.get("license_expression"):
        yield InvalidField(
            name="license",
            text="License is deprecated when License-Expression is present. Only License-Expression should be present.",
            remedy="set project.license to an SPDX expression, and remove other license fields",
            cause="meta.license-both",
        )
    for errors in (_address_errors, _classifier_errors, _url_field_errors, _dependency_errors):
        yield from errors(raw)


def _address_errors(raw: Raw) -> Iterator[InvalidField]:
    for key, name in (("author_email", "author-email"), ("maintainer_email", "maintainer-email")):
        address = parse_address(raw.get(key, ""))
        if address and not is_plain_address(address):
            from release.acceptance.email_address_rules import InvalidAddressError, check_address

            try:
                check_address(address)
            except InvalidAddressError as error:
                text = f"{address!r} is not a valid email address: {error}"
                remedy = "correct the email address, or remove it"
                yield InvalidField(name=name, text=text, remedy=remedy, cause="meta.email-invalid")


def is_plain_address(address: str) -> bool:
    """Whether every validator accepts the address; the rules for all others are a module of their own."""
    # no limit on a part of an address is below 60 characters
    return len(address) <= 60 and _PLAIN_ADDRESS.fullmatch(address) is not None  # noqa: PLR2004 - as above


def parse_address(header: str) -> str:
    """The one address in a header; empty where there is none, more than one, or an ambiguous one.

    Python 3.13 and the patched 3.11 and 3.12 parse like this. The index runs on 3.14 and validates no address that
    it does not find. Source: CPython, `email.utils.parseaddr`, CVE-2023-27043.
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


def _classifier_errors(raw: Raw) -> Iterator[InvalidField]:
    """Classifiers that the server refuses, except those that only a newer list has.

    The server's list is kept current: a classifier of a newer one is a matter of days, and reported elsewhere.
    """
    given = set(raw.get("classifiers", ()))
    unknown = sorted(name for name in given - DEPRECATED_CLASSIFIERS.keys() if not is_classifier(name))
    for name in sorted(set(unknown) - newer_classifiers(unknown)):
        text = f"{name!r} is not a valid classifier."
        yield replace(_classifier_advice(name), text=text)
    for name in sorted(given & DEPRECATED_CLASSIFIERS.keys()):
        successors = list(DEPRECATED_CLASSIFIERS[name])
        text = f"The classifier {name!r} has been deprecated{f', use one of {successors} instead' * bool(successors)}."
        yield InvalidField(name="classifier", text=text, remedy=_PICK_CLASSIFIER, cause="meta.classifier-deprecated")


def _classifier_advice(name: str) -> InvalidField:
    """What to do about an unknown classifier. The index never knows those that start with `Private ::`."""
    field = InvalidField(name="classifier", remedy=_PICK_CLASSIFIER, cause="meta.classifier-invalid")
    if not name.lower().startswith("private ::"):
        return field
    return replace(
        field,
        message=f"the project is marked as never to be uploaded, by the classifier {name!r}",
        remedy="remove the classifier if the project is to be public; otherwise upload it to a private index only",
    )


def _url_field_errors(raw: Raw) -> Iterator[InvalidField]:
    for key, name in (("home_page", "home-page"), ("download_url", "download-url")):
        if key in raw:
            yield from _url_errors(raw[key], name)
    for label, url in raw.get("project_urls", {}).items():
        if label and len(label) <= _LABEL and url:
            yield from _url_errors(url, "project-url")
            continue
        if not label:
            text, remedy = "Must have a label", "give every entry of project.urls a label"
        elif len(label) > _LABEL:
            text, remedy = f"{label!r} must be {_LABEL} characters or less.", "shorten that label in project.urls"
        else:
            text, remedy = "Must have a URL", "give every entry of project.urls a URL"
        yield InvalidField(name="project-url", text=text, remedy=remedy, cause="meta.url-label")


def _url_errors(url: str, name: str) -> Iterator[InvalidField]:
    """The index requires http or https and a well-formed path and query; the host may be absent."""
    from rfc3986 import exceptions, uri_reference  # type: ignore[import-untyped] # it has no types
    from rfc3986.validators import Validator  # type: ignore[import-untyped] # it has no types

    validator = Validator().allow_schemes("http", "https").require_presence_of("scheme")
    validator.check_validity_of("scheme", "host", "port", "path", "query")
    try:
        validator.validate(uri_reference(url).normalize())
    except exceptions.ValidationError:
        text = f"{url!r} is not a valid url."
        yield InvalidField(name=name, text=text, remedy=_url_remedy(url, name), cause="meta.url-label")
    except Exception:  # noqa: BLE001 - the server does not catch it either, and responds with an internal error
        yield InvalidField(name=name, server_fails=True)


def _url_remedy(url: str, name: str) -> str:
    """How to correct a URL, by what is wrong with it."""
    place = "in setup.cfg, setup.py or pyproject.toml" if name != "project-url" else "in project.urls"
    bare = url.strip("\"' <>")
    if bare != url.strip():
        return f"remove the quotation marks or brackets around the URL {place}, and write {bare}"
    if found := re.fullmatch(r"(?:git\+|ssh://)*(?:https?://)?git@([\w.-]+)[:/](.+?)(?:\.git)?", url):
        return f"write the address of the page {place}: https://{found[1]}/{found[2]}"
    scheme, separator, rest = url.partition("://")
    if separator and scheme not in {"http", "https"}:
        return f"write the address of a page that starts with https:// {place}: https://{rest}"
    return f"correct the URL {place}" if separator else f"start the URL with https:// {place}"


def _dependency_errors(raw: Raw) -> Iterator[InvalidField]:
    for key in ("provides_dist", "obsoletes_dist", "requires_dist"):
        name = key.replace("_", "-")
        for text in raw.get(key, ()):
            if key == "requires_dist" and "@" not in text:
                continue  # valid, and without a URL
            try:
                dependency = parse_dependency(text)
            except InvalidDependencyError as error:
                yield InvalidField(name=name, text=f"{text!r} is invalid: {error}")
                continue
            except ServerFailsError:
                yield InvalidField(name=name, server_fails=True)
                continue
            if dependency.url:
                shown = dependency.to_text() if key == "requires_dist" else repr(text)
                yield InvalidField(
                    name=name,
                    text=f"Can't have direct dependency: {shown}",
                    remedy="depend on a released version, not on a URL",
                    cause="meta.direct-dependency",
                )
