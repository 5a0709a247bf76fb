"""An upload, a rule of the index, and the refusal of an upload by a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import replace
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from release.acceptance.open_distribution import OpenDistribution
from release.core.models.index import USER_DOCS, IndexContents

SPECIFICATIONS = "https://packaging.python.org/en/latest/specifications"
CORE_METADATA = f"{SPECIFICATIONS}/core-metadata/"
WHEELS = f"{SPECIFICATIONS}/binary-distribution-format/"
SDISTS = f"{SPECIFICATIONS}/source-distribution-format/"
ARCHIVES = f"{USER_DOCS}/archives"

# the checks that report refusals, by public name; `checks/distributions` gives their titles
METADATA = "the-index-takes-the-metadata"
NEW_NAMES = "the-index-takes-the-name"
DESCRIPTIONS = "the-description-renders"
FILE_NAMES = "the-file-names-are-right"
SIZES = "the-index-has-room"
NEW_FILES = "the-files-are-new-to-the-index"
ARCHIVE_CHECK = "the-archives-are-sound"

# remedies that several rules share
REBUILD = "rebuild the files: python -m build"
NORMALIZE = "build with a current backend, which writes normalized names (setuptools>=69.3): python -m build"
LICENSE_FILE = "list the file in project.license-files and rebuild, or remove the entry"

#: response of a server that failed
SERVER_ERROR = "Internal Server Error"


class Advice(Struct, frozen=True, kw_only=True):
    """What a maintainer needs besides the index's own message."""

    #: public name of the check that reports the refusal
    check: str
    #: imperative
    remedy: str
    #: id in the catalog of known failures
    cause: str | None = None
    #: document that the rule rests on
    source: str | None = None


class Refusal(Struct, frozen=True, kw_only=True):
    """The index's response to an upload that it rejects."""

    #: public name of the rule, written like a check's: "the-name-is-valid"; a rule fills it in
    rule: str = ""
    #: HTTP status
    status: int = 400
    #: the server's message, as in the reason phrase, with the help address
    text: str
    #: our message, where the server's does not say what is wrong; never sent
    message: str = ""
    #: None for refusals that only the sandbox gives
    advice: Advice | None = None


def server_error(message: str = "the index's server fails on this file") -> Refusal:
    """The server itself fails, and responds with nothing but an internal error."""
    return Refusal(status=500, text=SERVER_ERROR, message=message)


class FileUpload(Struct, frozen=True, kw_only=True, dict=True):
    """One POST to the upload endpoint, as far as the rules need it."""

    #: every form field except `content`, with its values in order
    fields: Mapping[str, tuple[str, ...]]
    #: the content part; its content is None where the form has no such part
    file: OpenDistribution = field(default_factory=lambda: OpenDistribution("", None))
    #: Content-Type of the content part
    content_type: str | None = "application/octet-stream"
    #: scheme and host of the index's site, for help addresses in its messages
    site: str = ""
    #: renders reStructuredText as `rst_rendering.render_rst` does; None: that function
    render_rst: Callable[[str], tuple[str, str | None]] | None = None

    @property
    def filename(self) -> str:
        """The name in the content part, as sent."""
        return self.file.filename

    def help(self, anchor: str) -> str:
        """The index's help page, at an anchor."""
        return f"{self.site}/help/#{anchor}"

    @cached_property
    def cleaned(self) -> Mapping[str, tuple[str, ...]]:
        r"""The fields as the index reads them: without those whose last value is `UNKNOWN`, NUL spelled `\x00`.

        distutils sent `UNKNOWN` for an unknown field. A last value with NUL replaces all others.
        Source: warehouse, `forklift/decorators.py`.
        """
        return {
            name: (values[-1].replace("\0", "\\x00"),) if "\0" in values[-1] else values
            for name, values in self.fields.items()
            if values and values[-1].strip() != "UNKNOWN"
        }

    def value(self, name: str) -> str:
        """The first value of a cleaned field; empty where the field is absent."""
        return self.cleaned.get(name, ("",))[0]

    @property
    def project(self) -> NormalizedName:
        """Normalized name of the project that the file is for."""
        return canonicalize_name(self.value("name"))

    @property
    def file_name_stem(self) -> str:
        """The project's name as file names start with it: normalized, with underscores."""
        return self.project.replace("-", "_")

    @property
    def version(self) -> Version | None:
        """The version in the form; None where it is not valid."""
        try:
            return Version(self.value("version"))
        except ValueError:  # InvalidVersion, or more digits than Python reads
            return None

    @property
    def is_sdist(self) -> bool:
        return self.value("filetype") == "sdist"

    @property
    def is_wheel(self) -> bool:
        return self.filename.endswith(".whl") and not self.is_sdist


#: a rule's decision: None accepts the upload, a text is the server's message of a refusal with status 400
Decide = Callable[[FileUpload, IndexContents], Refusal | str | None]


class Rule(Struct, frozen=True, kw_only=True):
    """A rule of the index with a public name, and the advice that goes with its refusals."""

    name: str
    decide: Decide
    advice: Advice

    def __call__(self, upload: FileUpload, index: IndexContents) -> Refusal | None:
        decision = self.decide(upload, index)
        if decision is None:
            return None
        refusal = Refusal(text=decision) if isinstance(decision, str) else decision
        return replace(refusal, rule=self.name, advice=refusal.advice or self.advice)


class Rules(list[Rule]):
    """Rules in the order in which the index applies them, which is the order of their definition."""

    def __init__(self, check: str) -> None:
        super().__init__()
        #: public name of the check that reports the rules which do not name another
        self._check = check

    def rule(
        self, *, remedy: str, check: str | None = None, cause: str | None = None, source: str | None = None
    ) -> Callable[[Decide], Rule]:
        """Make a rule of a function; its name, with hyphens, is the rule's public name."""
        advice = Advice(check=check or self._check, remedy=remedy, cause=cause, source=source)

        def add(decide: Decide) -> Rule:
            self.append(Rule(name=decide.__name__.replace("_", "-"), decide=decide, advice=advice))
            return self[-1]

        return add


def first_refusal(rules: Iterable[Rule], upload: FileUpload, index: IndexContents) -> Refusal | None:
    """The server's response: that of the first rule that refuses the upload."""
    return next((refusal for rule in rules if (refusal := rule(upload, index)) is not None), None)
