"""Each rule of the index about the form and about new names, in the server's words, beside its valid neighbour."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from release.acceptance import form_rules
from release.acceptance.description_rules import DESCRIPTION
from release.acceptance.email_address_rules import check_address
from release.acceptance.form_rules import FORM, NEW_NAME, is_standard_module, standard_modules
from release.acceptance.metadata_rules import invalid_fields
from release.acceptance.rule import first_refusal
from release.acceptance.warehouse_metadata_rules import _PLAIN_ADDRESS, is_plain_address, parse_address
from release.core.models.index import IndexContents
from tests.acceptance.making import NOTHING, NOW, SDIST, SITE, upload, wheel

SEE = " See https://packaging.python.org/specifications/core-metadata for more information."
NAME = "Error: Start and end with a letter or numeral containing only ASCII numeric and '.', '_' and '-'."
CONTENT_TYPE = "'description-content-type' must be one of ['text/plain', 'text/markdown', 'text/x-rst'], not "


def answer(**fields: Any) -> str | None:
    refusal = first_refusal(FORM, upload(wheel(), **fields), NOTHING)
    return None if refusal is None else f"{refusal.status} {refusal.text}"


FORM_CASES: list[tuple[dict[str, Any], str]] = [
    ({"protocol_version": "2"}, "Unknown protocol version."),
    ({"name": None}, f"'' is an invalid value for Name. Error: This field is required.{SEE}"),
    ({"name": "UNKNOWN"}, f"'' is an invalid value for Name. Error: This field is required.{SEE}"),
    ({"name": "-bad-"}, f"'-bad-' is an invalid value for Name. {NAME}{SEE}"),
    ({"name": "a b"}, f"'a b' is an invalid value for Name. {NAME}{SEE}"),
    ({"name": "acm\xe9"}, f"'acm\xe9' is an invalid value for Name. {NAME}{SEE}"),
    ({"name": "-" * 61}, f"'{'-' * 30}...{'-' * 30}' is an invalid value for Name. {NAME}{SEE}"),
    ({"filetype": None}, "Invalid value for filetype. Error: This field is required."),
    ({"filetype": "bdist_egg"}, "Invalid value for filetype. Error: Use a known file type."),
    (
        {"sha256_digest": "x" * 64},
        "Invalid value for sha256_digest. Error: Use a valid, hex-encoded, SHA256 message digest.",
    ),
    (
        {"sha256_digest": "a" * 63},
        "Invalid value for sha256_digest. Error: Use a valid, hex-encoded, SHA256 message digest.",
    ),
    (
        {"blake2_256_digest": "x"},
        "Invalid value for blake2_256_digest. Error: Use a valid, hex-encoded, BLAKE2 message digest.",
    ),
    (
        {"pyversion": None},
        "Invalid value for pyversion. Error: Python version is required for binary distribution uploads.",
    ),
    ({"filetype": "sdist"}, "Invalid value for pyversion. Error: Use 'source' as Python version for an sdist."),
    ({"sha256_digest": None}, "Error: Include at least one message digest."),
    ({"metadata_version": None}, f"None is not a valid metadata version.{SEE}"),
    ({"metadata_version": "9.9"}, f"'9.9' is not a valid metadata version.{SEE}"),
    ({"metadata_version": "2.6"}, f"'2.6' is not a valid metadata version.{SEE}"),
    ({"metadata_version": "2.6", "requires_python": "three"}, f"'2.6' is not a valid metadata version.{SEE}"),
    ({"version": None}, f"'version' is a required field.{SEE}"),
    ({"version": ""}, f"'version' is a required field.{SEE}"),
    ({"version": "abc"}, f"'abc' is invalid for 'version'.{SEE}"),
    ({"version": "1.0-foo-bar"}, f"'1.0-foo-bar' is invalid for 'version'.{SEE}"),
    (
        {"version": "6.0+local"},
        (
            "The use of local versions in '6.0+local' is not allowed. See https://packaging.python.org/en/latest/"
            "specifications/version-specifiers/#local-version-identifiers for more information."
        ),
    ),
    ({"name": ("acme-widget", "acme-widget")}, f"'name' has invalid data.{SEE}"),
    ({"project_urls": ("A, https://a.example", "A, https://b.example")}, f"'project_urls' has invalid data.{SEE}"),
    ({"classifiers": "Foo :: Bar"}, f"'Foo :: Bar' is not a valid classifier.{SEE}"),
    ({"classifiers": ("Foo :: Bar", "Baz :: Qux")}, f"'Baz :: Qux' is not a valid classifier.{SEE}"),
    ({"classifiers": "Private :: Do Not Upload"}, f"'Private :: Do Not Upload' is not a valid classifier.{SEE}"),
    (
        {"classifiers": "Natural Language :: Ukranian"},
        (
            "The classifier 'Natural Language :: Ukranian' has been deprecated, use one of "
            f"['Natural Language :: Ukrainian'] instead.{SEE}"
        ),
    ),
    (
        {"classifiers": "Topic :: Communications :: Chat :: AOL Instant Messenger"},
        f"The classifier 'Topic :: Communications :: Chat :: AOL Instant Messenger' has been deprecated.{SEE}",
    ),
    (
        {"requires_dist": "foo @ https://example.org/foo.zip"},
        f"Can't have direct dependency: foo @ https://example.org/foo.zip.{SEE}",
    ),
    (
        {"provides_dist": "foo @ https://example.org/foo.zip"},
        f"Can't have direct dependency: 'foo @ https://example.org/foo.zip'.{SEE}",
    ),
    ({"requires_dist": "foo =="}, f"'foo ==' is invalid for 'requires-dist'.{SEE}"),
    ({"requires_python": "three"}, f"'three' is invalid for 'requires-python'.{SEE}"),
    ({"provides_extra": "-x"}, f"'-x' is invalid for 'provides-extra'.{SEE}"),
    ({"home_page": "not a url"}, f"'not a url' is not a valid url.{SEE}"),
    ({"home_page": "irc://example.org"}, f"'irc://example.org' is not a valid url.{SEE}"),
    ({"download_url": "ftp://example.org"}, f"'ftp://example.org' is not a valid url.{SEE}"),
    ({"project_urls": "Homepage"}, f"Must have a URL.{SEE}"),
    ({"project_urls": ", https://a.example"}, f"Must have a label.{SEE}"),
    ({"project_urls": f"{'a' * 33}, https://a.example"}, f"'{'a' * 33}' must be 32 characters or less.{SEE}"),
    ({"project_urls": "Chat, irc://a.example"}, f"'irc://a.example' is not a valid url.{SEE}"),
    (
        {"author_email": "not-an-email"},
        f"'not-an-email' is not a valid email address: An email address must have an @-sign.{SEE}",
    ),
    (
        {"maintainer_email": "Foo <test>"},
        f"'test' is not a valid email address: An email address must have an @-sign.{SEE}",
    ),
    ({"summary": "a" * 513}, f"'summary' field must be 512 characters or less.{SEE}"),
    ({"summary": "one\ntwo"}, f"'summary' must be a single line.{SEE}"),
    ({"description_content_type": "text/foo"}, f"{CONTENT_TYPE}'text/foo'.{SEE}"),
    (
        {"description_content_type": "text/markdown; charset=latin1"},
        f"'description-content-type' can only specify the UTF-8 charset, not 'latin1'.{SEE}",
    ),
    (
        {"description_content_type": "text/markdown; charset=utf-8"},
        f"'description-content-type' can only specify the UTF-8 charset, not 'utf-8'.{SEE}",
    ),
    (
        {"description_content_type": "text/markdown; variant=Foo"},
        f"valid Markdown variants for 'description-content-type' are ['GFM', 'CommonMark'], not 'Foo'.{SEE}",
    ),
    ({"license_expression": "NotALicense"}, f"'NotALicense' is invalid for 'license-expression'.{SEE}"),
    (
        {"license": "MIT", "license_expression": "MIT"},
        f"License is deprecated when License-Expression is present. Only License-Expression should be present.{SEE}",
    ),
    (
        {"license_expression": "MIT", "metadata_version": "2.1"},
        f"license-expression introduced in metadata version 2.4, not 2.1.{SEE}",
    ),
    ({"dynamic": "foo"}, f"'foo' is not a valid dynamic field.{SEE}"),
    ({"dynamic": "Name"}, f"'name' is not allowed as a dynamic field.{SEE}"),
    ({"dynamic": "Dynamic"}, f"Dynamic field 'dynamic' is not a valid dynamic field.{SEE}"),
    ({"license_file": "/etc/passwd"}, f"'/etc/passwd' is invalid for 'license-file', paths must be relative.{SEE}"),
    (
        {"license_file": "../LICENSE"},
        f"'../LICENSE' is invalid for 'license-file', parent directory indicators are not allowed.{SEE}",
    ),
    (
        {"import_name": "acme", "metadata_version": "2.4"},
        f"import-name introduced in metadata version 2.5, not 2.4.{SEE}",
    ),
]


@pytest.mark.parametrize(("fields", "text"), FORM_CASES, ids=[str(case[0])[:60] for case in FORM_CASES])
def test_what_the_form_lacks_is_said_in_the_servers_words(fields: dict[str, Any], text: str) -> None:
    """Every refused form gets 400 and the text that the real server gave."""
    assert answer(**fields) == f"400 {text}"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"protocol_version": "1"},
        {"name": "Acme_Widget"},
        {"name": "a"},
        {"sha256_digest": None, "md5_digest": "anything"},
        {"sha256_digest": "A" * 64},
        {"metadata_version": "2.5", "import_name": "acme"},
        {"metadata_version": "1.0"},
        {"version": "6.0 "},
        {"version": "6.0.dev1"},
        {"version": "v1.8"},
        {"summary": "a" * 512},
        {"summary": "a\rb"},
        {"summary": ("",)},
        {"description_content_type": ""},
        {"description_content_type": "text/markdown; charset=UTF-8; variant=CommonMark"},
        {"home_page": "https:no-host-needed"},
        {"home_page": "UNKNOWN"},
        {"project_urls": f"{'a' * 32}, https://a.example"},
        {"author_email": "Foo <>"},
        {"author_email": "a@b.org, not-an-email"},
        {"author_email": "Ada (the first) <ada@acme.org>"},
        {"classifiers": ("Topic :: Utilities", "Programming Language :: Python :: 3")},
        {"license_expression": "MIT", "classifiers": "License :: OSI Approved :: MIT License"},
        {"requires_dist": "foo>=1; python_version>'3'"},
        {"provides_dist": "foo>=1"},
        {"license_file": "licenses/LICENSE.txt"},
        {"dynamic": "Keywords"},
        {"keywords": "a,b"},
        {"unknown_field": ("1", "2")},
    ],
    ids=str,
)
def test_a_valid_form_passes(fields: dict[str, Any]) -> None:
    """The neighbour of each refused form is taken."""
    assert answer(**fields) is None


def test_an_sdist_needs_no_python_version() -> None:
    """A missing `pyversion` means `source`."""
    assert first_refusal(FORM, upload(b"", SDIST, pyversion=None), NOTHING) is None


def test_the_form_must_have_a_file() -> None:
    """A form without content is refused after its metadata was judged."""
    refusal = first_refusal(FORM, upload(None), NOTHING)
    assert refusal is not None
    assert refusal.text == "Upload payload does not have a file."
    refusal = first_refusal(FORM, upload(None, version="abc"), NOTHING)
    assert refusal is not None
    assert "'abc'" in refusal.text


def test_of_several_problems_the_server_names_the_version_first() -> None:
    """metadata-version, name, version, then by the alphabet."""
    found = invalid_fields(upload(wheel(), version="abc", requires_python="x", dynamic="x", metadata_version="3"))
    assert [one.name for one in found] == ["metadata-version", "version", "dynamic", "requires-python"]


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("a@b.org", "a@b.org"),
        ("Ada <a@b.org>", "a@b.org"),
        ('"Ada, of Acme" <a@b.org>', "a@b.org"),
        ("a@b.org, c@d.org", ""),
        ("Ada (x <a@b.org>", ""),
        ("", ""),
    ],
)
def test_only_one_address_is_checked(header: str, address: str) -> None:
    """The index sees one address or none, whatever Python we run on."""
    assert parse_address(header) == address


RST = "Title\n=====\n\nA `broken link.\n"


@pytest.mark.parametrize(
    ("fields", "how"),
    [
        ({"description": RST}, "in the default format of reStructuredText"),
        ({"description": RST, "description_content_type": "text/x-rst"}, "for 'text/x-rst'"),
        ({"description": "Lone title\n==========\n"}, "in the default format of reStructuredText"),
        ({"description": " \n", "description_content_type": "text/markdown"}, "for 'text/markdown'"),
        (
            {"description": "[a]: https://a.example\n", "description_content_type": "text/markdown"},
            "for 'text/markdown'",
        ),
        (
            {"description": "[^1]: two words\n\n    more\n", "description_content_type": "text/markdown"},
            "for 'text/markdown'",
        ),
    ],
    ids=str,
)
def test_a_description_that_does_not_render_is_refused(fields: dict[str, Any], how: str) -> None:
    """reStructuredText at the first warning, either format where nothing is left to show."""
    refusal = first_refusal(DESCRIPTION, upload(wheel(), **fields), NOTHING)
    assert refusal is not None
    address = f"{SITE}/help/#description-content-type"
    assert refusal.text == f"The description failed to render {how}. See {address} for more information."


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"description": "Title\n=====\n\nText.\n"},
        {"description": RST, "description_content_type": "text/plain"},
        {"description": RST, "description_content_type": "text/markdown"},
        {"description": "[a](https://a.example)\n", "description_content_type": "text/markdown"},
        {"description": "[^1]: two words\n", "description_content_type": "text/markdown; variant=CommonMark"},
        {"description": "[^1]: two words [^1]\n", "description_content_type": "text/markdown"},
        {"description": "\x0c\n", "description_content_type": "text/markdown"},
    ],
    ids=str,
)
def test_a_description_that_renders_passes(fields: dict[str, Any]) -> None:
    """The neighbours are taken."""
    assert first_refusal(DESCRIPTION, upload(wheel(), **fields), NOTHING) is None


FIELDS = st.sampled_from(
    [
        "name",
        "version",
        "metadata_version",
        "summary",
        "author_email",
        "home_page",
        "project_urls",
        "requires_dist",
        "requires_python",
        "classifiers",
        "dynamic",
        "license_file",
        "license_expression",
        "description_content_type",
        "keywords",
        "import_name",
    ]
)


@given(st.dictionaries(FIELDS, st.lists(st.text(max_size=40), min_size=1, max_size=3).map(tuple)))
def test_no_metadata_breaks_the_rules(fields: dict[str, Any]) -> None:
    """Whatever is sent, there is an answer."""
    first_refusal(FORM, upload(b"", **fields), NOTHING)


@given(st.sampled_from(["http://", "https://a", "http://[", "HTTPS:"]), st.text(max_size=30))
def test_no_address_breaks_the_rules(start: str, rest: str) -> None:
    """Odd addresses are refused, or break the server; they never break us."""
    invalid_fields(upload(b"", home_page=start + rest, author_email=rest))


@given(st.from_regex(_PLAIN_ADDRESS.pattern, fullmatch=True))
def test_an_address_that_is_taken_at_a_glance_is_one_that_the_rules_take(address: str) -> None:
    """The short cut spares an import; it never takes what the index would refuse."""
    if is_plain_address(address):
        check_address(address)


INDEX_WITH_NAMES = IndexContents(
    now=NOW,
    names=frozenset(map(canonicalize_name, ["acme-widget", "Other.Owned"])),
    prohibited=frozenset(map(canonicalize_name, ["acme-prohibited", "requirements-txt"])),
)
SEE_NAMES = f"See {SITE}/help/#project-name for more information."


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("acmewidget", "400 The name 'acmewidget' is too similar to an existing project."),
        ("acme-w1dget", "400 The name 'acme-w1dget' is too similar to an existing project."),
        ("0ther-0wned", "400 The name '0ther-0wned' is too similar to an existing project."),
        ("Acme_Widget", "409 The name 'Acme_Widget' conflicts with an existing project."),
        ("acme-prohibited", "400 The name 'acme-prohibited' isn't allowed."),
        ("requirements.txt", "400 The name 'requirements.txt' isn't allowed."),
        ("json", "400 The name 'json' isn't allowed (conflict with Python Standard Library module name)."),
        ("xml.etree", "400 The name 'xml.etree' isn't allowed (conflict with Python Standard Library module name)."),
        (
            "xml-etree-ElementTree",
            "400 The name 'xml-etree-ElementTree' isn't allowed (conflict with Python Standard Library module name).",
        ),
    ],
)
def test_a_name_that_can_not_be_registered(name: str, answer: str) -> None:
    """Status and words are the server's."""
    refusal = first_refusal(NEW_NAME, upload(b"", name=name), INDEX_WITH_NAMES)
    assert refusal is not None
    assert f"{refusal.status} {refusal.text}" == f"{answer} {SEE_NAMES}"


