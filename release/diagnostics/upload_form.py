"""The upload request: the type, name and bytes of the file, and the form."""

from __future__ import annotations

from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="file.type",
        title="the file is of a type that the index does not accept",
        explanation="Only wheels and .tar.gz sdists are accepted: eggs, .exe, .rpm and .tar.bz2 are refused, and a "
        ".zip sdist fails the check of its name.",
        symptoms=("400 Invalid file extension", "400 Invalid value for filetype. Error: Use a known file type"),
        remedy="upload the files that python -m build makes, and delete {file} from dist/",
        detect="offline",
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
        detect="offline",
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
        detect="offline",
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
