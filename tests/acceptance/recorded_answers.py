"""What PyPI's own server answered to uploads, row by row: a file or a form, and the status line that came back.

Observed 2026-11 on a local run of warehouse 6b62157. `{pypi}` stands for its site, `{blake2}` for the hash of the file.
All rows that concern form, metadata, name, file or archive; the credentials, the state of accounts and of the site, and
the other addresses are in tests/sandbox.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from release.acceptance.open_distribution import OpenDistribution
from release.acceptance.twine_form import twine_form
from tests.acceptance import making
from tests.sample_distributions import Value, fields
from tests.sandbox.sandbox_client import Clock, Reply, SandboxClient

Prepare = Callable[[SandboxClient, Clock], None]

OK = "200 OK"


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that somebody would upload."""

    name: str
    #: makes the bytes
    make: Callable[[], bytes] = field(repr=False)
    #: of the form for a file in which there is no metadata
    version: str = "5.0"

    def form(self, content: bytes) -> dict[str, Any]:
        """The form that twine sends; where there is no metadata, one that another uploader has from the project."""
        sha256, blake2 = hashlib.sha256(content).hexdigest(), hashlib.blake2b(content, digest_size=32).hexdigest()
        found = twine_form(OpenDistribution(self.name, io.BytesIO(content)), sha256=sha256, blake2_256=blake2).fields
        if not found:
            return dict(fields(content, self.name, version=self.version))
        form: dict[str, Any] = {":action": "file_upload", "protocol_version": "1"}
        for name, value in found:
            form[name] = [*form.get(name, ()), value]
        return form


@dataclass(frozen=True, kw_only=True)
class Row:
    """A request and its answer. Without `alone`, `inspect` gives the same verdict in the same words."""

    line: str
    file: File
    #: fields of the form that are replaced, added, or left out with None
    form: Mapping[str, Value] = field(default_factory=dict)
    #: how the content part is sent, and what is asked of the answer: `filename`, `content_type`, `accept`
    sent: Mapping[str, Any] = field(default_factory=dict)
    #: another request altogether
    ask: Callable[[SandboxClient, bytes], Reply] | None = None
    #: what happened before
    before: Prepare | None = None
    #: why `inspect` can't say so of the file
    alone: str = ""
    #: its verdict then
    verdict: Literal["accept", "refuse"] = "accept"

    def send(self, pypi: SandboxClient, content: bytes) -> Reply:
        if self.ask is not None:
            return self.ask(pypi, content)
        how = {"filename": self.file.name, **self.sent}
        return pypi.post(self.file.form(content) | dict(self.form), content=content, **how)


# -- files ------------------------------------------------------------------------------------------


def widget(
    version: str = "5.0", *, name: str = "acme-widget", said: str | None = None, body: str = "",
    filename: str | None = None, directory: str | None = None, without: str = "", **headers: Any,
) -> File:  # fmt: skip
    """A wheel. `said` is the version in its metadata, `without` a member of its `.dist-info` that is left out."""
    stem = f"{name.strip('-').replace('-', '_')}-{version}"
    inside = f"{directory or stem}.dist-info"
    data = making.metadata(name, said or version, body, **headers)

    def make() -> bytes:
        members = making.wheel_members(data, inside)
        members.pop(f"{inside}/{without}", None)
        return making.zipped(members)

    return File(name=filename or f"{stem}-py3-none-any.whl", make=make, version=said or version)


def source(version: str = "5.0", *, filename: str | None = None, **headers: Any) -> File:
    """An sdist."""
    data, stem = making.metadata(version=version, **headers), f"acme_widget-{version}"
    return File(name=filename or f"{stem}.tar.gz", make=partial(making.sdist, data, stem), version=version)


def raw(content: bytes, name: str = "acme_widget-5.0-py3-none-any.whl") -> File:
    return File(name=name, make=lambda: content)


