"""Where credentials are stored: environment variables and .pypirc; keyring, shell and CI."""

from __future__ import annotations

from release.diagnostics import pypirc_line_failures, shared_phrases
from release.diagnostics.models import Diagnosis

VARIABLES_AND_PYPIRC = (
    Diagnosis(
        id="src.env-shadows",
        title="an environment variable overrides the intended credential",
        explanation="TWINE_USERNAME and TWINE_PASSWORD take precedence over .pypirc and the keyring. A variable that a "
        "shell profile or a CI setting has exported for years is used, even if a newer token is stored elsewhere. "
        "Remove it there, too.",
        also=(shared_phrases.INVALID_AUTH, shared_phrases.ACCOUNT_NAME, shared_phrases.OTHER_PROJECT),
        shows="a new token changes nothing",
        remedy="unset TWINE_USERNAME TWINE_PASSWORD",
        sources=("pypa/twine#577", "adafruit/Adafruit_CircuitPython_BusDevice#97"),
    ),
    Diagnosis(
        id="src.wrong-env-name",
        title="the token is in a variable that this uploader does not read",
        explanation="Each tool has its own variables: TWINE_PASSWORD, UV_PUBLISH_TOKEN, FLIT_PASSWORD, "
        "HATCH_INDEX_AUTH, POETRY_PYPI_TOKEN_PYPI, PDM_PUBLISH_PASSWORD, MATURIN_PYPI_TOKEN. None of them reads "
        "PYPI_TOKEN.",
        also=(
            shared_phrases.CREDENTIAL_NOT_FOUND,
            "Missing required option: auth",
            "Missing credentials for",
            shared_phrases.POETRY_INVALID_AUTH,
        ),
        shows="as if there were no token",
        remedy='export TWINE_USERNAME=__token__ TWINE_PASSWORD="$PYPI_TOKEN"',
        sources=("JRubics/poetry-publish#37", "Idein/nnoir#96"),
    ),
    Diagnosis(
        id="src.password-missing",
        title="there is a username, but no password",
        explanation="TWINE_USERNAME, or a username in .pypirc, is set, while the password was never stored, or its "
        "variable does not reach this process.",
        also=(shared_phrases.CREDENTIAL_NOT_FOUND,),
        shows="twine asks for the token, or stops where it cannot ask",
        remedy="store an API token: pypi-preflight store --index {index}; in CI, give the job the secret as "
        "TWINE_PASSWORD",
        sources=("twine 7.0.0: auth.Resolver.password",),
    ),
    Diagnosis(
        id="cred.swapped",
        title="the token is in the username",
        explanation="The token must be the password and __token__ the username; here the two are swapped, or only the "
        "username was filled in. Usernames are shown in logs, so the token may have been shown.",
        symptoms=(),
        also=(shared_phrases.ACCOUNT_NAME, shared_phrases.INVALID_AUTH),
        shows="like an account password",
        remedy='swap them: export TWINE_PASSWORD="$TWINE_USERNAME" TWINE_USERNAME=__token__; if a log shows the token, '
        "create a new one at {site}/manage/account/token/",
        weight="low",
        sources=("PyPI help: apitoken",),
    ),
    Diagnosis(
        id="pypirc.not-found",
        title="there is no .pypirc where the uploader looks for it",
        explanation="The uploader looks in the home directory of the user who runs it, for exactly this name: not in "
        "the project, not in another user's home (sudo, containers, tox), and not for .pypirc.txt.",
        symptoms=("InvalidConfiguration: [Errno 2] No such file or directory: '{pypirc}'",),
        also=(shared_phrases.MISSING_SECTION, shared_phrases.CREDENTIAL_NOT_FOUND),
        remedy='move it to ~/.pypirc, or pass its path: twine upload --config-file PATH; python -c "import os; '
        "print(os.path.expanduser('~/.pypirc'))\" prints where it belongs",
        weight="high",
        sources=("pypa/twine#1079", "pypa/twine#982", "pypa/packaging-problems#887", "zestsoftware/zest.releaser#327"),
    ),
    Diagnosis(
        id="pypirc.section-unlisted",
        title="a section of .pypirc is not listed in index-servers",
        explanation="If [distutils] has a list index-servers, twine reads only the sections listed there; the username "
        "and password of any other section are silently ignored.",
        also=(shared_phrases.MISSING_SECTION, shared_phrases.CREDENTIAL_NOT_FOUND),
        shows="as if the section were not there",
        remedy="add {index} to index-servers in ~/.pypirc: pypi-preflight diagnose",
        sources=("pypa/twine#355", "packaging.python.org: The .pypirc file"),
    ),
    *pypirc_line_failures.DIAGNOSES,
    Diagnosis(
        id="pypirc.missing-repo",
        title="the requested repository is not configured",
        explanation="The name given with --repository or TWINE_REPOSITORY has no section in .pypirc, or was mistyped: "
        "-repository with one hyphen requests the repository 'epository'. uv, poetry and pdm read their own "
        "configuration instead.",
        symptoms=(
            shared_phrases.MISSING_SECTION,
            "repo = repos_cfg[name] … KeyError: '{section}'",
            "PdmUsageError]: Missing repository config of {section}",
            "No indexes were found, can't use index: `{section}`",
            "Index not found: `{section}`",
            "Repository {section} is not defined",
            "Failed to get registry {section} in .pypirc",
            "AssertionError: unsupported schema",
            "Error uploading to repository: {section} - Request URL is missing an 'http://' or 'https://' protocol",
        ),
        remedy="correct the name, or configure {section}: for twine and flit a section [{section}] with repository, "
        "username and password in ~/.pypirc, listed in index-servers; for uv an entry of [[tool.uv.index]] with "
        "publish-url; for poetry: poetry config repositories.{section} ADDRESS",
        weight="high",
        sources=("virocon-organization/virocon#192", "pypa/packaging-problems#987", "pypa/twine#228"),
    ),
    Diagnosis(
        id="pypirc.testpypi-under-pypi",
        title="the section [pypi] of .pypirc contains a TestPyPI token",
        explanation="The snippet that TestPyPI shows for copying was put under [pypi], or the two tokens were swapped.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="like an unknown token",
        remedy="move the token to the section [testpypi] of ~/.pypirc, and put one from PyPI under [pypi]",
        sources=("pypi/warehouse#8132",),
    ),
    Diagnosis(
        id="pypirc.repository-mismatch",
        title="a section of .pypirc points to another index than its name suggests",
        explanation="[pypi] with TestPyPI's address uploads to TestPyPI, and vice versa: the name of a section does "
        "not determine its address.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="the upload succeeds, but to the wrong index; or the token is refused as unknown",
        remedy="delete the repository line from [pypi] and [testpypi] in ~/.pypirc: twine knows both addresses",
        sources=("pypi/warehouse#8734", "pypa/twine#153", "pypa/twine#269"),
    ),
    Diagnosis(
        id="pypirc.bypassed-by-url",
        title=".pypirc was not read, because an address was given",
        explanation="With --repository-url or TWINE_REPOSITORY_URL, twine reads nothing from .pypirc, even if a "
        "section has the same address.",
        also=(shared_phrases.CREDENTIAL_NOT_FOUND,),
        shows="as if .pypirc were not there",
        remedy="name the section instead of the address: twine upload --repository {index}; and unset "
        "TWINE_REPOSITORY_URL",
        sources=("pypa/twine#1079", "twine 7.0.0: utils.get_repository_from_config"),
    ),
    Diagnosis(
        id="pypirc.malformed",
        title=".pypirc can't be parsed",
        explanation="It has a line before the first section, a duplicate section or key, a byte order mark, or an "
        "encoding other than UTF-8. twine does not say which, so that it shows no secret.",
        symptoms=(
            shared_phrases.MALFORMED_PYPIRC,
            "UnableToReadConfigurationFile: Unable to read configuration file: {pypirc}",
            "MissingSectionHeaderError: File contains no section headers",
            "configparser.DuplicateOptionError",
            "configparser.DuplicateSectionError",
        ),
        remedy="write ~/.pypirc anew as plain UTF-8 text: section names in brackets, one key = value per line, no "
        "duplicates",
        sources=("pypa/twine#111", "twine 6.2 changelog", "packaging.python.org: The .pypirc file"),
    ),
    Diagnosis(
        id="pypirc.percent",
        title="a % in .pypirc is read as a reference",
        explanation="hatch and older versions of flit use configparser with interpolation, so a single % is an error; "
        "twine does not. cmd.exe replaces %NAME% in the same way.",
        symptoms=(
            "InterpolationSyntaxError: '%' must be followed by '%' or '('",
            "InterpolationMissingOptionError: Bad value substitution",
        ),
        remedy="use a token as the password, which never contains %; or write %% for hatch only",
        weight="low",
        sources=("pypa/flit: flit/upload.py", "Python documentation: configparser, interpolation of values"),
    ),
    Diagnosis(
        id="pypirc.perms",
        title="others on this machine can read .pypirc",
        explanation="The file contains secrets in plain text, and its mode lets the group or everyone read it.",
        shows="nothing fails",
        remedy="chmod 600 ~/.pypirc",
        weight="low",
        sources=("packaging.python.org: The .pypirc file",),
    ),
)

