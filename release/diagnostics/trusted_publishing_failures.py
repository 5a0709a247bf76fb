"""Trusted publishing and attestations."""

from __future__ import annotations

from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="tp.id-token-permission",
        title="the job may not ask for an identity token",
        explanation="GitHub gives one only to jobs with the permission id-token: write. A permissions block on the job "
        "replaces the workflow's whole.",
        symptoms=(
            shared_phrases.NO_IDENTITY,
            shared_phrases.NO_OIDC,
            "Unable to retrieve an OIDC token from the CI platform",
        ),
        remedy="add permissions: id-token: write to the job that uploads",
        detect="offline",
        weight="high",
        sources=(
            "freifunkMUC/unifi_respondd#59",
            "eventlet/eventlet#855",
            "pypa/gh-action-pypi-publish: oidc-exchange.py",
        ),
    ),
    Diagnosis(
        id="tp.fork-pr",
        title="the run belongs to a pull request from a fork, which gets no identity",
        explanation="GitHub issues no identity token to pull requests from forks, whatever the workflow asks for.",
        also=(shared_phrases.NO_IDENTITY, shared_phrases.NO_OIDC),
        shows="as a missing permission, in the runs of some contributors",
        remedy="publish from a tag or a release of the repository itself: on: push: tags, not on: pull_request",
        detect="offline",
        weight="medium",
        sources=("pypa/gh-action-pypi-publish: oidc-exchange.py",),
    ),
    Diagnosis(
        id="tp.event-unsupported",
        title="the workflow runs on pull_request_target",
        explanation="This event runs with the repository's rights on somebody else's changes, and PyPI takes no "
        "uploads from it.",
        symptoms=("422 Publishing from a workflow invoked via 'pull_request_target' is not supported",),
        remedy="let the publishing workflow run on push: tags, or on release: published",
        detect="offline",
        weight="low",
        sources=("pypi/warehouse: oidc/models/github.py",),
    ),
    Diagnosis(
        id="tp.environment-mismatch",
        title="the job's environment is not the publisher's",
        explanation="The publisher on the index names an environment that the job does not declare, or another one. A "
        "publisher without environment accepts any.",
        symptoms=("422 Check failed for optional claim 'environment'", shared_phrases.NO_PUBLISHER),
        remedy="compare environment: in the job with the publisher at "
        "{site}/manage/project/{project}/settings/publishing/, and make them equal",
        detect="offline",
        weight="high",
        sources=(
            "pypa/gh-action-pypi-publish#173",
            "pypa/gh-action-pypi-publish#217",
            "pyxem/diffsims#217",
            "llnl/certipy#28",
        ),
    ),
    Diagnosis(
        id="tp.renamed",
        title="repository, owner or workflow file have another name than the publisher's",
        explanation="The publisher is bound to owner, repository and the workflow's file name; after a renaming or a "
        "transfer the old names are still there, and the owner's number too.",
        symptoms=(
            "422 claim does not match, expecting one of",
            "422 Check failed for required claim 'repository",
            "422 Check failed for required claim 'job_workflow_ref'",
        ),
        also=(shared_phrases.NO_PUBLISHER,),
        remedy="add a publisher with the present names at {site}/manage/project/{project}/settings/publishing/, and "
        "remove the old one",
        detect="offline",
        weight="high",
        sources=(
            "dennisvang/tufup#176",
            "pypi/warehouse#14442",
            "PyPI documentation: Trusted publishers, troubleshooting",
        ),
    ),
    Diagnosis(
        id="tp.reusable-workflow",
        title="the upload runs in a reusable workflow",
        explanation="The identity then names the called workflow, which PyPI does not accept as a publisher.",
        also=(shared_phrases.NO_PUBLISHER, "422 claim does not match, expecting one of"),
        shows="as a publisher that is not found, although every name is right",
        remedy="move the job that uploads into the workflow that is triggered; the building may stay where it is",
        detect="offline",
        weight="high",
        sources=("pypa/gh-action-pypi-publish#166", "pypi/warehouse#11096", "dmwm/WMCore#12179"),
    ),
    Diagnosis(
        id="tp.custom-sub",
        title="the repository changed the form of its identity's subject",
        explanation="GitHub lets organizations customise the claim sub; PyPI expects repo:owner/name first.",
        symptoms=("422 Check failed for required claim 'sub'", "422 Check failed for optional claim 'sub'"),
        remedy="reset it: gh api --method PUT repos/OWNER/NAME/actions/oidc/customization/sub -F use_default=true",
        detect="network",
        weight="low",
        sources=("pypi/warehouse#19405",),
    ),
    Diagnosis(
        id="tp.pending-name-mismatch",
        title="the publisher is for another project than the one uploaded",
        explanation="A publisher may upload to its own projects only, and a pending one creates only the project whose "
        "name it holds.",
        symptoms=(
            "400 Non-user identities cannot create new projects",
            "403 OIDC scoped token is not valid for project '{project}'",
            "403 current OIDC publisher does not match publisher restriction in token",
            shared_phrases.NO_ROLE_MINTED,
        ),
        remedy="compare the name in pyproject.toml with the publisher's project at {site}/manage/account/publishing/, "
        "and make them equal; see https://docs.pypi.org/trusted-publishers/troubleshooting/",
        detect="offline",
        weight="medium",
        sources=("PyPI documentation: Trusted publishers, troubleshooting",),
    ),
    Diagnosis(
        id="tp.pending-exists",
        title="somebody created the project before the pending publisher did",
        explanation="A pending publisher does not reserve its name; this one is void now.",
        symptoms=("422 valid token, but project already exists",),
        remedy="if the project is yours, add a publisher at {site}/manage/project/{project}/settings/publishing/; if "
        "not, choose another name",
        detect="network",
        weight="low",
        sources=("pypi/warehouse: oidc/views.py",),
    ),
    Diagnosis(
        id="tp.token-expired",
        title="the token of trusted publishing ran out",
        explanation="It lives 15 minutes from its minting; long uploads and approvals outlive it.",
        symptoms=(shared_phrases.EXPIRED,),
        also=(shared_phrases.INVALID_AUTH,),
        remedy="mint it as late as possible, in the step that uploads; run the job again, which skips what is there",
        detect="offline",
        weight="medium",
        sources=("pypi/warehouse: oidc/views.py", "twine 7.0.0: auth.TOKEN_RENEWAL_THRESHOLD"),
    ),
    Diagnosis(
        id="tp.jti-reuse",
        title="one identity token was exchanged twice",
        explanation="The index takes each identity token once; a retried or doubled step must ask for a fresh one.",
        symptoms=("422 invalid token: already used",),
        remedy="run the whole job again, so that it asks for a fresh identity; upload in one step, not in two",
        detect="offline",
        weight="low",
        sources=("pypi/warehouse: oidc/views.py",),
    ),
    Diagnosis(
        id="tp.unknown-issuer",
        title="the index does not know who issued the identity",
        explanation="PyPI accepts GitHub, GitLab.com, Google Cloud and ActiveState, and an organization's own GitLab "
        "where it was entered; other servers of the same kind it does not.",
        symptoms=("422 unknown trusted publishing issuer",),
        remedy="use an API token there, from {site}/manage/account/token/; see "
        "https://docs.pypi.org/trusted-publishers/adding-a-publisher/ for the supported services",
        detect="offline",
        weight="low",
        sources=("PyPI documentation: Trusted publishers, troubleshooting",),
    ),
    Diagnosis(
        id="tp.identity-refused",
        title="the index does not accept the identity token",
        explanation="It is made for another audience (PyPI's and TestPyPI's differ), has run out, or is no such token "
        "at all.",
        symptoms=("422 malformed or invalid token", "422 malformed JWT", "422 validation error for TokenPayload"),
        remedy="ask for the identity with the audience that the index names at {site}/_/oidc/audience, in the step "
        "that uploads",
        detect="after",
        weight="low",
        sources=("pypi/warehouse: oidc/services.py",),
    ),
    Diagnosis(
        id="tp.disabled",
        title="trusted publishing is switched off, or unknown to this index",
        explanation="The index has it disabled for now, for one service or for all, or has never had it.",
        symptoms=(
            "trusted publishing functionality not enabled",
            "Trusted publishing functionality not enabled",
            "has trusted publishing disabled",
            "does not indicate trusted publishing support",
        ),
        remedy="watch https://status.python.org; until then use an API token",
        detect="network",
        weight="low",
        sources=("pypi/warehouse: oidc/views.py", "pypa/gh-action-pypi-publish: oidc-exchange.py"),
    ),
    Diagnosis(
        id="tp.testpypi-not-configured",
        title="the publisher is set on one of PyPI and TestPyPI, and not on the other",
        explanation="Each has its own publishers; what works for one says nothing about the other.",
        also=(shared_phrases.NO_PUBLISHER,),
        shows="as a publisher that is not found, on one of the two",
        remedy="add the publisher on this index, too: {site}/manage/project/{project}/settings/publishing/, or "
        "{site}/manage/account/publishing/ before the first release",
        detect="network",
        weight="medium",
        sources=("dennisvang/tufup#176", "apache/opendal#3682"),
    ),
    Diagnosis(
        id="tp.mixed-credentials",
        title="a password is given, so trusted publishing is not tried",
        explanation="twine, uv and the publishing action use a password where there is one, even an empty or old one, "
        "and attach no attestations then.",
        shows="no identity is asked for, and no attestations are made",
        also=(
            "The workflow was run with the 'attestations: true' input, but an explicit password was also set",
            "username and password are not allowed when using trusted publishing",
        ),
        remedy="remove user and password from the step, TWINE_PASSWORD and UV_PUBLISH_TOKEN from the job, and delete "
        "the secret",
        detect="offline",
        weight="medium",
        sources=("FalkorDB/falkordblite#12", "pypa/gh-action-pypi-publish: twine-upload.sh"),
    ),
    Diagnosis(
        id="tp.environment-protection",
        title="the environment's rules do not let this tag or branch deploy",
        explanation="Deployment rules allow the default branch only, or wait for an approval that nobody gives.",
        symptoms=("is not allowed to deploy to {environment} due to environment protection rules",),
        remedy="allow the tag pattern (v*) under Settings, Environments, {environment}, Deployment branches and tags; "
        "then run the job again",
        detect="network",
        weight="medium",
        sources=("cerfacs-globc/icclim#315", "lidatong/dataclasses-json#477", "pydev-guide/pyrepo-copier#14"),
    ),
)
