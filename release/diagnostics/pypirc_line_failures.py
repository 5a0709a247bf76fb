"""Lines of `.pypirc` with a token that no upload tool reads."""

from __future__ import annotations

from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="pypirc.section-misspelled",
        title="the token is in a section of .pypirc with another name than the index",
        explanation='Quotes and blanks inside the brackets belong to a section\'s name, so ["pypi"] and [ pypi ] are '
        "not [pypi]; and a token under [distutils], or under the name of another index, is not read either.",
        also=(shared_phrases.MISSING_SECTION, shared_phrases.CREDENTIAL_NOT_FOUND),
        shows="as if the section were not there",
        remedy="write the heading of the section in ~/.pypirc as [{index}]",
        sources=(
            "packaging.python.org: The .pypirc file",
            "Python documentation: configparser, supported file structure",
        ),
    ),
    Diagnosis(
        id="pypirc.key-misspelled",
        title="a key of .pypirc is mistyped",
        explanation="Upload tools read username, password and repository; other keys, such as token, are ignored "
        "without a message.",
        also=(shared_phrases.CREDENTIAL_NOT_FOUND,),
        shows="as if there were no token",
        remedy="write the key of the token in ~/.pypirc as password",
        sources=("packaging.python.org: The .pypirc file", "twine 7.0.0: utils.get_config"),
    ),
    Diagnosis(
        id="pypirc.indented",
        title="a line of .pypirc is indented, so it continues the line above",
        explanation="A line that is indented deeper than the key above it belongs to the value of that key: an "
        "indented password becomes a part of the username, and an indented heading starts no section.",
        also=(shared_phrases.CREDENTIAL_NOT_FOUND, shared_phrases.MISSING_SECTION),
        shows="as if the line were not there",
        remedy="remove the blanks at the beginning of the lines of ~/.pypirc, except below index-servers",
        sources=("Python documentation: configparser, supported file structure",),
    ),
    Diagnosis(
        id="pypirc.commented-out",
        title="the line of .pypirc with the token is a comment",
        explanation="Lines that begin with # or ; are not read.",
        also=(shared_phrases.CREDENTIAL_NOT_FOUND,),
        shows="as if the line were not there",
        remedy="remove the # or ; before the password in ~/.pypirc",
        weight="low",
        sources=("Python documentation: configparser, supported file structure",),
    ),
)
