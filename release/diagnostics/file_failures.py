"""Versions and files, and the upload request: the type, name and bytes of the file, and the form."""

from __future__ import annotations

from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="file.exists-different",
        title="the index has another file of this name",
        explanation="The bytes of a file cannot be replaced. The version was built again, or was not bumped; the same "
        "bytes under another name are refused with the same message.",
        symptoms=(shared_phrases.FILE_EXISTS, shared_phrases.FILE_EXISTS_OLD),
        also=(shared_phrases.FILE_USED_OLD,),
        remedy="bump the version and build again, or upload the very files of the first build; never rebuild a version "
        "that is on the index",
        detect="network",
        weight="high",
        sources=("PyPI help: file-name-reuse", "python-zeroconf/python-zeroconf#1822", "pypi/warehouse#14812"),
    ),
    Diagnosis(
        id="file.partial-release",
        title="an earlier run uploaded some of the files",
        explanation="A job failed halfway, and its next run stops at the first file that is already there, because it "
        "was built again and has other bytes.",
        also=(shared_phrases.FILE_EXISTS, shared_phrases.FILE_EXISTS_OLD),
        shows="the index lists some of the release's files",
        remedy="keep the files of the first build and upload what is missing: pypi-preflight status shows which; if "
        "they are lost, bump the version",
        detect="network",
        weight="high",
        sources=("pypa/twine#63", "pypi/warehouse#6872", "pulp/plugin_template#143"),
    ),
    Diagnosis(
        id="file.name-reuse-deleted",
        title="the file's name was used before and deleted",
        explanation="A file name that was ever used on the index cannot be used again, even if the release or the "
        "project was deleted, or the project belonged to someone else. Nothing shows this before the upload.",
        symptoms=(
            "400 This filename was previously used by a file that has since been deleted",
            shared_phrases.FILE_USED_OLDER,
            shared_phrases.FILE_USED_OLD,
        ),
        remedy="bump the version, and build and upload all files of the new one",
        detect="after",
        sources=(
            "PyPI help: file-name-reuse",
            "pypi/warehouse#4985",
            "pypi/warehouse#4736",
            "pypi/warehouse#7713",
            "pypa/packaging-problems#189",
        ),
    ),
    Diagnosis(
        id="sdist.duplicate",
        title="the release already has an sdist",
        explanation="A release can have only one sdist: a .zip in addition to a .tar.gz, or the same with another "
        "spelling of the name, is one too many.",
        symptoms=("400 Only one sdist may be uploaded per release",),
        remedy="omit the second sdist: delete it from dist/ and upload the rest",
        sources=("PEP 527", "pypi/warehouse#15824", "pypa/gh-action-pypi-publish#282"),
    ),
    Diagnosis(
        id="dist.stale",
        title="dist/ contains files of other versions, or files that are not distributions",
        explanation="dist/* matches everything that earlier builds left there, and an upload stops at the first of "
        "these files.",
        symptoms=(
            "Unknown distribution format: '{file}'",
            "Unknown distribution file type: {file}",
            "Caused by: unknown distribution type",
        ),
        also=(shared_phrases.FILE_EXISTS,),
        shows="files of several versions in one upload",
        remedy="empty dist/ before building: rm -rf dist, then python -m build",
        weight="high",
        sources=("pypi/warehouse#6872",),
    ),
    Diagnosis(
        id="dist.missing",
        title="there is nothing to upload",
        explanation="The build did not run, wrote its files elsewhere, or they did not reach this job.",
        symptoms=(
            "Cannot find file (or expand pattern)",
            "error: No files found to publish",
            "No artifacts found",
            "No files to publish. Run poetry build first or use the --build option",
            "Warning: No files given, exiting",
            shared_phrases.NO_DISTRIBUTIONS,
        ),
        remedy="build first: python -m build; in CI, pass dist/ from the job that builds to the job that uploads",
        sources=("twine 7.0.0: commands", "pypa/gh-action-pypi-publish: twine-upload.sh"),
    ),
    Diagnosis(
        id="version.local",
        title="the version has a local part",
        explanation="setuptools-scm and others append +gabc1234 or a date if the commit is not tagged, the tree is not "
        "clean, or the clone has no tags. Indexes refuse such versions. PyPI named them as <Version('…')> in "
        "March 2025, and in plain form in August 2026.",
        symptoms=(
            "400 The use of local versions in '{version}' is not allowed",
            "400 The use of local versions in <Version('{version}')> is not allowed",
            "400 Can't use PEP 440 local versions",
        ),
        remedy="tag the commit and build from a clean clone: git status --short, git tag v1.2.3; in CI, check out with "
        "fetch-depth: 0",
        weight="high",
        sources=(
            "PEP 440: Local version identifiers",
            "pypa/setuptools-scm#217",
            "pypa/setuptools-scm#322",
            "pypa/setuptools-scm#342",
            "iterative/dvc#10720",
        ),
    ),
    Diagnosis(
        id="version.not-bumped",
        title="the version is already on the index",
        explanation="The version was not bumped since the last release, or the build read it from another place than "
        "the one that was changed.",
        also=(shared_phrases.FILE_EXISTS, shared_phrases.FILE_EXISTS_OLD),
        shows="the index lists {version} as released",
        remedy="bump the version where the build reads it, commit, and tag the commit",
        detect="network",
        sources=("PoonLab/sierra-local#120", "JRubics/poetry-publish#35"),
    ),
    Diagnosis(
        id="version.mismatch-tag",
        title="tag, metadata and file names have different versions",
        explanation="The tag has one version, but the build made another; or a file was renamed by hand.",
        symptoms=("400 Version in filename should be '{expected}' not '{version}'",),
        shows="the release has another version than its tag",
        remedy="release the tagged commit: git switch --detach TAG, then build again; or bump the version beyond the "
        "tag's, commit, and tag that commit",
        sources=("PEP 440", "pypi/warehouse: forklift/legacy.py"),
    ),
    Diagnosis(
        id="version.invalid",
        title="the version is not valid",
        explanation="It does not follow PEP 440, or the metadata has no version.",
        symptoms=(
            "400 '{version}' is invalid for 'version'",
            "400 'version' is a required field",
            "400 is an invalid value for Version. Error:",
        ),
        remedy="write a version such as 1.2.3, 1.2.3rc1 or 1.2.3.post1 under [project] in pyproject.toml",
        weight="low",
        sources=("PEP 440",),
    ),
    Diagnosis(
        id="wheel.platform-tag",
        title="the wheel has a platform tag that the index refuses",
        explanation="linux_x86_64 says nothing about the libraries that a wheel needs; PyPI requires manylinux or "
        "musllinux tags, which auditwheel sets after checking the wheel. macOS tags from 11 on have the minor version "
        "0.",
        symptoms=("400 Binary wheel '{file}' has an unsupported platform tag '{tag}'",),
        remedy="build with cibuildwheel; or repair a wheel for Linux: auditwheel repair {file}; or set "
        "MACOSX_DEPLOYMENT_TARGET to a whole version, such as 13.0, and build again; a project without compiled code "
        "needs a py3-none-any wheel; pypi-preflight inspect {file} shows the remedy for its tag",
        weight="high",
        sources=("PEP 600", "PEP 656", "pypa/twine#1006", "pypa/twine#1176", "sunpy/sunpy#6042"),
    ),
    Diagnosis(
        id="wheel.zip-invalid",
        title="the wheel is not a valid ZIP archive, or lacks required files",
        explanation="PyPI refuses archives that two programs could read differently, because of duplicate names, bytes "
        "after the end or wrong sizes, and wheels without METADATA, RECORD or WHEEL.",
        symptoms=(
            "400 ZIP archive not accepted: {reason}",
            "400 Invalid distribution file. File is not a zipfile",
            "400 Invalid distribution file. WHEEL not found at {path}",
            "400 Invalid distribution file. Unable to parse name and version from wheel filename",
            "400 Invalid distribution file. File exceeds compression ratio",
            "400 Invalid distribution file. File does not use a supported compression type",
            "400 Invalid distribution file. File is both a zip and a tar file",
            "400 Wheel '{file}' does not contain the required {member} file",
            "400 Wheel '{file}' has invalid entry points",
            "BadZipFile: File is not a zip file",
            "Failed to read from zip file",
            "invalid Zip archive",
            "File is not a zip file",
            "InvalidDistribution: Invalid distribution file: '{file}'",
            "InvalidDistribution: No METADATA in archive",
        ),
        remedy="build the wheel again with an unchanged backend, and do not modify it afterwards; python -m zipfile -t "
        "{file} tests it; see https://docs.pypi.org/archives/",
        sources=(
            "PyPI blog 2025-08-07: wheel archive confusion attacks",
            "pypi/warehouse#19746",
            "pypi/warehouse#18848",
            "pypi/warehouse#17111",
        ),
    ),
    Diagnosis(
        id="sdist.structure",
        title="the sdist does not have the required structure",
        explanation="An sdist is a gzipped tar archive from its first byte to its last, with a single top-level "
        "directory that contains PKG-INFO, and without sparse members.",
        symptoms=(
            "400 Invalid distribution file. PKG-INFO not found at {path}",
            "400 Invalid distribution file. Incorrect number of top-level directories in sdist",
            "400 Invalid distribution file. File is not a tarfile",
            "400 Invalid distribution file. tar archive not accepted",
            "400 Invalid distribution file. None",
        ),
        remedy="build it with a build backend, not with tar: python -m build --sdist",
        weight="low",
        sources=("PEP 517", "PEP 643", "pypi/warehouse: forklift/legacy.py"),
    ),
    Diagnosis(
        id="size.file",
        title="the file is larger than the index accepts",
        explanation="The limit is 100 MiB per file, unless the project was granted more.",
        symptoms=(
            "400 File too large. Limit for project '{project}' is {limit} MB",
            "400 File too large.",
            "413 Request Entity Too Large",
            "413 Content Too Large",
            "413 Payload Too Large",
        ),
        remedy="leave out what is not needed (tests, data, debug symbols: strip --strip-debug), or request a higher "
        "limit: https://docs.pypi.org/project-management/storage-limits",
        sources=("PyPI documentation: Storage limits", "pypi/warehouse#6872"),
    ),
    Diagnosis(
        id="size.project",
        title="the files of the project are larger in total than the index accepts",
        explanation="The limit is 10 GiB per project, unless it was granted more. All files of all releases count, "
        "including yanked ones.",
        symptoms=("400 Project size too large. Limit for project '{project}' total size is {limit} GB",),
        remedy="delete old pre-releases at {site}/manage/project/{project}/releases/, or request a higher limit: "
        "https://docs.pypi.org/project-management/storage-limits",
        detect="network",
        sources=("PyPI documentation: Storage limits",),
    ),
)