@pytest.mark.parametrize("name", ["acme-widget2", "jsonx", "acme", "prohibited-acme", "xml-etree-else"])
def test_a_name_that_is_free(name: str) -> None:
    """Neighbours of refused names are taken."""
    assert first_refusal(NEW_NAME, upload(b"", name=name), INDEX_WITH_NAMES) is None


def test_a_name_of_the_wrong_form_is_refused_again() -> None:
    """The service that registers names has its own words for it."""
    refusal = first_refusal(NEW_NAME, upload(b"", name="a b"), INDEX_WITH_NAMES)
    assert refusal is not None
    assert refusal.text == "The name 'a b' is invalid."


def test_the_standard_library_of_every_python_counts() -> None:
    """Dotted submodules and modules long gone count; the index's own list has 2,363 names."""
    assert {"asyncio", "concurrent-futures-thread", "sets", "distutils", "this"} <= standard_modules()
    assert len(standard_modules()) > 2300


def test_a_name_is_found_without_the_table_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(map(is_standard_module, standard_modules()))
    names = ("acme-widget", "asyncio-x", "as", "concurrent", "concurrent-futures", "string-template", "")
    assert [is_standard_module(canonicalize_name(name)) for name in names] == [
        name in standard_modules() for name in names
    ]
    monkeypatch.setattr("release.acceptance.form_rules.standard_modules", lambda: pytest.fail("not needed"))
    assert not is_standard_module(canonicalize_name("acme-widget"))


