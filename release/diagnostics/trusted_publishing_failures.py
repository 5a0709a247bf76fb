"""Trusted publishing and attestations."""

from __future__ import annotations

from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="tp.id-token-permission",
        title="the job has no permission to request an identity token",
        explanation="GitHub issues identity tokens only to jobs with the permission id-token: write. A permissions "
        "block on the job replaces the whole block of the workflow.",
        symptoms=(
            shared_phrases.NO_IDENTITY,
            shared_phrases.NO_OIDC,
            "Unable to retrieve an OIDC token from the CI platform",
            "Environment variable ACTIONS_ID_TOKEN_REQUEST_TOKEN not set",
            "the ACTIONS_ID_TOKEN_REQUEST_TOKEN environment variable was unset",
        ),
        remedy="add permissions: id-token: write to the job that uploads",
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
        explanation="GitHub issues no identity token to pull requests from forks, even if the workflow requests one.",
        also=(shared_phrases.NO_IDENTITY, shared_phrases.NO_OIDC),
        shows="like a missing permission, in the runs of some contributors",
        remedy="publish from a tag or a release of the repository itself: on: push: tags, not on: pull_request",
        sources=("pypa/gh-action-pypi-publish: oidc-exchange.py",),
    ),
    Diagnosis(
        id="tp.event-unsupported",
        title="the workflow runs on pull_request_target",
        explanation="This event runs code of other people with the repository's permissions, so PyPI accepts no "
        "uploads from it.",
        symptoms=("422 Publishing from a workflow invoked via 'pull_request_target' is not supported",),
        remedy="run the publishing workflow on push: tags, or on release: published",
        weight="low",
        sources=("pypi/warehouse: oidc/models/github.py",),
    ),
    Diagnosis(
        id="tp.environment-mismatch",
        title="the job's environment is not the publisher's",
        explanation="The publisher on the index names an environment, and the job declares another one or none. A "
        "publisher without an environment accepts any.",
        symptoms=("422 Check failed for optional claim 'environment'", shared_phrases.NO_PUBLISHER),
        remedy="compare environment: in the job with the publisher at "
        "{site}/manage/project/{project}/settings/publishing/, and make them equal",
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
        title="the repository, owner or workflow file has another name than the publisher's",
        explanation="The publisher is bound to the owner, the repository and the file name of the workflow. After a "
        "rename or a transfer it still has the old names, and the old owner's ID.",
        symptoms=(
            "422 claim does not match, expecting one of",
            "422 Check failed for required claim 'repository",
            "422 Check failed for required claim 'job_workflow_ref'",
        ),
        also=(shared_phrases.NO_PUBLISHER,),
        remedy="add a publisher with the current names at {site}/manage/project/{project}/settings/publishing/, and "
        "remove the old one",
        weight="high",
        sources=(
            "dennisvang/tufup#176",
            "pypi/warehouse#14442",
            "PyPI documentation: Trusted publishers, troubleshooting",
        ),
    ),
    Diagnosis(
        id="tp.invalid-publisher",
        title="the index has no trusted publisher for this job",
        explanation="Owner, owner's ID, repository, workflow file and environment of the job must be those of a "
        "publisher. The index does not say which of them differs.",
        also=(shared_phrases.NO_PUBLISHER,),
        shows="the exchange of the identity is refused, before the build with pypi-preflight verify --exchange",
        remedy="compare the claims of the job with the publishers at {site}/manage/project/{project}/settings/"
        "publishing/, and make them equal",
        detect="network",
        weight="high",
        sources=("pypi/warehouse: oidc/services.py", "PyPI documentation: Trusted publishers, troubleshooting"),
    ),
    Diagnosis(
        id="tp.reusable-workflow",
        title="the upload runs in a reusable workflow, or in one of another repository",
        explanation="The identity then names the called workflow, which PyPI does not accept as a publisher. The same "
        "holds for a GitLab pipeline whose configuration is in another project.",
        also=(shared_phrases.NO_PUBLISHER, "422 claim does not match, expecting one of"),
        shows="like a publisher that is not found, although every name is right",
        remedy="move the job that uploads into the workflow that is triggered; the job that builds can stay where it "
        "is",
        weight="high",
        sources=("pypa/gh-action-pypi-publish#166", "pypi/warehouse#11096", "dmwm/WMCore#12179"),
    ),
    Diagnosis(
        id="tp.custom-sub",
        title="the repository customized the subject of its identity",
        explanation="Services let projects customize the claim sub. PyPI expects GitLab's to begin with "
        "project_path:group/name; GitHub's it ignores since January 2026, other indexes may expect repo:owner/name.",
        symptoms=("422 Check failed for required claim 'sub'", "422 Check failed for optional claim 'sub'"),
        remedy="gh api --method PUT repos/OWNER/NAME/actions/oidc/customization/sub -F use_default=true",
        detect="network",
        weight="low",
        sources=("pypi/warehouse#19405", "pypi/warehouse#19422"),
    ),
    Diagnosis(
        id="tp.pending-name-mismatch",
        title="the publisher is for another project than the one uploaded",
        explanation="A publisher can upload to its own projects only, and a pending publisher creates only the project "
        "that it names.",
        symptoms=(
            "400 Non-user identities cannot create new projects",
            "403 OIDC scoped token is not valid for project '{project}'",
            "403 current OIDC publisher does not match publisher restriction in token",
            shared_phrases.NO_ROLE_MINTED,
        ),
        remedy="compare the name in pyproject.toml with the publisher's project at {site}/manage/account/publishing/, "
        "and make them equal; see https://docs.pypi.org/trusted-publishers/troubleshooting/",
        sources=("PyPI documentation: Trusted publishers, troubleshooting",),
    ),
    Diagnosis(
        id="tp.pending-exists",
        title="the project was created before the pending publisher was used",
        explanation="A pending publisher does not reserve its name; once the project exists, the publisher is invalid.",
        symptoms=("422 valid token, but project already exists",),
        remedy="if the project is yours, add a publisher at {site}/manage/project/{project}/settings/publishing/; if "
        "not, choose another name",
        detect="network",
        weight="low",
        sources=("pypi/warehouse: oidc/views.py",),
    ),
    Diagnosis(
        id="tp.token-expired",
        title="the trusted publishing token has expired",
        explanation="It is valid for 15 minutes after it was issued; long uploads and approvals can take longer.",
        symptoms=(shared_phrases.EXPIRED,),
        also=(shared_phrases.INVALID_AUTH,),
        remedy="request it as late as possible, in the step that uploads; run the job again, which skips the files "
        "that are already there",
        sources=("pypi/warehouse: oidc/views.py", "twine 7.0.0: auth.TOKEN_RENEWAL_THRESHOLD"),
    ),
    Diagnosis(
        id="tp.jti-reuse",
        title="an identity token was exchanged twice",
        explanation="The index accepts each identity token once; a step that is retried or duplicated must request a "
        "new one.",
        symptoms=("422 invalid token: already used",),
        remedy="run the whole job again, so that it requests a new identity; upload in one step, not in two",
        weight="low",
        sources=("pypi/warehouse: oidc/views.py",),
    ),
    Diagnosis(
        id="tp.unknown-issuer",
        title="the index does not know the issuer of the identity",
        explanation="PyPI accepts GitHub, GitLab.com, Google Cloud and ActiveState, and an organization's own GitLab "
        "if it was registered; it accepts no other servers of the same kind.",
        symptoms=("422 unknown trusted publishing issuer",),
        remedy="use an API token there, from {site}/manage/account/token/; see "
        "https://docs.pypi.org/trusted-publishers/adding-a-publisher/ for the supported services",
        weight="low",
        sources=("PyPI documentation: Trusted publishers, troubleshooting",),
    ),
    Diagnosis(
        id="tp.identity-refused",
        title="the index does not accept the identity token",
        explanation="It was issued for another audience (PyPI's and TestPyPI's differ), has expired, or is not an "
        "identity token at all.",
        symptoms=("422 malformed or invalid token", "422 malformed JWT", "422 validation error for TokenPayload"),
        remedy="request the identity with the audience that the index names at {site}/_/oidc/audience, in the step "
        "that uploads",
        detect="after",
        weight="low",
        sources=("pypi/warehouse: oidc/services.py",),
    ),
    Diagnosis(
        id="tp.disabled",
        title="trusted publishing is disabled, or not supported by this index",
        explanation="The index has disabled it temporarily, for one service or for all, or has never supported it.",
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
        title="the publisher is configured on only one of PyPI and TestPyPI",
        explanation="Each index has its own publishers; a publisher on one does not exist on the other.",
        also=(shared_phrases.NO_PUBLISHER,),
        shows="like a publisher that is not found, on one of the two",
        remedy="add the publisher on this index, too: {site}/manage/project/{project}/settings/publishing/, or "
        "{site}/manage/account/publishing/ before the first release",
        detect="network",
        sources=("dennisvang/tufup#176", "apache/opendal#3682"),
    ),
    Diagnosis(
        id="tp.mixed-credentials",
        title="a password or keyring is configured, so trusted publishing is not tried",
        explanation="twine, uv and the publishing action use a password if there is one, even an empty or old one, and "
        "then attach no attestations. With --trusted-publishing always, uv stops where a username, a password or a "
        "keyring provider is set.",
        shows="no identity is requested, and no attestations are made",
        symptoms=("are not allowed when using trusted publishing",),
        also=("The workflow was run with the 'attestations: true' input, but an explicit password was also set",),
        remedy="remove user and password from the step, TWINE_PASSWORD, UV_PUBLISH_TOKEN, UV_PUBLISH_USERNAME, "
        "UV_PUBLISH_PASSWORD and UV_KEYRING_PROVIDER from the job, keyring-provider from the configuration of uv, and "
        "delete the secret",
        sources=("FalkorDB/falkordblite#12", "pypa/gh-action-pypi-publish: twine-upload.sh"),
    ),
    Diagnosis(
        id="tp.environment-protection",
        title="the environment's rules do not let this tag or branch deploy",
        explanation="Deployment rules allow only the default branch, or require an approval that was not given.",
        symptoms=("is not allowed to deploy to {environment} due to environment protection rules",),
        remedy="allow the tag pattern (v*) under Settings, Environments, {environment}, Deployment branches and tags; "
        "then run the job again",
        detect="network",
        sources=("cerfacs-globc/icclim#315", "lidatong/dataclasses-json#477", "pydev-guide/pyrepo-copier#14"),
    ),
)

