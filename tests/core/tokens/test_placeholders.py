"""What stands in the place of a token is named and shown; no password is ever shown."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from release.core.secret import Secret
from release.core.tokens.defects import TokenDefect
from release.core.tokens.plain_words import all_known, words_of
from release.core.tokens.token import decode
from tests.fake_tokens import token


def defect_of(value: str) -> TokenDefect:
    found = decode(Secret(value))
    assert isinstance(found, TokenDefect)
    return found


REFERENCES = """
op://release/pypi/token
op://Private/PyPI API token/credential
vault:secret/data/pypi#token
vault://secret/pypi/token
ref+vault://secret/pypi#/token
arn:aws:secretsmanager:eu-west-1:123456789012:secret:pypi-token-AbCdEf
arn:aws:ssm:eu-west-1:123456789012:parameter/release/pypi
aws-secretsmanager://release/pypi
ssm://release/pypi/token
{{resolve:secretsmanager:pypi:SecretString:token}}
sm://acme/pypi-token
gcp-secret://acme/pypi-token
projects/123456/secrets/pypi-token/versions/latest
berglas://acme/pypi-token
@Microsoft.KeyVault(SecretUri=https://acme.vault.azure.net/secrets/pypi/)
akv://acme/pypi-token
https://acme.vault.azure.net/secrets/pypi
keepassxc://release/pypi
pass:pypi/token
pass://release/pypi/token
doppler://acme/prod/PYPI_TOKEN
infisical://acme/prod/PYPI_TOKEN
bws://pypi-token
keychain:pypi-token
{{ op://release/pypi/token }}
${sm://pypi-token}
${vault:secret/pypi}
ssm:/release/pypi
keyvault:pypi-token
op read op://release/pypi/token
env:PYPI_TOKEN
env://TWINE_PASSWORD
sops:secrets/pypi
secret://pypi/token
""".strip().splitlines()

PATHS = """
/run/secrets/pypi_token
/var/run/secrets/pypi/token
/home/alice/.config/pypi/token
/etc/pypi-token
/Users/alice/pypi.txt
~/.pypi-token
~/secrets/acme.token
./token.txt
../secrets/pypi.txt
@token.txt
@/run/secrets/pypi_token
token.txt
secrets/pypi.token
secrets/pypi_token
~/token
.pypirc
/c/Users/alice/token
file:/run/secrets/pypi_token
file:///run/secrets/pypi_token
C:\\Users\\alice\\pypi.txt
C:/secrets/token.txt
$HOME/.pypi_token
%USERPROFILE%\\pypi_token.txt
""".strip().splitlines()

PLACEHOLDERS = """
${PYPI_TOKEN}
${PYPI_TOKEN:-}
${PYPI_TOKEN:?}
${X:-}
$PYPI_TOKEN
$ACME_PYPI_TOKEN
$pypi_token
$(cat ~/.token)
`pass show pypi`
%(pypi_token)s
%PYPI_TOKEN%
%pypi_token%
!PYPI_TOKEN!
$Env:PYPI_TOKEN
${env:PYPI_TOKEN}
{{ pypi_token }}
{{pypi_token}}
{% pypi_token %}
<%= pypi_token %>
${{ secrets.PYPI_TOKEN }}
${{ secrets.ACME_RELEASE }}
$[variables.pypi_token]
$(PYPI_TOKEN)
$(pypi.token)
#{PYPI_TOKEN}#
#{PYPI_TOKEN}
__PYPI_TOKEN__
@@PYPI_TOKEN@@
<<PYPI_TOKEN>>
((pypi_token))
[[ pypi_token ]]
%{PYPI_TOKEN}
$$PYPI_TOKEN
\\$PYPI_TOKEN
\\${PYPI_TOKEN}
%env(PYPI_TOKEN)%
!secret pypi_token
cat ~/.token
pass show pypi
${{ secrets.PYPI_TOKEN }
secrets.PYPI_TOKEN
env.PYPI_TOKEN
secrets.pypi_token
PYPI_API_TOKEN
TWINE_PASSWORD
UV_PUBLISH_TOKEN
ACME_PYPI_TOKEN
MY_PROJECT_PYPI_TOKEN
pypiToken
apiToken
TWINE_PASSWORD=$PYPI_TOKEN
pypi-API_TOKEN
GITHUB_TOKEN
<your token>
<token>
[your token here]
{token}
REPLACE_ME
CHANGE_ME
CHANGEME
ChangeMe
changeit
TODO
FIXME
XXX
xxxxxxxx
TBD
dummy
test
example
foo
fake-token
your-token-here
YOUR_TOKEN_HERE
YOUR_API_TOKEN
yourtokenhere
your pypi token
insert token here
pypi-YOUR_TOKEN
pypi-your-token-here
pypi-REPLACE_ME
pypi-xxxxxxxx
pypi-<token>
pypi-${PYPI_TOKEN}
None
none
null
NULL
undefined
true
false
0
n/a
__token__
***
[REDACTED]
""".strip().splitlines()


@pytest.mark.parametrize("value", REFERENCES)
def test_a_reference_is_named_and_shown(value: str) -> None:
    found = defect_of(value)
    assert (found.cause, f"'{value[:50]}" in found.message) == ("cred.secret-reference", True), found
    assert "or store the token itself" in found.remedy


@pytest.mark.parametrize("value", PATHS)
def test_a_path_is_named_and_shown(value: str) -> None:
    found = defect_of(value)
    assert (found.cause, f"'{value}'" in found.message) == ("cred.file-path", True), found


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("/run/secrets/pypi_token", "/run/secrets/pypi_token"),
        ("@/run/secrets/pypi_token\n", "/run/secrets/pypi_token"),
        ("file:///run/secrets/pypi_token", "/run/secrets/pypi_token"),
        ("file:token.txt", "token.txt"),
        ("~/.pypi-token", "~/.pypi-token"),
        ("$HOME/.pypi_token", ""),
        ("/home/alice/x7Kq2mZp9vT4nW8bL2", ""),
        ("op://release/pypi/token", ""),
    ],
)
def test_the_path_is_given_to_the_remedy_if_it_may_be_shown(value: str, path: str) -> None:
    assert defect_of(value).path == path


@pytest.mark.parametrize("value", PLACEHOLDERS)
def test_a_placeholder_is_named_and_shown(value: str) -> None:
    found = defect_of(value)
    assert found.cause == "cred.placeholder"
    assert value.removeprefix("pypi-$") in found.message


@pytest.mark.parametrize("around", ["{}\n", " {} ", "'{}'", '"{}"'])
@pytest.mark.parametrize("value", ["op://release/pypi/token", "/run/secrets/pypi_token", "$PYPI_TOKEN", "REPLACE_ME"])
def test_blanks_and_quotes_around_it_change_nothing(value: str, around: str) -> None:
    assert defect_of(around.format(value)).message == defect_of(value).message


def test_a_long_reference_is_shown_in_part() -> None:
    found = defect_of("op://" + "release/" * 20 + "token")
    assert "op://release/" in found.message
    assert len(found.message) < 140


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ("op://x7Kq2mZp9/vT4nW8bL2/field", "cred.secret-reference"),
        ("bws:be8e0ad8-d545-4017-a55a-b02f014d4158", "cred.secret-reference"),
        ("vault:secret/x7Kq2mZp9vT4nW8bL2", "cred.secret-reference"),
        ("https://alice:hunter2@acme.vault.azure.net/", "cred.identifier"),
        ("keyring:hunter2", "cred.secret-reference"),
        ("<x7Kq2mZp9vT>", "cred.account-password"),
        ("{{ x7Kq2mZp9vT4nW8bL2 }}", "cred.placeholder"),
        ("${x7Kq2mZp9vT4nW8bL2}", "cred.placeholder"),
        ("/home/alice/x7Kq2mZp9vT4nW8bL2", "cred.file-path"),
        ("pass:hunter2", "cred.account-password"),
        ("$ecret", "cred.account-password"),
        ("$Secret1", "cred.account-password"),
        ("%tiger%", "cred.account-password"),
        ("!tiger!", "cred.account-password"),
        ("@tiger", "cred.account-password"),
        ("~tiger", "cred.account-password"),
        ("/tiger", "cred.account-password"),
        ("tiger.secret", "cred.account-password"),
        ("my horse key staple", "cred.account-password"),
        ("api horse here", "cred.account-password"),
        ("token-horse", "cred.account-password"),
        ("secret!", "cred.account-password"),
        ("ACME_TOKEN", "cred.placeholder"),
        ("secret123", "cred.account-password"),
        ("Password1", "cred.account-password"),
        ("TIGER_HORSE", "cred.account-password"),
        ("pypi", "cred.account-password"),
        ("env.tiger", "cred.account-password"),
    ],
)
def test_what_may_be_a_secret_is_not_shown(value: str, cause: str) -> None:
    found = defect_of(value)
    assert found.cause == cause, found
    words = max(value.replace("/", " ").split(), key=len)
    assert value not in found.message
    assert words not in found.message + found.remedy


#: words of pass phrases; those of the second row are words of placeholders, too
WORDS = """
    correct horse battery staple tiger cable acorn zesty unlit plural gravel mossy wagon
    token secret key dummy example test here your change me
""".split()  # noqa: SIM905 - a list that people read
SPECIAL = "$%{}!<>#[]()@~/\\.:;_-+*?&^|=,"
TAME = st.sampled_from(["correct horse", "$", "${", "}", "{{", "}}", "%", "%(", ")s", "<", ">", "!", "@", "/"])


@st.composite
def phrases(draw: st.DrawFn) -> str:
    words = draw(st.lists(st.sampled_from(WORDS), min_size=3, max_size=12))
    text = draw(st.sampled_from(" -_.")).join(words)
    text = draw(st.sampled_from([text, text.title(), text.upper()]))
    for one in draw(st.lists(st.sampled_from(SPECIAL), max_size=2)):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + one + text[at:]
    assume(not all_known(words_of(text)))  # then it is a placeholder, or as good a password as one
    before, after = draw(st.tuples(TAME, TAME)) if draw(st.booleans()) else ("", "")
    return before + text + after


@st.composite
def random_passwords(draw: st.DrawFn) -> str:
    letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    text = "".join(draw(st.lists(st.sampled_from(letters + SPECIAL), min_size=8, max_size=90)))
    assume(sum(one.isalnum() for one in text) > 5)
    assume(not text.isalpha())  # a word of the message
    assume(not all_known(words_of(text)))
    return text


@given(phrases() | random_passwords())
@example("$correct_token_secret_staple")
@example("{{my correct token staple}}")
@example("<correct token>")
@example("your horse token here")
@example("[correct secret key]")
@example("op-horse://x")
@settings(max_examples=700)
def test_no_password_is_shown(value: str) -> None:
    """Neither whole nor in part."""
    found = defect_of(value)
    assert value not in found.message + found.remedy
    assert not found.path
    shown = " ".join(re.findall("['\"].*['\"]", found.message))
    assert not any(value[at : at + 8] in shown for at in range(len(value) - 7)), found


def test_the_length_of_what_is_masked_or_precedes_a_token_is_given() -> None:
    assert defect_of("pypi-AgEIcHl***").message == (
        "a masked or shortened token of 15 characters is stored instead of the token"
    )
    assert defect_of(f"# my token\n{token()}").message == "the token is preceded by a comment of 11 characters"
