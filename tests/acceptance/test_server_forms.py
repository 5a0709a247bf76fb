"""The same judgement of a form on every Python, and with every version of the libraries: that of the server.

`server_forms.json` has random forms (the fields that differ from a minimal one; null where one is left out) and what
the server's form and metadata checks said: "ok", "F FIELD text", "M text", "500", or the text; and file names, with the
text that refuses a wheel's, or whether an sdist's is refused. Every message is in it, and every kind of form that
packaging 25.0 to 26.4, or Python 3.11 to 3.14, judge differently.
Observed: warehouse 6b62157 with packaging 26.2 under Python 3.14, 2026-11.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from release.acceptance.file_names import InvalidFileNameError, parse_sdist_name, parse_wheel_name
from release.acceptance.form_rules import FORM
from release.acceptance.rule import FileUpload, first_refusal
from tests.acceptance.making import NOTHING

RECORDED = json.loads((Path(__file__).parent / "server_forms.json").read_text())
MINIMAL: dict[str, Any] = {
    "metadata_version": "2.4",
    "name": "acme-widget",
    "version": "1.0",
    "filetype": "sdist",
    "sha256_digest": "0" * 64,
}
SEE = re.compile(r"\.? See https://packaging\.python\.org/\S+ for more information\.$")


def judge(changed: dict[str, Any]) -> str:
    """The verdict in the words of the record."""
    fields = {
        name: tuple(value) if isinstance(value, list) else (value,) for name, value in (MINIMAL | changed).items()
    }
    form = {name: value for name, value in fields.items() if value != (None,)}
    refusal = first_refusal(FORM, FileUpload(fields=form), NOTHING)
    if refusal is None or refusal.text == "Upload payload does not have a file.":
        return "ok"
    if refusal.status != 400:
        return str(refusal.status)
    if found := re.fullmatch(r"Invalid value for (\w+)\. Error: (.*)", refusal.text):
        return f"F {found[1]} {found[2]}"
    if found := re.search(r" is an invalid value for Name\. Error: (.*?\.) See", refusal.text):
        return f"F name {found[1]}"
    if SEE.search(refusal.text):
        return f"M {SEE.sub('', refusal.text)}"
    return refusal.text


def without_order(text: str) -> str:
    """A verdict without what varies: the server lists the types and variants in no order."""
    lists = r"(?<=one of )\[[^]]*\]|(?<=' are )\[[^]]*\]"
    return re.sub(lists, lambda found: str(sorted(ast.literal_eval(found[0]))), text).removesuffix(".")


def test_forms_get_the_servers_verdict() -> None:
    judged = [
        (changed, without_order(verdict), without_order(judge(changed))) for changed, verdict in RECORDED["forms"]
    ]
    assert [one for one in judged if one[1] != one[2]] == []
    assert len(judged) >= 500


def test_file_names_get_the_servers_verdict() -> None:
    for filename, verdict in RECORDED["file_names"]:
        if isinstance(verdict, bool):
            assert (parse_sdist_name(filename) is None) == verdict, filename
            continue
        if verdict is None:
            parse_wheel_name(filename)
            continue
        with pytest.raises(InvalidFileNameError) as refused:
            parse_wheel_name(filename)
        assert str(refused.value) == verdict


@pytest.mark.parametrize(
    ("license_expression", "verdict"),
    [
        ("LicenseRef-", "ok"),
        ("(MIT OR Apache-2.0) WITH Classpath-exception-2.0", "ok"),
        ("LicenseRef-a+", "500"),
        ("LicenseRef-a+ OR LicenseRef-a", "ok"),
        ("LicenseRef-a_b", "M 'LicenseRef-a_b' is invalid for 'license-expression'"),
        ("FSL-1.1-MIT", "ok"),  # not in SPDX 3.25
        ("(" * 200 + "MIT" + ")" * 200, "ok"),
        ("(" * 201 + "MIT" + ")" * 201, f"M {'(' * 201 + 'MIT' + ')' * 201!r} is invalid for 'license-expression'"),
    ],
)
def test_license_expressions(license_expression: str, verdict: str) -> None:
    assert judge({"license_expression": license_expression}) == verdict


def test_a_number_of_more_digits_than_python_reads_breaks_the_server() -> None:
    assert judge({"version": "9" * 4300}) == "ok"
    assert judge({"version": "9" * 4301}) == "500"


def test_braces_in_a_value_are_placeholders_of_the_servers_message() -> None:
    assert judge({"provides_extra": "{field}!"}) == "M ''provides-extra'!' is invalid for 'provides-extra'"
    assert judge({"provides_extra": "{other}"}) == "500"
    assert judge({"provides_extra": "{field:>999999999999}"}) == "500"
    assert judge({"keywords": "{other}"}) == "ok"
