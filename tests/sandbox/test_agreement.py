"""`inspect` says of a file what the index answers when it is uploaded, in the index's own words."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.utils import NormalizedName, canonicalize_name

from release.acceptance.form_rules import standard_modules
from release.acceptance.open_distribution import OpenDistribution
from release.acceptance.rule import FileUpload
from release.acceptance.twine_form import twine_form
from release.adapters.system import system
from release.checks.distribution_reader import SITE, all_refusals
from release.core.facts import BuiltFile, BuiltFiles
from release.core.models.index import IndexContents
from release.publishing import inspection
from release.reports import inspection_report
from tests.acceptance.making import (
    NOTHING,
    NOW,
    SDIST,
    WHEEL,
    ask_twine,
    metadata,
    sdist,
    tarred,
    upload,
    wheel,
    wheel_members,
    zipped,
)
from tests.acceptance.test_form_rules import FORM_CASES, SEE
from tests.sample_distributions import fields, sdist_name
from tests.sample_distributions import sdist as sample_sdist
from tests.sandbox.sandbox_client import Reply, SandboxClient, sandbox_client

DIST = "acme_widget-1.0.dist-info"
TOP = "acme_widget-1.0"
HELP = "{pypi}/help/#"
RENDER = "400 The description failed to render"
CONTENT = f"See {HELP}description-content-type for more information."
NAME = f"See {HELP}project-name for more information."
REUSE = f"See {HELP}file-name-reuse for more information."
EXTENSIONS = (
    "400 Invalid file extension: Use .tar.gz, .whl or .zip extension. See https://www.python.org/dev/peps/pep-0527 "
    "and https://peps.python.org/pep-0715/ for more information"
)
BROKEN_RST = "A `broken link.\n"


@pytest.fixture(scope="module")
def pypi() -> Iterator[SandboxClient]:
    """One for all that it refuses: nothing of that stays."""
    with sandbox_client() as running:
        yield running


@pytest.fixture
def fresh() -> Iterator[SandboxClient]:
    with sandbox_client() as running:
        yield running


@dataclass(frozen=True, kw_only=True)
class Case:
    """A file, and what the index answers."""

    content: bytes
    line: str
    filename: str = WHEEL


def wheel_of(line: str, *, body: str = "", filename: str = WHEEL, **headers: Any) -> Case:
    """A wheel with odd metadata."""
    data = metadata(body=body, **{"name": "acme-widget", "version": "1.0", **headers})
    return Case(content=wheel(data), filename=filename, line=line)


def said(text: str) -> str:
    return f"400 {text}{SEE}"


def archive(line: str, /, **members: bytes | None) -> Case:
    """A wheel with members of its `.dist-info` replaced, or left out."""
    changed = {f"{DIST}/{name}": data for name, data in members.items()}
    kept = {name: data for name, data in (wheel_members() | changed).items() if data is not None}
    return Case(content=zipped(kept), line=line)


def named(name: str, line: str) -> Case:
    """A wheel of another project."""
    stem = name.replace("-", "_")
    members = wheel_members(metadata(name), f"{stem}-1.0.dist-info")
    return Case(content=zipped(members), filename=f"{stem}-1.0-py3-none-any.whl", line=line)


def invalid(text: str) -> str:
    return f"400 Invalid distribution file. {text}"


PLATFORM = "acme_widget-1.0-cp311-cp311-linux_x86_64.whl"
CASES: dict[str, Case] = {
    # accepted
    "a name with dots in the archive": Case(content=zipped(wheel_members() | {"../x": b""}), line="200 OK"),
    "RECORD lists nothing": archive("200 OK", RECORD=b""),
    "a title underline of three": wheel_of("200 OK", body="Widgets\n===\n\nText.\n"),
    # the file
    "a zip sdist": Case(
        content=zipped({f"{TOP}/PKG-INFO": metadata(), f"{TOP}/a.py": b""}), filename="acme_widget-1.0.zip",
        line="400 Filename 'acme_widget-1.0.zip' is invalid, should be 'acme_widget-1.0.tar.gz'.",
    ),
    "entry points": archive(
        f"400 Wheel '{WHEEL}' has invalid entry points defined in the entry_points.txt file",
        **{"entry_points.txt": b"[console_scripts]\na b = c:d\n"},
    ),
    "bzip2": Case(
        content=zipped(wheel_members(), zipfile.ZIP_BZIP2),
        line=invalid("File does not use a supported compression type"),
    ),
    "a comment on the file's end": Case(
        content=b"x" + wheel(),
        line=invalid(
            "ZIP archive not accepted: Unknown record signature. "
            "See https://docs.pypi.org/archives for more information"
        ),
    ),
    # the metadata
    "the name that setuptools gives to what has none": Case(
        content=zipped(wheel_members(metadata("UNKNOWN", "0.0.0"), "UNKNOWN-0.0.0.dist-info")),
        filename="UNKNOWN-0.0.0-py3-none-any.whl",
        line=said("'' is an invalid value for Name. Error: This field is required."),
    ),
    "a title underline of four": wheel_of(
        f"{RENDER} in the default format of reStructuredText. {CONTENT}", body="Widgets\n====\n\nText.\n"
    ),
}  # fmt: skip


def send(pypi: SandboxClient, case: Case) -> Reply:
    """Upload a file with the form that twine makes for it."""
    form = twine_form(
        OpenDistribution(case.filename, io.BytesIO(case.content)),
        sha256=hashlib.sha256(case.content).hexdigest(),
        blake2_256=hashlib.blake2b(case.content, digest_size=32).hexdigest(),
    )
    if not form.fields:  # twine can't make one; another uploader would have its form from the project
        return pypi.post(fields(case.content, case.filename), filename=case.filename, content=case.content)
    values: dict[str, Any] = {":action": "file_upload", "protocol_version": "1"}
    for name, value in form.fields:
        values[name] = [*values.get(name, []), value]
    return pypi.post(values, filename=case.filename, content=case.content)


def looked_at(pypi: SandboxClient | None, case: Case) -> tuple[str, list[str]]:
    """The verdict of `inspect`, and what it says that the index would say."""
    file = BuiltFile(
        filename=case.filename,
        size=len(case.content),
        sha256=None,
        open=lambda: io.BytesIO(case.content),
        ask_twine=lambda: ask_twine(case.filename, case.content),
    )
    known = None
    if pypi is not None:
        real = system.real_system()
        # A standard module's name in the metadata of another project's file is refused offline too, in other words.
        names = sorted({*inspection.named_projects([file]), *(_uploaded_name(case) & standard_modules())})
        known = {name: inspection.fetch_index_contents(real, pypi.sandbox.index(), name) for name in names}
    found = inspection_report.inspection_to_json(BuiltFiles(project=None, files=(file,), now=NOW, on_index=known))[
        "files"
    ][0]
    site = pypi.site if pypi else "{pypi}"
    blocking = [one for one in found["findings"] if one["severity"] == "block"]
    return found["verdict"], [str(one["server_text"]).replace(SITE, site) for one in blocking]


def _uploaded_name(case: Case) -> set[NormalizedName]:
    form = twine_form(OpenDistribution(case.filename, io.BytesIO(case.content)), sha256="", blake2_256="")
    return {canonicalize_name(value) for name, value in form.fields if name == "name"}


TAKEN = [name for name, case in CASES.items() if case.line == "200 OK"]


@pytest.mark.parametrize("name", TAKEN)
def test_what_the_index_takes_is_green(fresh: SandboxClient, name: str) -> None:
    """However odd it is: what is unwise is a warning."""
    assert looked_at(fresh, CASES[name]) == ("accept", [])
    assert send(fresh, CASES[name]).line == "200 OK"


@pytest.mark.parametrize("name", [name for name in CASES if name not in TAKEN])
def test_what_the_index_refuses_is_red_in_its_words(pypi: SandboxClient, name: str) -> None:
    """Status and text are the real server's, over HTTP and in the finding."""
    line = CASES[name].line.replace("{pypi}", pypi.site)
    verdict, texts = looked_at(pypi, CASES[name])
    assert send(pypi, CASES[name]).line == line
    assert verdict == "refuse"
    assert line.partition(" ")[2] in texts


