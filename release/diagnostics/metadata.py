"""Metadata, description, license, and secrets in the files."""

from __future__ import annotations

from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="meta.tool-too-old",
        title="uploader and build backend use different metadata versions",
        explanation="Backends write newer metadata than an old twine can read (2.4 needs twine 6.1, 2.5 twine 7), "
        "which it reports as missing fields; or an old uploader announces a version that does not have the fields it "
        "sends.",
        symptoms=(
            "InvalidDistribution: Metadata is missing required fields: {fields}",
            "InvalidDistribution: Invalid distribution metadata: unrecognized or malformed field '{field}'",
            "400 '{version}' is not a valid metadata version",
            "400 '{version}' is an invalid value for Metadata-Version. Error: Use a known metadata version",
            "400 {field} introduced in metadata version {needed}, not {declared}.",
            "introduced in metadata version {needed}, not {declared}",
        ),
        also=(shared_phrases.CORE_METADATA_INVALID,),
        remedy="upgrade the uploader: pip install --upgrade twine packaging (or hatch, flit, poetry, pdm); if that is "
        "not possible, build with an older backend; if the field is license-file, upgrade the build backend "
        "(setuptools>=77) and build again, or upload with twine, which does not send the field",
        weight="high",
        sources=(
            "twine changelog: 6.1.0, 7.0.0",
            "pypi/warehouse#15611",
            "pypi/warehouse#19244",
            "pypa/hatch#1786",
            "lean-dojo/LeanDojo#214",
        ),
    ),
    Diagnosis(
        id="meta.description-render",
        title="the description does not render",
        explanation="reStructuredText with any warning is refused, and a description without a content type is read as "
        "reStructuredText, even if it is Markdown.",
        symptoms=(
            "400 The description failed to render",
            "`long_description` has syntax errors in markup and would not be rendered",
        ),
        also=("`long_description_content_type` missing. defaulting to `text/x-rst`",),
        remedy='run twine check --strict dist/* and correct what it reports; set readme = "README.md" under [project], '
        "so that the content type follows the file extension",
        weight="high",
        sources=(
            "PyPI help: description-render-failure",
            "pypi/warehouse#5890",
            "pypi/warehouse#7509",
            "pypi/warehouse#3438",
            "pypa/twine#713",
        ),
    ),
    Diagnosis(
        id="meta.content-type-invalid",
        title="the description has a content type that the index does not know",
        explanation="text/plain, text/x-rst and text/markdown are known, with UTF-8 and with the Markdown variants GFM "
        "and CommonMark.",
        symptoms=(
            "400 is an invalid value for Description-Content-Type. Error:",
            "400 'description-content-type' must be one of",
            "variants for 'description-content-type' are",
        ),
        remedy='set it under [project]: readme = {file = "README.md", content-type = "text/markdown"}',
        weight="low",
        sources=("packaging.python.org: Core metadata, Description-Content-Type",),
    ),
    Diagnosis(
        id="meta.classifier-invalid",
        title="a classifier is not on the list",
        explanation="Classifiers are a fixed list. 'Private :: Do Not Upload' is not on it: it marks a project as "
        "never to be uploaded.",
        symptoms=(
            "400 '{classifier}' is not a valid classifier",
            "400 Invalid value for classifiers. Error:",
            "400 is an invalid value for Classifier. Error:",
        ),
        remedy="correct it under classifiers in pyproject.toml; the list is at {site}/classifiers/; remove a "
        "classifier that starts with 'Private ::' only if the project is to be public",
        sources=("PyPI help: trove-classifier", "pypa/trove-classifiers"),
    ),
    Diagnosis(
        id="meta.classifier-deprecated",
        title="a classifier is deprecated",
        explanation="It used to be on the list. The index names its successor, if there is one; License classifiers "
        "were replaced by license expressions.",
        symptoms=("400 The classifier '{classifier}' has been deprecated",),
        remedy="replace it in pyproject.toml with the one that the message names, or delete it",
        sources=("pypa/trove-classifiers", "PEP 639"),
    ),
    Diagnosis(
        id="meta.direct-dependency",
        title="a dependency is a direct URL reference",
        explanation="name @ https://… and name @ git+https://… are refused, in optional dependencies as well. twine "
        "check does not detect it.",
        symptoms=("400 Can't have direct dependency:",),
        remedy="depend on a released version of it, and keep the address in a requirements file or a dependency group",
        weight="high",
        sources=(
            "PEP 440: Direct references",
            "pypa/twine#726",
            "pypa/twine#430",
            "borgbackup/borg#9239",
            "jlowin/fastmcp#366",
        ),
    ),
    Diagnosis(
        id="meta.license-file-missing",
        title="a declared license file is not in the archive",
        explanation="With License-File in the metadata, the file must be in the top-level directory of the sdist and "
        "in dist-info/licenses of the wheel.",
        symptoms=("400 License-File {license} does not exist in distribution file {file} at {path}",),
        remedy='upgrade the build backend, and include the file: license-files = ["LICENSE*"] under [project]',
        sources=("PEP 639",),
    ),
    Diagnosis(
        id="meta.license-both",
        title="both License and License-Expression are given",
        explanation="The old free text and the new expression are mutually exclusive.",
        symptoms=("400 License is deprecated when License-Expression is present",),
        remedy='keep license = "MIT" (an SPDX expression) under [project], and delete the license table or text',
        weight="low",
        sources=("PEP 639",),
    ),
    Diagnosis(
        id="meta.license-invalid",
        title="the license expression or the path of a license file is not valid",
        explanation="The expression must consist of SPDX identifiers; paths must be relative, inside the project, and "
        "use slashes.",
        symptoms=(
            "400 '{license}' is invalid for 'license-expression'",
            "400 '{license}' is invalid for 'license-file'",
        ),
        remedy='write an SPDX expression such as "Apache-2.0" or "MIT OR BSD-3-Clause": https://spdx.org/licenses/',
        weight="low",
        sources=("PEP 639",),
    ),
    Diagnosis(
        id="meta.summary-long",
        title="the summary is too long",
        explanation="The summary is a single line of at most 512 characters; description contains a whole README.",
        symptoms=(
            "400 'summary' field must be 512 characters or less",
            "400 'summary' must be a single line",
            "400 is an invalid value for Summary. Error:",
        ),
        remedy="write one line as description under [project], and set the long text as readme",
        weight="low",
        sources=("packaging.python.org: Core metadata, Summary",),
    ),
    Diagnosis(
        id="meta.email-invalid",
        title="an email address in the metadata is not valid",
        explanation="The index checks the addresses of authors and maintainers, not only those of the account.",
        symptoms=("400 '{address}' is not a valid email address", "400 Error: Invalid email address"),
        remedy="correct email under authors or maintainers in pyproject.toml, or remove it and keep the name",
        weight="low",
        sources=("packaging.python.org: Core metadata, Author-email",),
    ),
    Diagnosis(
        id="meta.url-label",
        title="a project URL or its label is not valid",
        explanation="URLs are http or https; labels have 1 to 32 characters.",
        symptoms=(
            "400 '{url}' is not a valid url",
            "400 is an invalid value for Home-Page. Error:",
            "400 home_page: Invalid URI",
            "400 '{label}' must be 32 characters or less",
            "400 Must have a URL",
            "400 Must have a label",
        ),
        remedy="correct the entry under [project.urls] in pyproject.toml, or url in setup.cfg or setup.py: write an "
        "address that starts with https://, without quotation marks",
        weight="low",
        sources=("packaging.python.org: Core metadata, Project-URL",),
    ),
    Diagnosis(
        id="meta.dynamic-invalid",
        title="a field is declared dynamic that cannot be dynamic",
        explanation="Dynamic lists metadata fields other than name, version and metadata-version.",
        symptoms=("400 '{field}' is not a valid dynamic field", "400 '{field}' is not allowed as a dynamic field"),
        remedy="upgrade the build backend, which writes this field, and build again",
        weight="low",
        sources=("PEP 643",),
    ),
    Diagnosis(
        id="meta.requires-python-invalid",
        title="requires-python is not a version specifier",
        explanation="It is a list of version comparisons, not the name of a Python.",
        symptoms=(
            "400 '{value}' is invalid for 'requires-python'",
            "400 is an invalid value for Requires-Python. Error:",
        ),
        remedy='write it as requires-python = ">=3.11" under [project]',
        weight="low",
        sources=("PEP 345", "PEP 440: Version specifiers"),
    ),
    Diagnosis(
        id="meta.requires-dist-invalid",
        title="a dependency can't be parsed",
        explanation="A requirement does not follow PEP 508; older backends do not check it.",
        symptoms=(
            "400 '{requirement}' is invalid for 'requires-dist'",
            "400 is an invalid value for Requires-Dist. Error:",
        ),
        remedy='correct it under dependencies or optional-dependencies in pyproject.toml, for example "requests>=2.32"',
        weight="low",
        sources=("PEP 508",),
    ),
    Diagnosis(
        id="meta.field-invalid",
        title="a field of the metadata is not valid",
        explanation="A field that may occur only once occurs twice, or has a value that its specification forbids.",
        symptoms=("400 '{field}' has invalid data",),
        also=("400 '{value}' is invalid for '{field}'", shared_phrases.CORE_METADATA_INVALID),
        remedy="correct the field that the message names in pyproject.toml, and build again",
        weight="low",
        sources=("packaging.python.org: Core metadata",),
    ),
    Diagnosis(
        id="meta.secret-in-dist",
        title="a file of the release contains a secret",
        explanation=".pypirc, .env or a token in the code is published with the sdist. PyPI tokens are found and "
        "revoked at once; other secrets are not.",
        shows="nothing fails, until others use the secret",
        remedy="exclude the file from the build, replace the secret everywhere, and release again; deleting the "
        "release does not undo the leak",
        sources=("PyPI help: compromised-token",),
    ),
)
