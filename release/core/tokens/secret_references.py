"""Recognize a reference to a secret, and the path of a file, where a token should be.

Sources: the documentation of the secret managers, and of tools that replace such references (op, vals, berglas,
chamber, summon, bank-vaults).
"""

from __future__ import annotations

import re

from release.core.tokens.defects import TokenDefect
from release.core.tokens.plain_words import all_plain, quoted, some_known

#: what it is a reference to → its forms, and what replaces it
_FORMS: dict[str, tuple[str, str]] = {
    "1Password": (r"(?:op\ read\s+)?[\"']?(?:op|1password|onepassword)://.+", "let `op run` replace the reference"),
    "HashiCorp Vault": (r"vault:(?!//)\S+/\S+ | vault://.+", "read the secret with `vault kv get`"),
    "AWS Secrets Manager": (
        r"arn:aws[\w-]*:secretsmanager:.+ | (?:aws[-:]?secrets?-?manager|aws-?sm|secretsmanager):\S+",
        "read the secret with `aws secretsmanager get-secret-value`",
    ),
    "AWS Systems Manager": (
        r"arn:aws[\w-]*:ssm:.+ | (?:aws-?)?ssm(?:-parameter)?:/.+",
        "read the secret with `aws ssm get-parameter`",
    ),
    "a secret of AWS CloudFormation": (
        r"\{\{resolve:(?:secretsmanager|ssm|ssm-secure):.+\}\}",
        "let CloudFormation resolve it",
    ),
    "Google Secret Manager": (
        (
            r"(?:sm|gcp-?secrets?|gcp-?sm|gcp-?secret-?manager|berglas|google-secret-manager|secretmanager)://.+"
            r" | projects/[^/\s]+/(?:locations/[^/\s]+/)?secrets/.+"
        ),
        "read the secret with `gcloud secrets versions access`",
    ),
    "Azure Key Vault": (
        (
            r"@Microsoft\.KeyVault\(.*\) | (?:akvs?|azure-?kv|azure-?key-?vault|keyvault):\S+"
            r" | https://[\w-]+\.vault\.azure\.net/\S*"
        ),
        "read the secret with `az keyvault secret show`",
    ),
    "Bitwarden": (r"(?:bws|bw|bitwarden|rbw):\S+", "read the secret with `bws secret get` or `bw get`"),
    "KeePassXC": (r"keepass(?:xc)?:\S+", "read the secret with `keepassxc-cli show`"),
    "pass": (r"(?:go)?pass:(?!//)[\w.-]+(?:/[\w.-]+)+ | (?:go)?pass://.+", "read the secret with `pass show`"),
    "Doppler": (r"doppler:\S+", "let `doppler run` set the variable"),
    "Infisical": (r"infisical:\S+", "let `infisical run` set the variable"),
    "a password manager": (
        r"(?:lastpass|lpass|dl|dashlane|protonpass|enpass|keeper|akeyless|cyberark|chamber)://.+",
        "read the secret with that program",
    ),
    "a secret store": (
        r"ref\+[a-z0-9]+://.+ | secretref\+?://.+ | secrets?://.+",
        "resolve it with the tool that defines it",
    ),
    "a keyring": (r"(?:keychain|keyring|secret-tool|wincred):\S+", "let the uploader read the keyring itself"),
    "an encrypted value": (
        r"\$ANSIBLE_VAULT;.+ | ENC\[.+\] | sops:\S+ | !vault\b.*",
        "decrypt the value before the upload",
    ),
    "Conjur": (r"!var(?::\w+)?\s\S+ | conjur:\S+", "let `summon` replace it"),
    "a Kubernetes secret": (r"(?:secretKeyRef|valueFrom)\b.* | k8s://.+", "let the cluster set the variable"),
    "an environment variable": (
        r"env:(?://)?[A-Z][A-Z0-9_]+ | os\.(?:environ|getenv)\W.+",
        "write the variable as $NAME, which a shell expands",
    ),
}
_COMPILED = {what: re.compile(form, re.DOTALL | re.VERBOSE) for what, (form, _) in _FORMS.items()}

#: the syntax in which templates and Spring write references
_WRAPPED = re.compile(r"^(?:\{\{|\$\{|<)\s*(?!env:)([a-z][\w+-]*:[^{}<>]+?)\s*(?:\}\}|\}|>)$")
_ROOT = (
    r"/(?:run|var|etc|home|root|tmp|usr|opt|mnt|srv|Users|secrets|vault|private|dev|proc|workspace|github|builds|app|Volumes|media|data"
    r"|config|[cd]/Users)"
)
_PART = r"[\w.@ -]+"
_ENDING = r"\.(?:txt|token|json|ini|cfg|conf|toml|ya?ml|env|key|pem|secret|pass|password|gpg|asc|age|pypirc|netrc)"
#: directories that only the start of a path has
_START = r"(?:~[\w.-]*|\.\.?|\$\{?HOME\}?|%\w+%|\$[Ee]nv:\w+|[A-Za-z]:|\\\\[\w.-]+)"
#: directories of relative paths without an ending
_TRADE = r"(?:\.?secrets?|tokens?|credentials|keys|config)"
_PATH = re.compile(
    rf"""@?(?: {_ROOT}(?:/{_PART})+/? | {_START}(?:[/\\]{_PART})+ | (?:[\w.-]+/)+[\w.-]*{_ENDING}
      | {_TRADE}(?:/[\w.-]+)+
      | [\w.-]*\.(?:txt|json|ini|cfg|toml|ya?ml|env|pem|gpg|asc|pypirc|netrc) ) | file:\S+ """,
    re.VERBOSE | re.ASCII,
)
#: what begins like this, or begins and ends like this, is no password
_CERTAIN_PATH = re.compile(rf"(?:@|file:(?://)?)?(?:{_ROOT}/.+|{_START}[/\\].+{_ENDING})", re.DOTALL)


def secret_reference(core: str) -> TokenDefect | None:
    """The defect of a reference that a secret manager's tool replaces, and no uploader."""
    inner = _WRAPPED.sub(r"\1", core)
    for what, form in _COMPILED.items():
        if form.fullmatch(core) or form.fullmatch(inner):
            certain = "/" in core or core.startswith(("arn:", "@Microsoft.", "{{resolve:"))
            message = f"a reference to {what},{quoted(core, certain=certain)}, is stored instead of the token"
            return TokenDefect("cred.secret-reference", message, f"{_FORMS[what][1]}, or store the token itself")
    return None


def file_path(core: str) -> TokenDefect | None:
    """The defect of the path of a file; the file may contain the token."""
    if not _PATH.fullmatch(core):
        return None
    certain = _CERTAIN_PATH.fullmatch(core) is not None
    words = re.findall(r"[A-Za-z0-9]+", core)
    if not certain and not (all_plain(words) and (some_known([one.lower() for one in words]) or len(words) > 2)):  # noqa: PLR2004 - two words may be a password
        return None
    text = quoted(core, certain=certain)
    message = f"the path of a file,{text}, is stored instead of its content"
    path = (
        re.sub(r"^(?:@|file:(?://(?=/))?)", "", core)
        if text[1] in "'\"" and "$" not in core and "%" not in core
        else ""
    )
    return TokenDefect("cred.file-path", message, "store the content of that file, not its path", path)