ATTESTATION_DIAGNOSES = (
    Diagnosis(
        id="attest.reusable",
        title="the attestation names another workflow than the publisher",
        explanation="It was signed in a reusable workflow, and its certificate names that workflow.",
        symptoms=(
            "400 Certificate's Build Config URI … does not match expected Trusted Publisher",
            "Certificate's Build Config URI",
        ),
        remedy="build, sign and upload in jobs of the workflow that is triggered; or set attestations: false until "
        "then",
        sources=("Teslemetry/python-tesla-fleet-api#116", "pypa/gh-action-pypi-publish#283"),
    ),
    Diagnosis(
        id="attest.with-api-token",
        title="attestations are sent with an API token",
        explanation="PyPI accepts attestations only from trusted publishers, and checks them last, after the whole "
        "file was sent.",
        symptoms=("400 Attestations are only supported when using Trusted Publishing",),
        remedy="upload without them (no --attestations, attestations: false), or set up trusted publishing",
        sources=("PEP 740", "pypi/warehouse#17312"),
    ),
    Diagnosis(
        id="attest.stale-files",
        title="attestations of an earlier upload are next to the files",
        explanation="An upload to TestPyPI leaves *.publish.attestation files behind, and the next upload fails on "
        "them.",
        symptoms=("already has a publish attestation", "Unknown distribution format: '{file}.attestation'"),
        remedy="delete them before the next upload: rm dist/*.publish.attestation; better, use a separate directory "
        "for each index",
        sources=("pypa/gh-action-pypi-publish#319", "Asana/python-asana#206", "aai-institute/lakefs-spec#303"),
    ),
    Diagnosis(
        id="attest.missing-for-file",
        title="attestations were requested, but a file has none",
        explanation="With --attestations, twine requires one for each file that it uploads, including files that are "
        "there by mistake.",
        symptoms=("Upload with attestations requested, but {file} has no associated attestations",),
        remedy="sign it: python -m pypi_attestations sign {file}; or remove it from the directory if it is not part of "
        "the release",
        weight="low",
        sources=("rzellem/EXOTIC#1344", "twine 7.0.0: commands.upload"),
    ),
    Diagnosis(
        id="attest.invalid",
        title="the index does not accept the attestation",
        explanation="It is malformed, belongs to other bytes, exceeds the number allowed, or comes from a service that "
        "is not supported.",
        symptoms=("400 Invalid attestations supplied during upload", "invalid JSON in attestation"),
        remedy="delete dist/*.attestation and sign the very files that are uploaded, or upload without attestations",
        detect="after",
        weight="low",
        sources=("PEP 740", "pypi/warehouse: attestations/services.py"),
    ),
)