UPLOAD_DIAGNOSES = (
    Diagnosis(
        id="file.type",
        title="the file is of a type that the index does not accept",
        explanation="Only wheels and .tar.gz sdists are accepted: eggs, .exe, .rpm and .tar.bz2 are refused, and a "
        ".zip sdist fails the check of its name.",
        symptoms=("400 Invalid file extension", "400 Invalid value for filetype. Error: Use a known file type"),
        remedy="upload the files that python -m build makes, and delete {file} from dist/",
        weight="low",
        sources=("PEP 527", "PEP 715", "PyPI blog 2023-06-26: deprecate egg uploads"),
    ),
    Diagnosis(
        id="file.name-invalid",
        title="the file's name can't be parsed",
        explanation="The name of a wheel has five or six parts and that of an sdist two, without slashes or invisible "
        "characters.",
        symptoms=(
            "400 Invalid wheel filename",
            "400 Invalid source distribution filename",
            "400 Cannot upload a file with",
            "400 Filename is too long",
        ),
        remedy="build it again and keep the name that the build backend gives it",
        weight="low",
        sources=("PEP 427", "PEP 625"),
    ),
    Diagnosis(
        id="file.digest-mismatch",
        title="the index received other bytes than announced",
        explanation="The file changed while it was sent, or was changed on its way.",
        symptoms=("400 The digest supplied does not match a digest calculated from the uploaded file",),
        remedy="make sure that nothing writes to dist/ during the upload, and run it again; if the problem persists, "
        "upload from another network",
        detect="after",
        weight="low",
        sources=("pypi/warehouse: forklift/legacy.py",),
    ),
    Diagnosis(
        id="file.content-forbidden",
        title="the file contains encrypted code",
        explanation="PyPI refuses files that were obfuscated with PyArmor or SourceDefender.",
        symptoms=("400 Invalid distribution file. {tool}-encrypted content is not allowed",),
        remedy="publish readable code, or distribute the project elsewhere; see {site}/policy/acceptable-use-policy/",
        weight="low",
        sources=("PyPI Acceptable Use Policy", "pypi/warehouse: utils/scanner.py"),
    ),
    Diagnosis(
        id="upload.malformed",
        title="the uploader's request is not what the index expects",
        explanation="A form field is missing, duplicated or malformed: the fault of a home-made or very old uploader, "
        "or of a proxy that changed the request.",
        symptoms=(
            "400 Invalid value for {field}. Error: Use a valid, hex-encoded",
            "400 Invalid value for pyversion. Error",
            "400 Invalid value for filetype. Error: This field is required",
            "400 '' is an invalid value for Name. Error: This field is required",
            "400 None is not a valid metadata version",
            "400 Error: Include at least one message digest",
            "400 Upload payload does not have a file",
            "400 Unknown protocol version",
            "400 Should not be a tuple",
            "410 Project pre-registration is no longer required or supported",
            "410 Uploading documentation is no longer supported",
            "431 Request Header Fields Too Large",
        ),
        also=("400 Invalid distribution file.",),
        remedy="upload with a current tool: pip install --upgrade twine, then twine upload dist/*",
        detect="after",
        weight="low",
        sources=("PyPI documentation: Upload API", "pypi/warehouse: forklift/forms.py"),
    ),
)
