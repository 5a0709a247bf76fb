"""Failures after the upload: what installers see, and what cannot be undone."""

from __future__ import annotations

from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="post.index-lag",
        title="the index has the release but does not show it everywhere yet",
        explanation="The pages that installers read are cached in many places, some for more than ten minutes. The "
        "upload succeeded.",
        symptoms=(shared_phrases.NOT_FOUND_YET, "ERROR: No matching distribution found for {requirement}"),
        also=("Because there is no version of",),
        remedy="wait up to half an hour and try again: pip install --no-cache-dir {project}=={version}; do not upload "
        "again",
        detect="network",
        weight="high",
        sources=(
            "SocketDev/socket-python-cli#290",
            "pypi/warehouse#9572",
            "pypi/warehouse#12272",
            "pypi/warehouse#14569",
        ),
    ),
    Diagnosis(
        id="post.representation-skew",
        title="two forms of the same index page differ",
        explanation="The HTML and the JSON form of the simple API are cached separately, and pip itself caches pages "
        "for ten minutes.",
        also=(shared_phrases.NOT_FOUND_YET,),
        shows="a browser shows the version, but pip does not find it",
        remedy="run pip install --no-cache-dir {project}=={version}, and check the form that pip reads: curl -H "
        "'Accept: application/vnd.pypi.simple.v1+json' {site}/simple/{project}/",
        detect="network",
        sources=("PEP 691", "pypa/pip#12960", "protocolbuffers/protobuf#4089"),
    ),
    Diagnosis(
        id="post.testpypi-deps",
        title="pip looks for the dependencies on TestPyPI",
        explanation="TestPyPI lacks most projects, and anyone can upload anything there under their names. An extra "
        "index allows both at once.",
        also=(shared_phrases.NOT_FOUND_YET,),
        shows="the release installs from PyPI but not from TestPyPI, or installs unexpected dependencies",
        remedy="install the dependencies from PyPI first, then only the project from TestPyPI: pip install --no-deps "
        "--index-url https://test.pypi.org/simple/ {project}=={version}; never use --extra-index-url for it",
        detect="network",
        weight="high",
        sources=(
            "pypa/packaging.python.org#559",
            "pypa/packaging.python.org#1500",
            "pypa/packaging-problems#725",
            "pypa/pip#11810",
        ),
    ),
    Diagnosis(
        id="post.hash-mismatch",
        title="the file on the index is not the one that was built here",
        explanation="It was built again between two uploads, or another run uploaded it first.",
        symptoms=("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "but hash does not match"),
        remedy="do not announce the release: find out who uploaded {file}, yank it at "
        "{site}/manage/project/{project}/releases/, and release a new version",
        detect="network",
        weight="low",
        sources=("astral-sh/uv: uv-publish, HashMismatch",),
    ),
    Diagnosis(
        id="post.no-strong-hash",
        title="the index lists no hash that proves which bytes a file has",
        explanation="It lists none, only MD5, SHA-1 or SHA-224, or two SHA-256 that contradict each other. Other bytes "
        "with the same MD5 or SHA-1 can be made, and installers accept them.",
        shows="the link on the simple page ends with #md5=… or has no hash",
        remedy="compare the SHA-256 of the downloaded {file} with that of the file that was built; then have the index "
        "list SHA-256",
        detect="network",
        weight="low",
        sources=("PEP 503: a secure hash function", "PEP 691: hashes"),
    ),
    Diagnosis(
        id="post.import-broken",
        title="the release installs but does not work",
        explanation="The wheel lacks a package or its data, or the metadata lacks a dependency. The source tree has "
        "all of them, so tests there pass.",
        also=("ModuleNotFoundError: No module named '{module}'",),
        shows="import fails in a clean environment",
        remedy="test the wheel in a clean environment before every upload: pypi-preflight rehearse; then correct "
        "the packages or the dependencies, and bump the version",
        detect="after",
        sources=("packaging.python.org: Package discovery", "pyinvoke/invocations: release"),
    ),
    Diagnosis(
        id="post.tag-without-release",
        title="the tag is pushed, but the release does not exist",
        explanation="The tag was pushed before the upload, which was refused; or a tag was deleted after a successful "
        "upload, which leaves a release without a tag.",
        shows="the tag's version is not on the index",
        remedy="upload the files of the tagged commit: git switch --detach TAG, pypi-preflight publish; if that is not "
        "possible, leave the tag, and release the next version",
        detect="network",
        sources=("semantic-release/semantic-release: index.js", "sindresorhus/np: source/index.js"),
    ),
    Diagnosis(
        id="post.yank-vs-delete",
        title="a bad release was deleted instead of yanked",
        explanation="Deleting frees nothing: its file names cannot be used again, a project that is created again "
        "counts as a new one, and pinned installs break.",
        shows="the version can't be uploaded again",
        remedy="yank a bad release at {site}/manage/project/{project}/releases/ and release a higher version",
        detect="network",
        weight="low",
        sources=("PEP 592", "PyPI help: yanked, deletion", "pypi/warehouse#20164", "pypi/support#10640"),
    ),
    Diagnosis(
        id="post.first-file-metadata",
        title="the release shows the metadata of the file that came first",
        explanation="The index reads the description and the links of a release from its first file; it ignores those "
        "of later files.",
        shows="the project's page lacks what the wheel has",
        remedy="upload the wheel first; for a published release, bump the version",
        weight="low",
        sources=("PyPI documentation: Upload API, JSON API", "pyinvoke/invocations: release"),
    ),
)