TWINE_ALONE = {
    "no PKG-INFO and no name": Case(content=tarred({f"{TOP}/a": b"", f"{TOP}/b": b""}), filename=SDIST, line=""),
    "an sdist .tar.bz2": Case(content=sdist(), filename="acme_widget-1.0.tar.bz2", line=""),
    "an egg": Case(content=zipped({"a.py": b""}), filename="acme_widget-1.0-py3.11.egg", line=""),
    "an unknown field": wheel_of("", Frobnicate="x"),
    "a field twice": Case(content=wheel(metadata(Summary=["a", "b"])), line=""),
}


@pytest.mark.parametrize("name", TWINE_ALONE)
def test_what_twine_would_not_send_is_refused(name: str) -> None:
    """There is no form to upload; the finding says that it is twine, or what the index would say of the file."""
    verdict, _ = looked_at(None, TWINE_ALONE[name])
    assert verdict == "refuse"


@pytest.mark.parametrize(("changes", "text"), FORM_CASES, ids=[str(case[0])[:60] for case in FORM_CASES])
def test_a_form_is_answered_as_it_is_judged(pypi: SandboxClient, changes: dict[str, Any], text: str) -> None:
    """Each refused form gets, over HTTP, the status and text that the rules give it."""
    sent = upload(wheel(), **changes)
    first = next(all_refusals(sent, NOTHING))
    reply = pypi.post({":action": "file_upload", **sent.fields}, filename=WHEEL, content=wheel())
    assert (first.status, first.text) == (400, text)
    assert reply.line.encode("latin-1", "replace") == f"400 {text}".encode("latin-1", "replace")