KEYRING_AND_SHELL = (
    Diagnosis(
        id="keyring.service-mismatch",
        title="the keyring has the token under another service name",
        explanation="twine looks up the exact upload address in the keyring. An entry without the trailing slash, for "
        "the address of the site, or for 'pypi' is not found.",
        also=(shared_phrases.CREDENTIAL_NOT_FOUND,),
        shows="twine asks for a token although one is stored",
        remedy="pypi-preflight store --index {index}",
        sources=("pypa/twine#277", "pypa/twine#208", "twine documentation: Keyring support"),
    ),
    Diagnosis(
        id="keyring.username-mismatch",
        title="the keyring has the token under an account name",
        explanation="For PyPI and TestPyPI, twine looks up the username __token__, and never another one that is "
        "stored.",
        also=(shared_phrases.CREDENTIAL_NOT_FOUND,),
        shows="twine asks for a token although one is stored",
        remedy="pypi-preflight store --index {index}",
        sources=("twine 7.0.0: auth.Resolver.username",),
    ),
    Diagnosis(
        id="keyring.other-project",
        title="the keyring has only the token of another project",
        explanation="A token that was stored with store --project is used for uploads of that project only. Other "
        "projects use their own entry, or the one for all projects, which is the only one that twine itself reads.",
        shows="no credential is found, although one is stored for the index",
        remedy="store one for this project: pypi-preflight store --index {index} --project {project}",
        sources=("twine 7.0.0: auth.Resolver.get_password_from_keyring",),
    ),
    Diagnosis(
        id="keyring.stale",
        title="the keyring has an old token",
        explanation="The token was rotated or deleted, but its keyring entry was not; some tools store a token once "
        "and provide no way to replace it.",
        also=(shared_phrases.INVALID_AUTH, shared_phrases.ACCOUNT_NAME),
        shows="a new token elsewhere changes nothing",
        remedy="pypi-preflight store --index {index}",
        detect="probe",
        sources=("pypa/packaging.python.org#297", "python-poetry/poetry#1999", "python-poetry/poetry#6320"),
    ),
    Diagnosis(
        id="keyring.no-backend",
        title="this machine has no keyring",
        explanation="CI machines, containers and WSL have no secret store, or keyring is configured to use none.",
        symptoms=("NoKeyringError: No recommended backend was available",),
        also=("No suitable keyring backend", shared_phrases.CREDENTIAL_NOT_FOUND),
        remedy="use TWINE_PASSWORD or trusted publishing there; python -m keyring --list-backends shows the available "
        "stores",
        weight="high",
        sources=("jaraco/keyring#566", "python-poetry/poetry#5189"),
    ),
    Diagnosis(
        id="keyring.hang",
        title="the keyring is waiting to be unlocked",
        explanation="The secret service asks for a password in a window that cannot be seen: over SSH, in cron, under "
        "WSL. The uploader waits for it without a message, or stops; macOS answers with -25308 or -25293. "
        "Unlock it in a graphical session, or pass the token as TWINE_PASSWORD.",
        symptoms=(
            "Failed to unlock the collection!",
            "Failed to unlock the item!",
            "Failed to unlock the keyring!",
            "Failed to create the collection:",
            "Can't get password from keychain: (-25293",
            "Can't get password from keychain: (-25308",
            "Can't get password from keychain: (-128",
            "KeyringLocked",
        ),
        also=("Error getting password from keyring",),
        shows="the upload hangs before its first line of output",
        remedy="export PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring",
        weight="high",
        sources=(
            "pypa/twine#847",
            "python-poetry/poetry#8623",
            "python-poetry/poetry#1917",
            "jaraco/keyring#531",
            "pypa/twine#338",
        ),
    ),
    Diagnosis(
        id="env.not-forwarded",
        title="the variables do not reach the uploader",
        explanation="tox, nox, sudo and containers pass on few variables, or none; HOME and the session bus of the "
        "keyring are among those that are dropped.",
        also=(shared_phrases.CREDENTIAL_NOT_FOUND,),
        shows="it works in the shell, but not inside the tool",
        remedy="pass them on: pass_env = TWINE_* in tox, env= in nox, --env TWINE_PASSWORD in docker run, "
        "--preserve-env=TWINE_PASSWORD in sudo",
        sources=("jaraco/skeleton#26", "pyscaffold/pyscaffold#733"),
    ),
    Diagnosis(
        id="shell.mangled",
        title="a shell changed the value",
        explanation="$, !, ` and % have a meaning in shells and in GitLab's variables, and are removed together with "
        "what follows them.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="the same secret works elsewhere",
        remedy="put the value into single quotes, or switch off 'expand variable reference' for it in GitLab",
        sources=("python-poetry/poetry#1999", "GitLab documentation: Prevent CI/CD variable expansion"),
    ),
    Diagnosis(
        id="ci.fork-pr",
        title="the run belongs to a pull request from a fork, which gets no secrets",
        explanation="GitHub passes secrets neither to pull requests from forks nor to those of dependabot; they are "
        "empty strings there.",
        also=(
            shared_phrases.EMPTY,
            shared_phrases.CREDENTIAL_NOT_FOUND,
            shared_phrases.INVALID_AUTH,
            shared_phrases.NO_IDENTITY,
        ),
        shows="it fails for some contributors and not for others",
        remedy="publish from a tag or a release of the repository itself: on: push: tags, not on: pull_request",
        sources=("srossross/rpmfile#42", "danielballan/photomosaic#20", "GitHub documentation: Using secrets"),
    ),
    Diagnosis(
        id="ci.secret-scope",
        title="the secret exists, but not for this job",
        explanation="The secret has another name, or belongs to an environment that the job does not declare, to an "
        "organization that does not share it, or to protected branches and tags only. A secret of the repository "
        "overrides the organization's.",
        symptoms=(shared_phrases.EMPTY, shared_phrases.INVALID_AUTH),
        also=(
            shared_phrases.UNAUTHORIZED,
            shared_phrases.CREDENTIAL_NOT_FOUND,
            shared_phrases.ODD,
            "Missing credentials for",
        ),
        remedy="compare the name in the workflow with the list in the repository's settings, declare the secret's "
        "environment in the job, and protect the tag pattern in GitLab",
        weight="high",
        sources=(
            "audreyfeldroy/cookiecutter-pypackage#578",
            "rochacbruno/python-project-template#21",
            "pypi/warehouse#11217",
        ),
    ),
    Diagnosis(
        id="ci.invalid-input-name",
        title="an input of the publishing action has a wrong name",
        explanation="The action ignores inputs that it does not know: with repository_url instead of repository-url, "
        "the upload goes to PyPI, with a token for TestPyPI.",
        symptoms=("Unexpected input(s) '{input}', valid inputs are",),
        also=(shared_phrases.INVALID_AUTH,),
        remedy="write the input's name as the action's documentation does: repository-url, packages-dir, skip-existing",
        weight="low",
        sources=("pypa/gh-action-pypi-publish#38", "pypa/gh-action-pypi-publish#283"),
    ),
    Diagnosis(
        id="ci.token-argv",
        title="the token is on a command line",
        explanation="Every process on the machine can read the value of -p or --token, and tools that print a failed "
        "command print it, too.",
        shows="nothing fails, until the token is revoked as leaked",
        remedy="pass it as TWINE_PASSWORD or from the keyring, remove -p from the command, and create a new token at "
        "{site}/manage/account/token/",
        weight="low",
        sources=("python-semantic-release/python-semantic-release#335",),
    ),
)
