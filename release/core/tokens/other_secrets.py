"""Recognize what is a secret, or identifies something, but is no token of a package index. None of it is ever shown.

A format decides only as a whole: its prefix and the characters after it, so that no password is taken for a key.
Sources: the services' documentation of their formats; for lengths and alphabets also the rules of gitleaks 8.
"""

from __future__ import annotations

import re
from functools import cache

from release.core.tokens.defects import BLANKS, TokenDefect, counted

_STORE = "store a token of the package index instead; it begins with 'pypi-'"
_CREATE = "create an API token on your account page: PyPI accepts no passwords for uploads"

#: what it is → its form. Keys may be shorter or longer than today's, so lengths are minimums where services say so
_FORMATS = {
    "a GitHub token": r"gh[pousr]_\w{16,} | github_pat_\w{16,}",
    "a GitLab token": r"gl(?:pat|dt|rt|rtr|oas|cbt|ptt|ft|imt|agent|soat|ffct|wt)-[\w.-]{16,} | GR1348941[\w-]{20}",
    "an npm token": r"npm_[A-Za-z0-9]{16,}",
    "an AWS access key": r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16} | ABSK[A-Za-z0-9+/=]{100,}",
    "a Slack token": r"xox[a-z]-[\w-]{10,} | xapp-\d-[\w-]{10,}",
    "a Docker Hub token": r"dckr_(?:pat|oat)_[\w-]{16,}",
    "a Hugging Face token": r"(?:hf|api_org)_[A-Za-z0-9]{16,}",
    "a Google API key or token": r"AIza[\w-]{30,} | ya29\.[\w.-]{20,} | GOCSPX-[\w-]{20,} | 1//0[\w-]{30,}",
    "a RubyGems API key": r"rubygems_[0-9a-f]{40,}",
    "an Atlassian token": r"AT(?:ATT|CTT)[\w=-]{16,} | ATBB[\w=-]{16,}",
    "an API key of Anthropic": r"sk-ant-[\w-]{20,}",
    "an API key of OpenRouter": r"sk-or-[\w-]{20,}",
    "an API key of OpenAI or a compatible service": r"sk-(?:proj|svcacct|admin|None)-[\w-]{20,} | sk-\w{32,}",
    "an API key of SendGrid": r"SG\.[\w-]{16,}\.[\w-]{16,}",
    "a crates.io token": r"cio[A-Za-z0-9]{32}",
    "a JFrog Artifactory key or token": r"AKC[A-Za-z0-9]{16,} | cmVmd[A-Za-z0-9=]{40,}",
    "a DigitalOcean token": r"do[opr]_v1_[0-9a-f]{32,}",
    "a Stripe key": r"[srp]k_(?:live|test)_[A-Za-z0-9]{16,} | whsec_[A-Za-z0-9+/=]{16,}",
    "a Twilio key": r"(?:SK|AC)[0-9a-f]{32}",
    "a NuGet API key": r"oy2[a-z0-9]{43}",
    "an Azure DevOps token": r"[A-Za-z0-9]{75,76}AZDO[A-Za-z0-9]{4,5} | (?=[a-z]*[2-7])[a-z2-7]{52}",
    "an Azure client secret": r"[\w.~-]{3}[78]Q~[\w.~-]{31,34}",
    "an Anaconda token": r"[a-z]{2}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "a Databricks token": r"dapi[0-9a-f]{32}(?:-\d)?",
    "a HashiCorp Vault token": r"hv[sbr]\.[\w-]{20,}",
    "a HashiCorp Terraform token": r"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,}",
    "a Doppler token": r"dp\.(?:pt|st|sa|ct|scim|audit)\.[\w.-]{20,}",
    "a 1Password service account token": r"ops_eyJ[\w=-]{50,}",
    "a Bitwarden access token": r"0\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[A-Za-z0-9]{20,}:[\w+/=]{16,}",
    "a Postman API key": r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}",
    "a Grafana token": r"glsa_\w{32,} | glc_[\w+/=]{32,}",
    "a Sentry token": r"sntry[su]_[\w+/=.-]{32,}",
    "a SonarQube token": r"sq[pua]_[0-9a-f]{40}",
    "a Linear API key": r"lin_(?:api|oauth)_[A-Za-z0-9]{32,}",
    "a CircleCI token": r"CCI(?:PAT|PRJ)_\w{16,}",
    "a Buildkite token": r"bk[a-z]{2}_[A-Za-z0-9]{32,}",
    "a Pulumi token": r"pul-[0-9a-f]{40}",
    "a Netlify token": r"nf[a-z]_[A-Za-z0-9]{32,}",
    "a Shopify token": r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
    "a Telegram bot token": r"\d{8,10}:[\w-]{35}",
    "a Tailscale key": r"tskey-[a-z]+-[\w-]{16,}",
    "a New Relic key": r"NRAK-[A-Z0-9]{27}",
    "a Groq, xAI, Replicate or Perplexity API key": r"(?:gsk_|xai-|r8_|pplx-)[A-Za-z0-9]{30,}",
    "a Clojars token": r"CLOJARS_[a-z0-9]{32,}",
    "a Cloudflare key": r"v1\.0-[0-9a-f]{24}-[0-9a-f]{100,}",
    "a Discord token": r"[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}",
    "a Dropbox token": r"sl\.[\w-]{60,}",
    "a Fly.io token": r"fo1_[\w-]{30,} | FlyV1\ \S{30,}",
    "a Heroku key": r"HRKU-[\w-]{30,}",
    "a HubSpot token": r"pat-[a-z]{2}\d-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "a JetBrains token": r"perm[:-][\w=.+/-]{20,}",
    "a Mailgun key": r"key-[0-9a-f]{32}",
    "a Mapbox token": r"[ps]k\.eyJ[\w.-]{20,}",
    "an OpenShift token": r"sha256~[\w-]{40,}",
    "a PlanetScale or Supabase token": r"pscale_(?:tkn|pw|oauth)_[\w.=-]{32,} | sbp_[0-9a-f]{40}",
    "a Prefect or PostHog key": r"pn[ub]_[A-Za-z0-9]{32,} | ph[cx]_[A-Za-z0-9]{32,}",
    "a Square token": r"EAAA[\w-]{50,} | sq0[a-z]{3}-[\w-]{20,}",
    "a Scalingo or Brevo key": r"tk-us-[\w-]{40,} | xkeysib-[0-9a-f]{64}-\w{16}",
    "an Airtable token": r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",
    "a Dynatrace token": r"dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}",
    "a Figma or Notion token": r"figd_[\w-]{32,} | (?:ntn|secret)_[A-Za-z0-9]{40,}",
}
_KEYS = re.compile(
    r"-----BEGIN\ .* | (?:sk-)?(?:ssh|ecdsa)-[\w@.-]+\s+AAAA.* | PuTTY-User-Key-File-.*"
    r" | (?:AGE-SECRET-KEY-1|age1)\w{50,} | \{.*\"private_key\".*\}",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_JWT = re.compile(r"(?:bearer\s+)?eyJ[\w-]{4,}={0,2}\.(?:eyJ)?[\w-]*={0,2}\.[\w.=-]*", re.ASCII | re.IGNORECASE)
_UUID = re.compile(r"(?:urn:uuid:)?\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?", re.IGNORECASE)
#: digits of MD5, SHA-1, SHA-224, SHA-256, SHA-384 and SHA-512
_DIGEST_LENGTHS = (32, 40, 56, 64, 96, 128)
_DIGEST = re.compile(r"(?:(?:sha\d+|md5|blake2b\w*)[:=-])?([0-9a-f]{32,128})", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}", re.ASCII)
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.)\S+", re.IGNORECASE)
_CODE = re.compile(r"\d{6}|\d{3}[ -]\d{3}")
_RECOVERY = re.compile(r"(?=[a-f]*[0-9])[0-9a-f]{16}")


