"""Sources of the credential: the keyring, and the shell, CI service or tool that passes it on."""

from __future__ import annotations

from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="keyring.service-mismatch",
        title="the keyring has the token under another service name",
        explanation="twine looks up the exact upload address in the keyring. An entry without the trailing slash, for "
        "the address of the site, or for 'pypi' is not found.",
        also=(shared_phrases.CREDENTIAL_NOT_FOUND,),
        shows="twine asks for a token although one is stored",
        remedy="store it under the name that twine looks up: python -m keyring set {upload_url} __token__",
        detect="offline",
        weight="medium",
        sources=("pypa/twine#277", "pypa/twine#208", "twine documentation: Keyring support"),
    ),
    Diagnosis(
        id="keyring.username-mismatch",
        title="the keyring has the token under an account name",
        explanation="For PyPI and TestPyPI, twine looks up the username __token__, and never another one that is "
        "stored.",
        also=(shared_phrases.CREDENTIAL_NOT_FOUND,),
        shows="twine asks for a token although one is stored",
        remedy="store it for __token__: python -m keyring set {upload_url} __token__; then delete the old entry: "
        "python -m keyring del {upload_url} {user}",
        detect="offline",
        weight="medium",
        sources=("twine 7.0.0: auth.Resolver.username",),
    ),
    Diagnosis(
        id="keyring.stale",
        title="the keyring has an old token",
        explanation="The token was rotated or deleted, but its keyring entry was not; some tools store a token once "
        "and provide no way to replace it.",
        also=(shared_phrases.INVALID_AUTH, shared_phrases.ACCOUNT_NAME),
        shows="a new token elsewhere changes nothing",
        remedy="replace it: python -m keyring set {upload_url} __token__",
        detect="probe",
        weight="medium",
        sources=("pypa/packaging.python.org#297", "python-poetry/poetry#1999", "python-poetry/poetry#6320"),
    ),
    Diagnosis(
        id="keyring.no-backend",
        title="this machine has no keyring",
        explanation="CI machines, containers and WSL have no secret store, or keyring is configured to use none.",
        symptoms=("keyring.errors.NoKeyringError: No recommended backend was available",),
        also=("No suitable keyring backend", "No keyring backend found", shared_phrases.CREDENTIAL_NOT_FOUND),
        remedy="use TWINE_PASSWORD or trusted publishing there; python -m keyring --list-backends shows the available "
        "stores",
        detect="offline",
        weight="high",
        sources=("jaraco/keyring#566", "python-poetry/poetry#5189"),
    ),
    Diagnosis(
        id="keyring.hang",
        title="the keyring is waiting to be unlocked",
        explanation="The secret service asks for a password in a window that cannot be seen: over SSH, in cron, under "
        "WSL. The uploader waits for it without a message.",
        symptoms=("keyring.errors.KeyringLocked", "keyring.errors.InitError: Failed to unlock the collection"),
        also=("Error getting password from keyring",),
        shows="the upload hangs before its first line of output",
        remedy="unlock the keyring in a graphical session, or do without it: export "
        "PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring, and use TWINE_PASSWORD",
        detect="offline",
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
        detect="offline",
        weight="medium",
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
        detect="offline",
        weight="medium",
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
        detect="offline",
        weight="medium",
        sources=("srossross/rpmfile#42", "danielballan/photomosaic#20", "GitHub documentation: Using secrets"),
    ),
    Diagnosis(
        id="ci.secret-scope",
        title="the secret exists, but not for this job",
        explanation="The secret has another name, or belongs to an environment that the job does not declare, to an "
        "organization that does not share it, or to protected branches and tags only. A secret of the repository "
        "overrides the organization's.",
        symptoms=(shared_phrases.EMPTY, shared_phrases.INVALID_AUTH),
        also=(shared_phrases.CREDENTIAL_NOT_FOUND, shared_phrases.ODD),
        remedy="compare the name in the workflow with the list in the repository's settings, declare the secret's "
        "environment in the job, and protect the tag pattern in GitLab",
        detect="offline",
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
        detect="offline",
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
        detect="offline",
        weight="low",
        sources=("python-semantic-release/python-semantic-release#335",),
    ),
)