# -- whatever comes --------------------------------------------------------------------------------

HEADERS: dict[str, st.SearchStrategy[Any]] = {
    "Metadata_Version": st.sampled_from(["1.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "9.9"]),
    "name": st.sampled_from(["acme-widget", "Acme.Widget", "acme widget", "json", "acme-gadget"]),
    "version": st.sampled_from(["1.0", "1.0.0", "v1", "1.0+x", "1.0.post1", "abc", ""]),
    "Summary": st.text(max_size=20) | st.just("a" * 513),
    "Classifier": st.sampled_from(["Topic :: Utilities", "Private :: x", "Natural Language :: Ukranian"]),
    "Author_email": st.sampled_from(["a@b.org", "Ann <a@b.example>", "x", "a@b, c@d", "a@test"]) | st.text(max_size=9),
    "Home_page": st.sampled_from(["https://a.example", "ftp://a", "http://[", "x y"]) | st.text(max_size=9),
    "Project_URL": st.sampled_from(["A, https://a.example", "A", ", x", "A" * 33 + ", https://a"]),
    "Requires_Dist": st.sampled_from(["foo", "foo>=1; extra == 'x'", "foo @ https://a", "=="]),
    "License_File": st.sampled_from(["LICENSE", "../x", "/x"]),
    "Dynamic": st.sampled_from(["Keywords", "Name", "x"]),
    "Description_Content_Type": st.sampled_from(
        ["text/markdown", "text/x-rst", "text/plain", "text/html", "text/markdown; charset=x", "text/x-rst; =", ";"]
    ),
}
BODIES = st.sampled_from(["", "Title\n=====\n\nText.\n", BROKEN_RST, "=\n", "[a]: b\n", ".. include:: x\n"]) | st.text()
NAMES = st.sampled_from(
    ["a.py", "../a", "/a", "a\\b", "a/", "A.PYE", "\u00e9.txt", "a\n", f"{DIST}/RECORD.jws", f"{DIST}/licenses/LICENSE",
     f"{TOP}/x", f"{DIST}/entry_points.txt", f"{DIST}/RECORD", f"{DIST}/WHEEL", f"{DIST}/METADATA", f"{TOP}/PKG-INFO"]
)  # fmt: skip
DATA = st.binary(max_size=40) | st.sampled_from(
    [b"", b"x", b"\xff", b"\n", b"a,,\n\n", b"[console_scripts]\na b=c\n", b"x" * 9999]
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A valid file with some of its metadata, members, compression and bytes changed."""
    chosen = draw(st.lists(st.sampled_from(sorted(HEADERS)), max_size=3, unique=True))
    headers = {"name": "acme-widget", "version": "1.0"} | {name: draw(HEADERS[name]) for name in chosen}
    data = metadata(body=draw(BODIES), **headers)
    is_wheel = draw(st.booleans())
    members = wheel_members(data) if is_wheel else {f"{TOP}/PKG-INFO": data, f"{TOP}/a.py": b"x = 1\n"}
    members |= draw(st.dictionaries(NAMES, DATA, max_size=2))
    for name in draw(st.lists(st.sampled_from(sorted(members)), max_size=1)):
        del members[name]
    kind = draw(st.sampled_from([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2]))
    content = zipped(members, kind) if is_wheel else tarred(members)
    for change in draw(st.lists(st.sampled_from(DAMAGE), max_size=3)):
        content = change(content, draw)
    odd = ["acme_widget-1.0-py2.py3-none-any.whl", "acme_widget-1.0-1-py3-none-linux_x86_64.whl", "acme_widget-1.whl"]
    usual = [WHEEL] * 6 if is_wheel else [SDIST] * 6
    return Case(content=content, filename=draw(st.sampled_from([*usual, *odd, "acme-widget-1.0.tar.gz"])), line="")


def flipped(content: bytes, draw: st.DrawFn) -> bytes:
    if not content:
        return content
    at = draw(st.integers(0, len(content) - 1))
    return content[:at] + bytes([draw(st.integers(0, 255))]) + content[at + 1 :]


def framed(content: bytes, draw: st.DrawFn) -> bytes:
    """Change a byte of a header rather than one of the data."""
    marks = [at for at in range(len(content)) if content[at : at + 2] in {b"PK", b"\x1f\x8b"}]
    if not marks:
        return content
    at = min(draw(st.sampled_from(marks)) + draw(st.integers(0, 45)), len(content) - 1)
    return content[:at] + bytes([draw(st.sampled_from([0, 1, 8, 9, 0x50, 0xFF]))]) + content[at + 1 :]


def cut(content: bytes, draw: st.DrawFn) -> bytes:
    return content[: draw(st.integers(0, len(content)))]


def longer(content: bytes, draw: st.DrawFn) -> bytes:
    return draw(st.sampled_from([content + b"x", b"x" + content, content + content, content + b"\0" * 600]))


def repeated(content: bytes, draw: st.DrawFn) -> bytes:
    start = draw(st.integers(0, len(content)))
    return content[:start] + content[draw(st.integers(0, len(content))) :]


DAMAGE: tuple[Callable[[bytes, st.DrawFn], bytes], ...] = (flipped, framed, framed, cut, longer, repeated)


@settings(max_examples=120)
@given(cases())
@example(Case(content=sample_sdist("json"), filename=sdist_name(), line=""))
def test_inspect_and_the_index_never_disagree(case: Case) -> None:
    """Whatever the file, the index's answer is among what `inspect` says; and both always have one."""
    with sandbox_client() as pypi:
        verdict, texts = looked_at(pypi, case)
        reply = send(pypi, case)
    has_form = bool(
        twine_form(OpenDistribution(case.filename, io.BytesIO(case.content)), sha256="", blake2_256="").fields
    )
    if not has_form:
        assert verdict == "refuse"
    elif reply.status == 200:
        assert all(text == "None" for text in texts), "only twine, which would not send it, may be stricter"
    else:
        assert verdict == "refuse"
        shown = [text.encode("latin-1", "replace").decode("latin-1") for text in texts]
        assert reply.reason in shown


def test_a_file_that_is_only_looked_at_is_judged_as_of_today(tmp_path: Path) -> None:
    """The verb reads the very files; nothing but the path is needed."""
    path = tmp_path / WHEEL
    path.write_bytes(wheel())
    found = inspection.inspect_files(system.real_system(), [path])
    assert not found.refused
    assert found.document["files"][0]["sha256"] == hashlib.sha256(wheel()).hexdigest()
    assert isinstance(next(all_refusals(FileUpload(fields={}), IndexContents(now=NOW))).text, str)