def other_secret(text: str) -> TokenDefect | None:
    """The defect of a text that is a key of another service, also with "pypi-" in front of it."""
    core = text.strip(BLANKS).removeprefix("pypi-")
    if _JWT.fullmatch(core):
        message = "this is a JSON Web Token, such as an identity token of a CI service, not a token of a package index"
        remedy = "remove it: trusted publishing exchanges an identity token itself; otherwise " + _STORE
        return TokenDefect("cred.other-service", message, remedy)
    if _KEYS.fullmatch(core):
        message = "this is a private or public key, not a token of a package index"
        return TokenDefect("cred.other-service", message, _STORE)
    found = _formats().fullmatch(core)
    if found is None:
        return None
    kind = tuple(_FORMATS)[(found.lastindex or 1) - 1]
    before = ", with 'pypi-' in front of it" if "pypi-" in text else ""
    return TokenDefect("cred.other-service", f"this is {kind}{before}, not a token of a package index", _STORE)


def identifier(text: str) -> TokenDefect | None:
    """The defect of a text that identifies something, but allows nothing: a UUID, a digest, an address."""
    core = text.strip(BLANKS).removeprefix("pypi-")
    digest = _DIGEST.fullmatch(core)
    if _UUID.fullmatch(core):
        what = "a UUID: the identifier of a token, or a token of a service such as Codecov"
    elif digest is not None and len(digest[1]) in _DIGEST_LENGTHS:
        what = f"{len(digest[1])} hexadecimal digits: a digest, such as the hash of a file, or an identifier or key"
    elif "AgE" in core:  # a token, in an address or before one
        return None
    elif _EMAIL.fullmatch(core):
        what = "an e-mail address"
    elif _URL.fullmatch(core):
        what = "a URL"
    else:
        return None
    return TokenDefect("cred.identifier", f"this is {what}, not an API token", _STORE)


def account_secret(text: str) -> TokenDefect:
    """The defect of any text: a code or a password of an account, by its length alone if nothing else shows."""
    core = text.strip(BLANKS)
    if _CODE.fullmatch(core):
        message = "this is not an API token, but 6 digits, like a one-time code for logging in"
    elif _RECOVERY.fullmatch(core):
        message = "this is not an API token, but 16 hexadecimal digits, like a recovery code of an account"
    else:
        message = f"this is not an API token, but a password or other text of {counted(len(core), 'character')}"
    return TokenDefect("cred.account-password", message, _CREATE)


@cache
def _formats() -> re.Pattern[str]:
    """All formats in one pattern, with a group for each."""
    return re.compile("|".join(f"({form})" for form in _FORMATS.values()), re.VERBOSE | re.ASCII)
