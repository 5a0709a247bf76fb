"""What a well-formed credential may do: scope, validity, account, role."""

from __future__ import annotations

from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="cred.project-scope-mismatch",
        title="the token is limited to another project",
        explanation="A token for one project cannot upload to another. The index checks this before the signature, so "
        "the rest of the token may be damaged, too.",
        symptoms=(shared_phrases.OTHER_PROJECT,),
        remedy="create a token for {project} at {site}/manage/account/token/, or compare the name in pyproject.toml "
        "with the project that the token is for",
        detect="offline",
        weight="medium",
        sources=("pypi/warehouse: macaroons/caveats",),
    ),
    Diagnosis(
        id="cred.project-scope-new-project",
        title="the token is limited to one project, and this project does not exist yet",
        explanation="A token can be limited only to projects that exist, so the first upload of a project needs a "
        "token for the whole account, or a pending trusted publisher.",
        symptoms=(shared_phrases.OTHER_PROJECT,),
        remedy="upload the first release with a token for the whole account, created at {site}/manage/account/token/; "
        "afterwards replace it with one for {project} only",
        detect="network",
        weight="medium",
        sources=("PyPI help: apitoken", "pypi/warehouse: forklift/legacy.py"),
    ),
    Diagnosis(
        id="cred.expired",
        title="the token has expired, or is not valid yet",
        explanation="A token can have a time limit, added by its holder or by trusted publishing. The server's clock "
        "decides; the message is the same for a token that is not valid yet.",
        symptoms=(shared_phrases.EXPIRED,),
        remedy="use the token that this one was derived from, or create one at {site}/manage/account/token/; if it "
        "should still be valid, set this machine's clock",
        detect="offline",
        weight="medium",
        sources=("pypi/warehouse: macaroons/caveats",),
    ),
    Diagnosis(
        id="cred.revoked",
        title="the token was deleted, or never existed on this index",
        explanation="The token is well formed and was issued by this index, but the index does not know its "
        "identifier: it was deleted by hand, in the recovery of the account, or by a rotation.",
        symptoms=(shared_phrases.INVALID_AUTH,),
        remedy="look for the identifier {identifier} among the tokens at {site}/manage/account/; if it is not there, "
        "create a token at {site}/manage/account/token/ and store it in place of this one",
        detect="probe",
        weight="high",
        sources=("pypi/warehouse: macaroons/services.py", "PyPI help: apitoken"),
    ),
    Diagnosis(
        id="cred.leaked-auto-revoked",
        title="the token was published and therefore revoked",
        explanation="GitHub and others report tokens that they find in public; PyPI deletes them within seconds and "
        "notifies the owner by mail. Files of a release, logs and discussion threads count as public.",
        symptoms=(shared_phrases.INVALID_AUTH,),
        remedy="look for PyPI's mail about an exposed token, create a new token at {site}/manage/account/token/, and "
        "remove the old one from where it was found: git log --all --oneline -S pypi-",
        detect="probe",
        weight="medium",
        sources=("PyPI help: compromised-token", "pypi/warehouse#6051", "PyPI blog 2023-08-17: GitHub token scanning"),
    ),
    Diagnosis(
        id="cred.signature-mismatch",
        title="the signature of the token is wrong",
        explanation="The identifier is known, but the signature does not match: a character inside the token was "
        "changed, or a caveat was added by hand. Only the index can detect this.",
        symptoms=("403 Invalid API Token: … signatures do not match",),
        remedy="copy the token again from where it was first stored; if there is no such place, create one at "
        "{site}/manage/account/token/",
        detect="probe",
        weight="low",
        sources=("pypi/warehouse: macaroons/caveats",),
    ),
    Diagnosis(
        id="cred.user-caveat",
        title="the token is limited to another user",
        explanation="A token contains the account that it was created for. An index refuses a token with another "
        "account in it.",
        symptoms=(
            "403 current user does not match user restriction in token",
            "403 token with user restriction without",
        ),
        remedy="create a token at {site}/manage/account/token/ while signed in as the user who uploads",
        detect="probe",
        weight="low",
        sources=("pypi/warehouse: macaroons/caveats",),
    ),
    Diagnosis(
        id="cred.caveat-invalid",
        title="the token has a caveat that the index does not know",
        explanation="A caveat was added that is not an array, has an unknown tag, or has values of the wrong form. "
        "Indexes refuse caveats that they cannot check.",
        symptoms=(
            "403 Invalid API Token: … caveat has unknown tag",
            "403 Invalid API Token: … caveat must be an array",
            "403 Invalid API Token: … caveat array cannot be empty",
            "403 Invalid API Token: … invalid values for fields",
            "403 Invalid API Token: … Not enough values",
            "403 Invalid API Token: … unknown error",
            "403 Invalid API Token: invalid macaroon",
        ),
        remedy="use the token as the index issued it, without the added caveat; if it is unchanged, see "
        "status.python.org and try again later",
        detect="probe",
        weight="low",
        sources=("pypi/warehouse: macaroons/caveats", "pypi/warehouse#15586", "pypi/support#618"),
    ),
    Diagnosis(
        id="account.disabled",
        title="the account is frozen or its password is disabled",
        explanation="A password found in a leak, an administrator's intervention, or a project in quarantine disables "
        "the account and all its tokens. The index answers as for an unknown token.",
        symptoms=(shared_phrases.INVALID_AUTH,),
        remedy="sign in at {site}/account/login/ and follow the instructions there; for a frozen account see "
        "{site}/help/#account-recovery",
        detect="probe",
        weight="low",
        sources=(
            "PyPI help: compromised-password, suspicious-activity",
            "pypi/warehouse: macaroons/security_policy.py",
        ),
    ),
    Diagnosis(
        id="account.email-unverified",
        title="the account has no verified primary email address",
        explanation="Bounced mail removes the verification, sometimes years later, and nothing reports it until the "
        "next upload fails. PyPI and TestPyPI verify addresses separately.",
        symptoms=(
            "403 User '{user}', associated with the API token used, does not have a verified primary email address",
            "400 User '{user}' does not have a verified primary email address",
        ),
        remedy="sign in as {user}, verify the primary address at {site}/manage/account/#account-emails, and run it "
        "again",
        detect="probe",
        weight="high",
        sources=(
            "PyPI help: verified-email",
            "conda/conda-lock#630",
            "PyGithub/PyGithub#872",
            "pyload/pyload#4451",
            "PurpleMyst/sansio-lsp-client#61",
        ),
    ),
    Diagnosis(
        id="account.no-2fa",
        title="the account has no two-factor authentication",
        explanation="PyPI accepts uploads only from accounts with a second factor: an authenticator application or a "
        "security device. The help page named in its answer does not exist.",
        symptoms=(
            "403 User '{user}', associated with the API token used, does not have two-factor authentication enabled",
        ),
        remedy="sign in as {user} and add a second factor at {site}/manage/account/#two-factor; see {site}/help/#twofa",
        detect="probe",
        weight="medium",
        sources=("PyPI help: twofa", "pypi/warehouse#14762"),
    ),
    Diagnosis(
        id="account.no-role",
        title="the account has no role on the project",
        explanation="The token is valid, but its user is neither owner nor maintainer of the project: they were "
        "removed or never invited, or it is another account than intended. Another token of the same user does not "
        "help.",
        symptoms=(shared_phrases.NO_ROLE, "403 You are not allowed to upload to '{project}'"),
        remedy="ask an owner to add {user} at {site}/manage/project/{project}/collaboration/, and accept the "
        "invitation; or use a token of an account that has a role there",
        detect="probe",
        weight="medium",
        sources=("PyPI help: collaborator-roles", "pypa/packaging-problems#642", "yougov/mongo-connector#831"),
    ),
    Diagnosis(
        id="org.inactive",
        title="the organization that owns the project is inactive",
        explanation="A company organization without valid billing, or a community organization that an administrator "
        "disabled, cannot release.",
        symptoms=("400 Organization account owning this project is inactive",),
        remedy="ask an owner of the organization to check {site}/manage/organizations/, or write to "
        "support+orgs@pypi.org",
        detect="probe",
        weight="low",
        sources=("pypi/warehouse: forklift/legacy.py",),
    ),
    Diagnosis(
        id="project.archived",
        title="the project is archived",
        explanation="An archived project accepts no uploads; the index answers that the user isn't allowed to upload, "
        "as for a missing role.",
        also=(shared_phrases.NO_ROLE, shared_phrases.NO_ROLE_MINTED),
        shows="like a missing role, although the user is an owner",
        remedy="unarchive the project at {site}/manage/project/{project}/settings/, and run it again",
        detect="network",
        weight="low",
        sources=("PEP 792", "PyPI help: archived-project"),
    ),
    Diagnosis(
        id="project.quarantined",
        title="the project is in quarantine",
        explanation="Administrators suspect malware. The project cannot be installed, the accounts of its users are "
        "frozen, and their tokens are answered as unknown.",
        also=(shared_phrases.INVALID_AUTH, shared_phrases.NO_ROLE_MINTED),
        shows="like an unknown token, for every user of the project",
        remedy="write to security@pypi.org; see {site}/help/#project_in_quarantine",
        detect="network",
        weight="low",
        sources=("PEP 792", "PyPI help: project_in_quarantine"),
    ),
)
