"""What the credential may do, and the name of the project."""

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
        sources=("PyPI help: apitoken", "pypi/warehouse: forklift/legacy.py"),
    ),
    Diagnosis(
        id="cred.expired",
        title="the token has expired",
        explanation="A token can have a time limit, added by its holder or by trusted publishing. The server's clock "
        "decides.",
        symptoms=(shared_phrases.EXPIRED,),
        remedy="use the token that this one was derived from, or create one at {site}/manage/account/token/; if it "
        "should still be valid, set this machine's clock",
        sources=("pypi/warehouse: macaroons/caveats",),
    ),
    Diagnosis(
        id="cred.not-yet-valid",
        title="the token is not valid yet",
        explanation="A limit that was added to the token sets when it becomes valid. Either that time is to come, or "
        "the clock of the machine that added the limit was ahead. The server's clock decides; its message is the one "
        "for an expired token.",
        also=(shared_phrases.EXPIRED,),
        remedy="wait until the time that pypi-preflight verify --index {index} shows; if it has passed, set this "
        "machine's clock, for example by NTP",
        weight="low",
        sources=("pypi/warehouse: macaroons/caveats",),
    ),
    Diagnosis(
        id="cred.revoked",
        title="the token was deleted, or never existed on this index",
        explanation="The token is well formed and was issued by this index, but the index does not know its "
        "identifier: it was deleted by hand, in the recovery of the account, or by a rotation.",
        symptoms=(shared_phrases.INVALID_AUTH,),
        also=(shared_phrases.UNAUTHORIZED,),
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
        "account in it; two of them in one token are detected offline.",
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
        "Indexes refuse caveats that they cannot check, for every upload.",
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
            "400 User '{user}' has no verified email addresses",
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
            "403 User '{user}' does not have two-factor authentication enabled",
        ),
        remedy="sign in as {user} and add a second factor at {site}/manage/account/#two-factor; see {site}/help/#twofa",
        detect="probe",
        sources=("PyPI help: twofa", "pypi/warehouse#14762"),
    ),
    Diagnosis(
        id="account.no-role",
        title="the account has no role on the project",
        explanation="The token is valid, but its user is neither owner nor maintainer of the project: they were "
        "removed or never invited, or it is another account than intended. Another token of the same user does not "
        "help.",
        symptoms=(
            shared_phrases.NO_ROLE,
            "403 You are not allowed to upload to '{project}'",
            "403 You are not allowed to edit '{project}' package information",
            "403 The credential associated with user '{user}' isn't allowed to upload to project '{project}'",
        ),
        remedy="ask an owner to add {user} at {site}/manage/project/{project}/collaboration/, and accept the "
        "invitation; or use a token of an account that has a role there",
        detect="probe",
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

PROJECT_NAME_DIAGNOSES = (
    Diagnosis(
        id="name.taken",
        title="the name belongs to another account",
        explanation="The project exists, and the account has no role on it. The index answers that the user isn't "
        "allowed to upload; the credential is valid.",
        symptoms=(shared_phrases.NO_ROLE, "403 You are not allowed to upload to '{project}'"),
        remedy="check {site}/project/{project}/: choose another name in pyproject.toml, or ask its owners for a role",
        detect="network",
        weight="high",
        sources=("pypi/warehouse#15411", "pypi/warehouse#11059", "pypi/warehouse#14891", "pypa/twine#261"),
    ),
    Diagnosis(
        id="name.reserved-empty",
        title="the name is registered, but has no releases",
        explanation="The project exists without files, so its page is not found, yet uploads are refused. TestPyPI has "
        "other projects, and may accept the name.",
        symptoms=(shared_phrases.NO_ROLE,),
        remedy="choose another name in pyproject.toml, or claim this one: {site}/help/#project-name-claim",
        detect="network",
        weight="high",
        sources=(
            "PEP 541",
            "pypi/support#167",
            "pypi/support#4153",
            "pypi/warehouse#9099",
            "pypi/warehouse#11270",
            "pypi/warehouse#10830",
        ),
    ),
    Diagnosis(
        id="name.too-similar",
        title="the name is too similar to an existing one",
        explanation="PyPI compares new names without case, dots, hyphens and underscores, and treats l and i as 1, and "
        "o as 0. It does not say which project the name is similar to.",
        symptoms=("400 The name '{project}' is too similar to an existing project",),
        remedy="choose a name that differs in letters, not in punctuation: {site}/help/#project-name",
        detect="network",
        weight="high",
        sources=("pypi/support#3761", "pypi/support#2012", "pypa/packaging-problems#1082", "pypi/warehouse#13373"),
    ),
    Diagnosis(
        id="name.prohibited",
        title="the name is prohibited",
        explanation="PyPI has a list of names that cannot be registered, because of abuse or to prevent mistakes; only "
        "the server knows it.",
        symptoms=("400 The name '{project}' isn't allowed. See",),
        remedy="choose another name in pyproject.toml: {site}/help/#project-name",
        detect="probe",
        sources=("pypi/warehouse#14891", "pypi/warehouse#10810", "pypa/packaging-problems#872"),
    ),
    Diagnosis(
        id="name.stdlib",
        title="the name is that of a standard library module",
        explanation="Names of modules of any Python since 2.6 are refused, including submodules.",
        symptoms=("400 The name '{project}' isn't allowed (conflict with Python Standard Library module name)",),
        remedy="choose another name in pyproject.toml: {site}/help/#project-name",
        weight="low",
        sources=("PyPI help: project-name", "pypi/stdlib-list"),
    ),
    Diagnosis(
        id="name.canonical-mismatch",
        title="a file's name does not begin with the normalized project name",
        explanation="PEP 625 and the wheel format require the normalized name and version, with the name in lower case "
        "and with underscores. Old backends use the name as it is spelled in the project.",
        symptoms=(
            "400 Start filename for '{project}' with '{expected}'",
            "400 Filename '{file}' is invalid, should be '{expected}'",
            "400 Filename '{file}' should contain the normalized project name '{expected}'",
        ),
        remedy="upgrade the build backend (setuptools>=80, hatchling, flit-core or poetry-core of this year) under "
        "[build-system] requires, and build again; never rename a built file",
        sources=("PEP 625", "PEP 427", "pypa/hatch#833", "pypi/warehouse#10030"),
    ),
    Diagnosis(
        id="name.invalid",
        title="the project's name is not valid",
        explanation="A name begins and ends with a letter or a digit, and consists of ASCII letters, digits, dots, "
        "hyphens and underscores only.",
        symptoms=(
            "400 is an invalid value for Name. Error: Start and end with a letter or numeral",
            "400 The name '{project}' is invalid",
            "400 Invalid value for name. Error: Start and end with a letter or numeral",
        ),
        remedy="correct name under [project] in pyproject.toml",
        weight="low",
        sources=("PEP 508", "packaging.python.org: Names and normalization"),
    ),
    Diagnosis(
        id="name.race",
        title="the project was created by someone else at the same moment",
        explanation="Two first uploads happened at once: from two jobs of one release, or from two people.",
        symptoms=("409 The name '{project}' conflicts with an existing project",),
        remedy="run it again: if the project is yours, the upload succeeds; upload the first file alone, not several "
        "at once",
        detect="after",
        weight="low",
        sources=("pypi/warehouse: packaging/services.py",),
    ),
)