def test_a_list_of_modules_in_another_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise FileNotFoundError

    form_rules._module_lists.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr("release.acceptance.form_rules.get_data", fail)
        assert is_standard_module(canonicalize_name("concurrent.futures"))
    form_rules._module_lists.cache_clear()


def test_names_that_every_index_prohibits() -> None:
    """However they are spelled; others are prohibited by administrators, and not published."""
    for name in ("requirements.txt", "rrequirements.txt", "Requirements_txt", "RREQUIREMENTS--TXT"):
        refusal = first_refusal(NEW_NAME, upload(b"", name=name), NOTHING)
        assert refusal is not None
        assert refusal.text == f"The name {name!r} isn't allowed. {SEE_NAMES}"
    for name in ("requirements", "requirements-txt2", "rrrequirements.txt", "requirementstxt", "requirements.in"):
        assert first_refusal(NEW_NAME, upload(b"", name=name), NOTHING) is None


def test_the_standard_modules_are_those_that_the_server_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every Python up to its own, removed ones too; a newer stdlib-list adds none."""
    import stdlib_list

    found = standard_modules()
    assert {"imp", "msilib", "compression", "string-templatelib", "xml-etree", "thread", "sre-parse"} <= found
    assert not {"unittest2", "core", "python", "setuptools", "tests"} & found
    monkeypatch.setattr(stdlib_list, "short_versions", [*stdlib_list.short_versions, "3.15", "4.0"])
    standard_modules.cache_clear()
    assert standard_modules() == found
