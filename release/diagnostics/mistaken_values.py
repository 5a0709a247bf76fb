"""What is stored as the credential is no token: a reference, a path, an identifier, a token in another encoding."""

from __future__ import annotations

from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="cred.secret-reference",
        title="the credential is a reference to a secret, not the secret",
        explanation="Secret managers replace references such as op://vault/item/field or vault:secret/path#key, but "
        "only in what they start or render themselves. Uploaders replace nothing, so the reference was sent as the "
        "token.",
        symptoms=(shared_phrases.ODD,),
        also=(shared_phrases.INVALID_AUTH,),
        shows="like any wrong token; only the value itself shows it",
        remedy="run the upload through the tool that replaces the reference, such as op run, or store the token itself",
        sources=("1Password documentation: Secret reference syntax", "AWS documentation: ARNs of Secrets Manager"),
    ),
    Diagnosis(
        id="cred.file-path",
        title="the credential is the path of a file, not its content",
        explanation="Docker, Kubernetes and some CI services hand out secrets as files, such as "
        "/run/secrets/pypi_token. Uploaders open no file that is named in TWINE_PASSWORD, so the path was sent as the "
        "token.",
        symptoms=(shared_phrases.ODD,),
        also=(shared_phrases.INVALID_AUTH,),
        shows="like any wrong token; only the value itself shows it",
        remedy='read the file into the variable: export TWINE_PASSWORD="$(cat /run/secrets/pypi_token)"',
        sources=("Docker documentation: Manage sensitive data with Docker secrets",),
    ),
    Diagnosis(
        id="cred.identifier",
        title="the credential is an identifier, such as a UUID or a digest, not a token",
        explanation="A UUID is the identifier of a token, or a token of a service such as Codecov; hexadecimal digits "
        "are the hash of a file; an e-mail address or a URL belongs in another setting. None of them is accepted for "
        "uploads.",
        symptoms=(shared_phrases.ODD,),
        also=(shared_phrases.INVALID_AUTH,),
        shows="like any wrong token; only the value itself shows it",
        remedy="store the token itself, which begins with pypi- and is shown only once; if it is lost, create one at "
        "{site}/manage/account/token/",
        weight="low",
        sources=("pypi/warehouse: macaroons/services.py", "RFC 9562, section 4"),
    ),
    Diagnosis(
        id="cred.encoded",
        title="the credential is a token in another encoding",
        explanation="Kubernetes stores secrets in base64, URLs percent-encode them, JSON and HTML escape them. "
        "Uploaders decode nothing, so the encoded text was sent as the token.",
        symptoms=(shared_phrases.ODD,),
        also=(shared_phrases.INVALID_AUTH,),
        shows="like any wrong token; only the value itself shows it",
        remedy="store the decoded token, beginning with pypi-: base64 --decode, or copy it again from where it was "
        "created",
        weight="low",
        sources=("Kubernetes documentation: Secrets", "RFC 3986, section 2.1", "RFC 8259, section 7"),
    ),
)
