"""Where the credential comes from: the keyring, and what stands between it and the uploader."""

from __future__ import annotations

from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="keyring.service-mismatch",
        title="the keyring holds the token under another service name",
        explanation="twine asks the keyring for the upload address, character by character: without its last slash, "
        "with the site's address, or as 'pypi', the entry is not found.",
        also=(shared_phrases.CREDENTIAL_NOT_FOUND,),
        shows="twine asks for a token although one is stored",
        remedy="store it under the name that twine asks for: python -m keyring set {upload_url} __token__",
        detect="offline",
        weight="medium",
        sources=("pypa/twine#277", "pypa/twine#208", "twine documentation: Keyring support"),
    ),
    Diagnosis(
        id="keyring.username-mismatch",
        title="the keyring holds the token under an account's name",
        explanation="For PyPI and TestPyPI, twine asks for the username __token__ and never for another one that is "
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
        title="the keyring holds an old token",
        explanation="The token was rotated or deleted, and the entry was not; some tools store what they were given "
        "once and offer no way to replace it.",
        also=(shared_phrases.INVALID_AUTH, shared_phrases.ACCOUNT_NAME),
        shows="a new token elsewhere changes nothing",
        remedy="replace it: python -m keyring set {upload_url} __token__",
        detect="probe",
        weight="medium",
        sources=("pypa/packaging.python.org#297", "python-poetry/poetry#1999", "python-poetry/poetry#6320"),
    ),
    Diagnosis(
        id="keyring.no-backend",
        title="there is no keyring on this machine",
        explanation="CI machines, containers and WSL have no secret store, or keyring was told to use none.",
        symptoms=("keyring.errors.NoKeyringError: No recommended backend was available",),
        also=("No suitable keyring backend", "No keyring backend found", shared_phrases.CREDENTIAL_NOT_FOUND),
        remedy="use TWINE_PASSWORD or trusted publishing there; python -m keyring --list-backends shows which stores "
        "there are",
        detect="offline",
        weight="high",
        sources=("jaraco/keyring#566", "python-poetry/poetry#5189"),
    ),
    Diagnosis(
        id="keyring.hang",
        title="the keyring waits for somebody to unlock it",
        explanation="The secret service asks for a password in a window that nobody sees: over SSH, in cron, under "
        "WSL. The uploader waits with it, without a word.",
        symptoms=("keyring.errors.KeyringLocked", "keyring.errors.InitError: Failed to unlock the collection"),
        also=("Error getting password from keyring",),
        shows="the upload stands still before its first line",
        remedy="unlock the keyring in a graphical session, or go without it: export "
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
        "keyring are among those that get lost.",
        also=(shared_phrases.CREDENTIAL_NOT_FOUND,),
        shows="it works in the shell, and not inside the tool",
        remedy="let them through: pass_env = TWINE_* in tox, env= in nox, --env TWINE_PASSWORD in docker run, "
        "--preserve-env=TWINE_PASSWORD in sudo",
        detect="offline",
        weight="medium",
        sources=("jaraco/skeleton#26", "pyscaffold/pyscaffold#733"),
    ),
    Diagnosis(
        id="shell.mangled",
        title="a shell changed the value",
        explanation="$, !, ` and % mean something to shells and to GitLab's variables, and vanish with what follows "
        "them.",
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
        explanation="GitHub hands secrets neither to pull requests from forks nor to those of dependabot; they are "
        "empty texts there.",
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
        title="the secret exists, and not for this job",
        explanation="It has another name, belongs to an environment that the job does not declare, to an organization "
        "that does not share it, or to protected branches and tags only; a repository's own secret hides the "
        "organization's.",
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
        explanation="The action ignores inputs that it does not know: with repository_url in place of repository-url, "
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
        title="the token stands on a command line",
        explanation="What follows -p or --token is seen by every process of the machine, and printed by tools that "
        "show the command which failed.",
        shows="nothing fails, until the token is revoked as leaked",
        remedy="hand it over as TWINE_PASSWORD or from the keyring, take -p out of the command, and create a new token "
        "at {site}/manage/account/token/",
        detect="offline",
        weight="low",
        sources=("python-semantic-release/python-semantic-release#335",),
    ),
)