def half(file: File) -> File:
    return File(name=file.name, make=lambda: file.make()[: len(file.make()) // 2])


def renamed(file: File, name: str) -> File:
    return File(name=name, make=file.make, version=file.version)


def large() -> bytes:
    """A wheel of a little more than 101 MiB."""
    members = making.wheel_members(making.metadata(version="5.0"), "acme_widget-5.0.dist-info")
    return making.zipped(members | {"acme_widget.bin": bytes(101 * 1024 * 1024)}, zipfile.ZIP_STORED)


GOOD = widget()
WHEEL_1, SDIST_1 = widget("1.0"), source("1.0")
ZIP_SDIST = File(
    name="acme_widget-1.0.zip",
    make=lambda: making.zipped({"acme_widget-1.0/PKG-INFO": making.metadata(), "acme_widget-1.0/a.py": b""}),
    version="1.0",
)
WITHOUT_PKG_INFO = raw(making.tarred({"acme_widget-5.0/setup.py": b""}), "acme_widget-5.0.tar.gz")

# -- what happened before ---------------------------------------------------------------------------


def uploaded(*files: File) -> Prepare:
    def prepare(pypi: SandboxClient, clock: Clock) -> None:
        for file in files:
            content = file.make()
            assert pypi.post(file.form(content), filename=file.name, content=content).line == OK

    return prepare


def deleted(file: File) -> Prepare:
    def prepare(pypi: SandboxClient, clock: Clock) -> None:
        uploaded(file)(pypi, clock)
        pypi.sandbox.delete_file(file.name)

    return prepare


def aged(file: File) -> Prepare:
    def prepare(pypi: SandboxClient, clock: Clock) -> None:
        uploaded(file)(pypi, clock)
        clock.advance(days=15)

    return prepare


def filled(pypi: SandboxClient, clock: Clock) -> None:
    """All room is taken by one file."""
    uploaded(WHEEL_1)(pypi, clock)
    with pypi.sandbox._store.writing() as db:
        db.execute("UPDATE files SET size = ?", (10 * 1024**3,))


# -- requests that are no upload of a file -------------------------------------------------------------


def bare(token: str = "account", **more: str) -> Callable[[SandboxClient, bytes], Reply]:
    """Hardly more than `:action`."""
    return lambda pypi, _content: pypi.post({":action": "file_upload", **more}, token=token)


def urlencoded(pypi: SandboxClient, content: bytes) -> Reply:
    from tests.sandbox.sandbox_client import basic_auth

    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": basic_auth(pypi.token())}
    return pypi.ask("POST", "/legacy/", body=b"%3Aaction=file_upload", headers=headers)


def without_file(pypi: SandboxClient, content: bytes) -> Reply:
    return pypi.post(GOOD.form(content))


def cut_short(pypi: SandboxClient, content: bytes) -> Reply:
    """The body ends in the middle of the last field, which is the digest."""
    from tests.sample_distributions import form
    from tests.sandbox.sandbox_client import basic_auth

    values = GOOD.form(content)
    digest = values.pop("blake2_256_digest")
    body, kind = form(values | {"blake2_256_digest": digest})
    headers = {"Content-Type": kind, "Authorization": basic_auth(pypi.token())}
    return pypi.ask("POST", "/legacy/", body=body[: body.index(digest[0].encode()) + 20], headers=headers)


# -- words ------------------------------------------------------------------------------------------


def core(text: str) -> str:
    return f"400 {text} See https://packaging.python.org/specifications/core-metadata for more information."


def see(text: str, anchor: str) -> str:
    return f"400 {text} See {{pypi}}/help/#{anchor} for more information."


def exists(filename: str) -> str:
    return see(f"File already exists ('{filename}', with blake2_256 hash '{{blake2}}').", "file-name-reuse")


def bad_name(name: str) -> str:
    what = "Start and end with a letter or numeral containing only ASCII numeric and '.', '_' and '-'."
    return core(f"'{name}' is an invalid value for Name. Error: {what}")


def similar(name: str) -> str:
    return see(f"The name '{name}' is too similar to an existing project.", "project-name")


def standard(name: str) -> str:
    return see(f"The name '{name}' isn't allowed (conflict with Python Standard Library module name).", "project-name")


def broken(text: str) -> str:
    return f"400 Invalid distribution file. {text}"


NO_NAME = core("'' is an invalid value for Name. Error: This field is required.")
NO_METADATA_VERSION = core("None is not a valid metadata version.")
NO_DIGEST = "400 The digest supplied does not match a digest calculated from the uploaded file."
NOT_HEX = "400 Invalid value for {}. Error: Use a valid, hex-encoded, {} message digest."
USED = see(
    "This filename was previously used by a file that has since been deleted. Use a different version.",
    "file-name-reuse",
)
STORAGE = "See https://docs.pypi.org/project-management/storage-limits#requesting-a"
ZEROS = "0" * 64
BROKEN_RST = "A `broken link.\n"

FORM = "the file is good, its form was spoiled on the way"
PROBE = "there is no file"
DELETED = "no index tells which names it has used up"
PROHIBITED = "no index tells which names are locked"
TWICE = "twine sends no field twice, and refuses metadata that has one twice"
SPELLED = "twine spells the name with ASCII letters and hyphens, and refuses it besides"

SECTION_1: dict[str, Row] = {
    "alice, account-wide, wheel acme-widget 1.0 (200)": Row(line=OK, file=WHEEL_1),
    "alice, account-wide, sdist acme-widget 1.0": Row(line=OK, file=SDIST_1),
    "alice, project-scoped token on its own project, wheel 1.1": Row(
        line=OK, file=widget("1.1"), sent={"token": "widget"}
    ),
    "alice, account-wide, new project probe-new (created by the upload)": Row(
        line=OK, file=widget("1.0", name="probe-new")
    ),
    "only sha256_digest given": Row(line=OK, file=GOOD, form={"blake2_256_digest": None}),
    "digest in upper case": Row(
        line=OK, file=GOOD, form={"sha256_digest": hashlib.sha256(GOOD.make()).hexdigest().upper()}
    ),
    "name spelled Acme_Widget (normalizes to acme-widget)": Row(line=OK, file=widget(Name="Acme_Widget")),
    "name back to acme-widget": Row(line=OK, file=GOOD, before=uploaded(widget("4.9", Name="Acme_Widget"))),
    "version 'v1.8' (normalizes to 1.8), file acme_widget-1.8": Row(line=OK, file=widget("1.8", said="v1.8")),
}

SECTION_4: dict[str, Row] = {
    "duplicate: same filename, same content": Row(line=OK, file=WHEEL_1, before=uploaded(WHEEL_1)),
    "duplicate: same filename, different content": Row(
        line=exists(WHEEL_1.name), file=widget("1.0", Summary="Another."), before=uploaded(WHEEL_1)
    ),
    "duplicate sdist: same content": Row(line=OK, file=SDIST_1, before=uploaded(SDIST_1)),
    "duplicate sdist: different content": Row(
        line=exists(SDIST_1.name), file=source("1.0", Summary="Another."), before=uploaded(SDIST_1)
    ),
    "same content under another filename (build tag)": Row(
        line=exists("acme_widget-1.0-1-py3-none-any.whl"),
        file=renamed(WHEEL_1, "acme_widget-1.0-1-py3-none-any.whl"),
        before=uploaded(WHEEL_1),
    ),
    "a second sdist for the release (.zip)": Row(
        line="400 Only one sdist may be uploaded per release.", file=ZIP_SDIST, before=uploaded(SDIST_1)
    ),
    "wheel 1.0.0 when 1.0 exists (same canonical version)": Row(
        line=OK, file=widget("1.0.0"), before=uploaded(WHEEL_1, SDIST_1)
    ),
    "upload 4.0 (to be deleted)": Row(line=OK, file=widget("4.0")),
    "file once deleted, same content again": Row(
        line=USED, file=widget("4.0"), before=deleted(widget("4.0")), alone=DELETED
    ),
    "file once deleted, other content": Row(
        line=USED, file=widget("4.0", Summary="Another."), before=deleted(widget("4.0")), alone=DELETED
    ),
    "upload 4.1 (to be aged)": Row(line=OK, file=widget("4.1")),
    "another file to a release 15 days old": Row(
        line="400 Uploading new files to releases older than 14 days is not allowed.",
        file=source("4.1"),
        before=aged(widget("4.1")),
    ),
    "duplicate of the file of that old release, same content": Row(
        line=OK, file=widget("4.1"), before=aged(widget("4.1"))
    ),
}

SECTION_5: dict[str, Row] = {
    "wrong sha256_digest": Row(line=NO_DIGEST, file=GOOD, form={"sha256_digest": ZEROS}, alone=FORM),
    "wrong blake2_256_digest": Row(line=NO_DIGEST, file=GOOD, form={"blake2_256_digest": ZEROS}, alone=FORM),
    "wrong md5_digest": Row(line=NO_DIGEST, file=GOOD, form={"md5_digest": ZEROS[:32]}, alone=FORM),
    "sha256_digest not hex": Row(
        line=NOT_HEX.format("sha256_digest", "SHA256"), file=GOOD, form={"sha256_digest": "x" * 64}, alone=FORM
    ),
    "sha256_digest of 63 digits": Row(
        line=NOT_HEX.format("sha256_digest", "SHA256"), file=GOOD, form={"sha256_digest": ZEROS[1:]}, alone=FORM
    ),
    "no digest at all": Row(
        line="400 Error: Include at least one message digest.",
        file=GOOD,
        form={"sha256_digest": None, "blake2_256_digest": None},
        alone=FORM,
    ),
    "no content part": Row(line="400 Upload payload does not have a file.", file=GOOD, ask=without_file, alone=FORM),
    "wheel that is not a zip": Row(line=broken("File is not a zipfile"), file=raw(b"no zip")),
    "empty wheel (0 bytes)": Row(line=broken("File is not a zipfile"), file=raw(b"")),
    "wheel cut in half": Row(line=broken("File is not a zipfile"), file=half(GOOD)),
    "wheel without WHEEL": Row(
        line=broken("WHEEL not found at acme_widget-5.0.dist-info/WHEEL"), file=widget(without="WHEEL")
    ),
    "wheel without METADATA": Row(
        line="400 Wheel 'acme_widget-5.0-py3-none-any.whl' does not contain the required METADATA file: "
        "acme_widget-5.0.dist-info/METADATA",
        file=widget(without="METADATA"),
    ),
    "wheel without RECORD": Row(
        line="400 Wheel 'acme_widget-5.0-py3-none-any.whl' does not contain the required RECORD file: "
        "acme_widget-5.0.dist-info/RECORD",
        file=widget(without="RECORD"),
    ),
    "sdist that is not a tar.gz": Row(
        line=broken("File is not a tarfile"), file=raw(b"no tar", "acme_widget-5.0.tar.gz")
    ),
    "sdist without PKG-INFO": Row(
        line=broken("PKG-INFO not found at acme_widget-5.0/setup.py/PKG-INFO"), file=WITHOUT_PKG_INFO
    ),
    "wheel with platform tag linux_x86_64": Row(
        line="400 Binary wheel 'acme_widget-5.0-cp311-cp311-linux_x86_64.whl' has an unsupported platform tag "
        "'linux_x86_64'.",
        file=renamed(GOOD, "acme_widget-5.0-cp311-cp311-linux_x86_64.whl"),
    ),
    "wheel file of another version (5.1) under version 5.0": Row(
        line="400 Version in filename should be '5.0' not '5.1'.", file=widget("5.1", said="5.0")
    ),
    "wheel file of another project": Row(
        line="400 Start filename for 'acme-widget' with 'acme_widget'.",
        file=widget(directory="acme_gadget-5.0", filename="acme_gadget-5.0-py3-none-any.whl"),
    ),
    "wheel filename not normalized (acme-widget-5.0...)": Row(
        line=broken("WHEEL not found at acme-widget.dist-info/WHEEL"),
        file=renamed(GOOD, "acme-widget-5.0-py3-none-any.whl"),
    ),
    "wheel filename Acme_Widget-5.0 (dist-info alike)": Row(
        line="400 Filename 'Acme_Widget-5.0-py3-none-any.whl' should contain the normalized project name "
        "'acme_widget', not 'Acme_Widget'.",
        file=widget(directory="Acme_Widget-5.0", filename="Acme_Widget-5.0-py3-none-any.whl"),
    ),
    "wheel filename with 3 parts": Row(
        line="400 Invalid wheel filename (wrong number of parts): 'acme_widget-5.0-any'",
        file=renamed(GOOD, "acme_widget-5.0-any.whl"),
    ),
    "sdist filename not normalized (acme-widget-5.0.tar.gz)": Row(
        line="400 Filename 'acme-widget-5.0.tar.gz' is invalid, should be 'acme_widget-5.0.tar.gz'.",
        file=source(filename="acme-widget-5.0.tar.gz"),
    ),
    "sdist .tar.bz2": Row(
        line="400 Invalid file extension: Use .tar.gz, .whl or .zip extension. "
        "See https://www.python.org/dev/peps/pep-0527 and https://peps.python.org/pep-0715/ for more information",
        file=source(filename="acme_widget-5.0.tar.bz2"),
    ),
    "an egg": Row(
        line="400 Invalid value for filetype. Error: Use a known file type.",
        file=renamed(GOOD, "acme_widget-5.0-py3.11.egg"),
        form={"filetype": "bdist_egg", "pyversion": "3.11"},
        alone="twine sends no egg; `inspect` says what the index would say of its name",
        verdict="refuse",
    ),
    "filetype sdist for a .whl": Row(
        line="400 Invalid file extension: Extension .whl is invalid for filetype sdist. "
        "See https://www.python.org/dev/peps/pep-0527 for more information.",
        file=GOOD,
        form={"filetype": "sdist", "pyversion": "source"},
        alone=FORM,
    ),
    "filetype bdist_wheel without pyversion": Row(
        line="400 Invalid value for pyversion. Error: Python version is required for binary distribution uploads.",
        file=GOOD,
        form={"pyversion": None},
        alone=FORM,
    ),
    "filename with a slash": Row(
        line=r"400 Cannot upload a file with '/' or '\' in the name.",
        file=GOOD,
        sent={"filename": f"dist/{GOOD.name}"},
        alone=FORM,
    ),
    "content of type image/png": Row(
        line="400 Invalid distribution file.", file=GOOD, sent={"content_type": "image/png"}, alone=FORM
    ),
    "wheel of 101 MiB (the default limit is 100 MB)": Row(
        line=f"400 File too large. Limit for project 'acme-widget' is 100 MB. {STORAGE}-file-size-limit-increase "
        "for more information.",
        file=File(name=GOOD.name, make=large),
    ),
    "project that has used its 10 GB": Row(
        line="400 Project size too large. Limit for project 'acme-widget' total size is 10 GB. "
        f"{STORAGE}-project-size-limit-increase",
        file=GOOD,
        before=filled,
    ),
    "attestations with an API token": Row(
        line="400 Invalid attestations supplied during upload: Attestations are only supported when using Trusted "
        "Publishing",
        file=GOOD,
        form={"attestations": "[]"},
        alone=FORM,
    ),
    "gpg_signature field sent as text": Row(line=OK, file=GOOD, form={"gpg_signature": "x"}),
}

PROBES: dict[str, Row] = {
    "only :action=file_upload (multipart)": Row(line=NO_NAME, file=GOOD, ask=bare(), alone=PROBE),
    "only :action=file_upload (urlencoded)": Row(line=NO_NAME, file=GOOD, ask=urlencoded, alone=PROBE),
    "only :action and protocol_version=1": Row(line=NO_NAME, file=GOOD, ask=bare(protocol_version="1"), alone=PROBE),
    "only :action, project-scoped token": Row(line=NO_NAME, file=GOOD, ask=bare("widget"), alone=PROBE),
    "only :action, expired token": Row(line=NO_NAME, file=GOOD, ask=bare("expired"), alone=PROBE),
    "only :action, bob (unverified)": Row(line=NO_NAME, file=GOOD, ask=bare("bob"), alone=PROBE),
    "only :action, carol (no 2FA)": Row(line=NO_NAME, file=GOOD, ask=bare("carol"), alone=PROBE),
    "only :action, forged signature": Row(line=NO_NAME, file=GOOD, ask=bare("forged"), alone=PROBE),
    "no :action": Row(line="405 Method Not Allowed", file=GOOD, form={":action": None}, alone=FORM),
    ":action=upload_file (unknown)": Row(
        line="405 Method Not Allowed", file=GOOD, form={":action": "upload_file"}, alone=FORM
    ),
    ":action=submit": Row(
        line="410 Project pre-registration is no longer required or supported, upload your files instead.",
        file=GOOD,
        form={":action": "submit"},
        alone=FORM,
    ),
    ":action=doc_upload": Row(
        line="410 Uploading documentation is no longer supported, we recommend using https://readthedocs.org/.",
        file=GOOD,
        form={":action": "doc_upload"},
        alone=FORM,
    ),
    "protocol_version=2": Row(
        line="400 Unknown protocol version.", file=GOOD, form={"protocol_version": "2"}, alone=FORM
    ),
    "no filetype": Row(
        line="400 Invalid value for filetype. Error: This field is required.",
        file=GOOD,
        form={"filetype": None, "pyversion": None},
        alone=FORM,
    ),
    "POST /legacy/ multipart, body cut short of its boundary": Row(
        line=NOT_HEX.format("blake2_256_digest", "BLAKE2"), file=GOOD, ask=cut_short, alone=FORM
    ),
}

SECTION_6: dict[str, Row] = {
    "name, filetype and digest but no metadata_version/version": Row(
        line=NO_METADATA_VERSION,
        file=GOOD,
        form={"metadata_version": None, "version": None},
        alone="twine finds no metadata in a file that does not name its version",
    ),
    "no metadata_version": Row(
        line=NO_METADATA_VERSION,
        file=widget(Metadata_Version=None),
        form={"metadata_version": None},
        alone="twine finds no metadata in a file that does not name its version",
        verdict="refuse",
    ),
    "metadata_version 9.9": Row(
        line=core("'9.9' is not a valid metadata version."), file=widget(Metadata_Version="9.9")
    ),
    "metadata_version 2.5": Row(line=OK, file=widget(Metadata_Version="2.5")),
    "metadata_version 2.6": Row(
        line=core("'2.6' is not a valid metadata version."), file=widget(Metadata_Version="2.6")
    ),
    "no name": Row(line=NO_NAME, file=widget(Name=None)),
    "no version": Row(line=core("'version' is a required field."), file=widget(Version=None)),
    "name given twice": Row(
        line=core("'name' has invalid data."),
        file=widget(Name=["acme-widget", "acme-widget"]),
        form={"name": ["acme-widget", "acme-widget"]},
        alone=TWICE,
        verdict="refuse",
    ),
    "name '-bad-'": Row(line=bad_name("-bad-"), file=widget(Name="-bad-")),
    "name 'a b'": Row(
        line=bad_name("a b"), file=widget(Name="a b"), form={"name": "a b"}, alone=SPELLED, verdict="refuse"
    ),
    "name with a letter beyond ASCII": Row(
        line=bad_name("acm\xe9"),
        file=widget(Name="acm\xe9"),
        form={"name": "acm\xe9"},
        alone=SPELLED,
        verdict="refuse",
    ),
    "name with a character beyond Latin-1": Row(
        line=bad_name("acme-?"),
        file=widget(Name="acme-\u4e2d"),
        form={"name": "acme-\u4e2d"},
        alone=SPELLED,
        verdict="refuse",
    ),
    "name too similar: acmewidget": Row(line=similar("acmewidget"), file=widget(name="acmewidget")),
    "name too similar: acme-w1dget": Row(line=similar("acme-w1dget"), file=widget(name="acme-w1dget")),
    "prohibited name: acme-prohibited": Row(
        line=see("The name 'acme-prohibited' isn't allowed.", "project-name"),
        file=widget(name="acme-prohibited"),
        alone=PROHIBITED,
    ),
    "prohibited name: requirements-txt": Row(
        line=see("The name 'requirements-txt' isn't allowed.", "project-name"), file=widget(name="requirements-txt")
    ),
    "stdlib name: json": Row(line=standard("json"), file=widget(name="json")),
    "stdlib name: asyncio": Row(line=standard("asyncio"), file=widget(name="asyncio")),
    "invalid version '1.0-foo-bar'": Row(
        line=core("'1.0-foo-bar' is invalid for 'version'."), file=widget(said="1.0-foo-bar")
    ),
    "invalid version 'abc'": Row(line=core("'abc' is invalid for 'version'."), file=widget(said="abc")),
    "empty version": Row(line=core("'version' is a required field."), file=widget(Version="")),
    "version with a trailing space '6.0 '": Row(line=OK, file=widget("6.0", said="6.0 ")),
    "local version 6.0+local": Row(
        line="400 The use of local versions in '6.0+local' is not allowed. See https://packaging.python.org/en/latest/"
        "specifications/version-specifiers/#local-version-identifiers for more information.",
        file=widget("6.0+local"),
    ),
    "dev version 6.0.dev1": Row(line=OK, file=widget("6.0.dev1")),
    "invalid classifier": Row(
        line=core("'Foo :: Bar' is not a valid classifier."), file=widget(Classifier="Foo :: Bar")
    ),
    "two invalid classifiers": Row(
        line=core("'Foo :: Bar' is not a valid classifier."), file=widget(Classifier=["Foo :: Baz", "Foo :: Bar"])
    ),
    "deprecated classifier (Natural Language :: Ukranian)": Row(
        line=core(
            "The classifier 'Natural Language :: Ukranian' has been deprecated, use one of "
            "['Natural Language :: Ukrainian'] instead."
        ),
        file=widget(Classifier="Natural Language :: Ukranian"),
    ),
    "deprecated classifier (Topic :: Communications :: Chat :: AOL Instant Messenger)": Row(
        line=core("The classifier 'Topic :: Communications :: Chat :: AOL Instant Messenger' has been deprecated."),
        file=widget(Classifier="Topic :: Communications :: Chat :: AOL Instant Messenger"),
    ),
    "'Private :: Do Not Upload'": Row(
        line=core("'Private :: Do Not Upload' is not a valid classifier."),
        file=widget(Classifier="Private :: Do Not Upload"),
    ),
    "direct dependency": Row(
        line=core("Can't have direct dependency: foo @ https://example.org/foo.zip."),
        file=widget(Requires_Dist="foo @ https://example.org/foo.zip"),
    ),
    "invalid requires_dist": Row(
        line=core("'foo ==' is invalid for 'requires-dist'."), file=widget(Requires_Dist="foo ==")
    ),
    "invalid requires_python": Row(
        line=core("'three' is invalid for 'requires-python'."), file=widget(Requires_Python="three")
    ),
    "invalid home_page": Row(line=core("'not a url' is not a valid url."), file=widget(Home_page="not a url")),
    "invalid project_urls": Row(line=core("Must have a URL."), file=widget(Project_URL="Homepage")),
    "invalid author_email": Row(
        line=core("'not-an-email' is not a valid email address: An email address must have an @-sign."),
        file=widget(Author_email="not-an-email"),
    ),
    "summary of 513 characters": Row(
        line=core("'summary' field must be 512 characters or less."), file=widget(Summary="a" * 513)
    ),
    "summary of two lines": Row(line=core("'summary' must be a single line."), file=widget(Summary="one\n        two")),
    "RST description that does not render": Row(
        line=see(
            "The description failed to render in the default format of reStructuredText.", "description-content-type"
        ),
        file=widget(body=BROKEN_RST),
    ),
    "same with content type text/x-rst": Row(
        line=see("The description failed to render for 'text/x-rst'.", "description-content-type"),
        file=widget(body=BROKEN_RST, Description_Content_Type="text/x-rst"),
    ),
    "description_content_type text/foo": Row(
        line=core(
            "'description-content-type' must be one of ['text/plain', 'text/markdown', 'text/x-rst'], not 'text/foo'."
        ),
        file=widget(Description_Content_Type="text/foo"),
    ),
    "license_expression invalid": Row(
        line=core("'NotALicense' is invalid for 'license-expression'."), file=widget(License_Expression="NotALicense")
    ),
    "license_expression with a License :: classifier": Row(
        line=OK, file=widget(License_Expression="MIT", Classifier="License :: OSI Approved :: MIT License")
    ),
    "license_file that is not in the wheel": Row(
        line="400 License-File LICENSE does not exist in distribution file acme_widget-6.4-py3-none-any.whl at "
        "acme_widget-6.4.dist-info/licenses/LICENSE",
        file=widget("6.4", License_File="LICENSE"),
    ),
}

JSON = {"accept": "application/json"}
SECTION_7: dict[str, Row] = {
    "duplicate, other content, Accept: application/json": Row(
        line=exists(WHEEL_1.name), file=widget("1.0", Summary="Another."), before=uploaded(WHEEL_1), sent=JSON
    ),
    "accepted upload, Accept: application/json": Row(line=OK, file=GOOD, sent=JSON),
    "duplicate, same content, Accept: application/json": Row(
        line=OK, file=WHEEL_1, before=uploaded(WHEEL_1), sent=JSON
    ),
    "bad name, Accept: application/json": Row(line=bad_name("-bad-"), file=widget(Name="-bad-"), sent=JSON),
}

SECTION_12: dict[str, Row] = {
    "identical duplicate + wrong digest sent": Row(
        line=NO_DIGEST, file=WHEEL_1, form={"sha256_digest": ZEROS}, before=uploaded(WHEEL_1), alone=FORM
    ),
    "existing filename + content that is not a zip": Row(
        line=exists("acme_widget-40.0-py3-none-any.whl"),
        file=raw(b"no zip", "acme_widget-40.0-py3-none-any.whl"),
        before=uploaded(widget("40.0")),
        form={"version": "40.0"},
    ),
    "description that does not render + wrong digest": Row(
        line=see(
            "The description failed to render in the default format of reStructuredText.", "description-content-type"
        ),
        file=widget(body=BROKEN_RST),
        form={"sha256_digest": ZEROS},
    ),
    "not a zip + attestations with an API token": Row(
        line=broken("File is not a zipfile"), file=raw(b"no zip"), form={"attestations": "[]"}
    ),
}

ROWS: dict[str, Row] = SECTION_1 | SECTION_4 | SECTION_5 | PROBES | SECTION_6 | SECTION_7 | SECTION_12
