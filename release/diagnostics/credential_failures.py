"""The credential's value: what is missing from it, and what was added to it on the way."""

from __future__ import annotations

from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="cred.missing",
        title="no credential was found",
        explanation="Nothing that the uploader reads holds a password or token for this index, so it asks, gives up, "
        "or sends none. The index answers a missing credential with the same words as a wrong one.",
        symptoms=(
            shared_phrases.CREDENTIAL_NOT_FOUND,
            "InvalidConfiguration: could not determine credentials for configured repository",
            "Exception: Could not find password for upload.",
            "Exception: Could not find username for upload.",
            "Missing required option: auth",
            shared_phrases.INVALID_AUTH,
        ),
        also=("EOFError: EOF when reading a line", "401 Unauthorized"),
        remedy="create an API token at {site}/manage/account/token/ and store it: python -m keyring set {upload_url} "
        "__token__; in CI, hand it over as TWINE_PASSWORD, with TWINE_USERNAME=__token__, or set up trusted publishing",
        detect="offline",
        weight="high",
        sources=("twine documentation: Keyring support, Environment variables", "godaddy/tartufo#9"),
    ),
    Diagnosis(
        id="cred.env-empty",
        title="the variable for the password is set, and empty",
        explanation="A CI secret that does not exist, or is not available to this job, becomes an empty text. twine "
        "takes an empty TWINE_PASSWORD for the password, sends it, and looks neither into .pypirc nor into the "
        "keyring.",
        symptoms=(shared_phrases.EMPTY, "EMPTY TOKEN", shared_phrases.ODD, shared_phrases.INVALID_AUTH),
        also=("InvalidConfiguration: could not determine credentials",),
        remedy="unset TWINE_PASSWORD, or give it a value: compare the secret's name with the one in the workflow, and "
        "declare the environment that holds the secret in the job",
        detect="offline",
        weight="high",
        sources=("pypa/twine#1057", "twine 7.0.0: utils.get_userpass_value"),
    ),
    Diagnosis(
        id="cred.token-whitespace",
        title="there is a blank or a line break in the token",
        explanation="Pasting, echo and editors add line breaks. PyPI forgives them around the token, not inside it, "
        "and other indexes forgive neither.",
        symptoms=("Invalid leading whitespace, reserved character(s), or return character(s) in header value",),
        also=(shared_phrases.INVALID_AUTH,),
        remedy="save the token again without the blank or line break: printf %s, not echo, and one line in the CI "
        "secret's form",
        detect="offline",
        weight="high",
        sources=(
            "python-semantic-release/python-semantic-release#335",
            "jaraco/skeleton#26",
            "pypi/warehouse#7298",
            "PyPI help: invalid-auth",
        ),
    ),
    Diagnosis(
        id="cred.username-whitespace",
        title="there is a blank or a line break in the username",
        explanation="The index compares the username with __token__ byte by byte; a line break behind it makes it the "
        "name of an account, with which uploads are refused.",
        symptoms=("Your username contains control characters",),
        also=(shared_phrases.ACCOUNT_NAME,),
        remedy="set the username to exactly __token__, nine characters: export TWINE_USERNAME=__token__",
        detect="offline",
        weight="medium",
        sources=("pypi/warehouse: accounts/security_policy.py",),
    ),
    Diagnosis(
        id="cred.control-chars",
        title="the password is a control character",
        explanation="Ctrl-V in a Windows console types the character 0x16 at a hidden prompt rather than the "
        "clipboard, so that the password is one character long.",
        symptoms=(
            "Your password contains control characters. Did you enter it correctly?",
            shared_phrases.INVALID_AUTH,
        ),
        remedy="paste with a right click or Shift-Insert, or store the token once: python -m keyring set {upload_url} "
        "__token__",
        detect="offline",
        weight="high",
        sources=("pypa/twine#671", "pypi/warehouse#14762", "pypa/twine#1145", "bpo-37426"),
    ),
    Diagnosis(
        id="cred.quotes",
        title="the token is wrapped in quotes",
        explanation="Quotes in .pypirc, in a CI secret's form, or escaped in a script are part of the value, and the "
        "token no longer begins with pypi-.",
        symptoms=(shared_phrases.INVALID_AUTH,),
        remedy="remove the quotes (or brackets) around the token where it is stored; .pypirc and CI secrets need none",
        detect="offline",
        weight="medium",
        sources=("pypi/warehouse: macaroons/services.py",),
    ),
    Diagnosis(
        id="cred.bom-nonascii",
        title="the token holds a character that no token has",
        explanation="A byte order mark, a zero-width or no-break space, or a dash that a text editor made longer. None "
        "of them can be seen, and not all count as blanks.",
        symptoms=(shared_phrases.INVALID_AUTH,),
        also=("UnicodeEncodeError: 'latin-1' codec can't encode", "UnicodeEncodeError: 'ascii' codec can't encode"),
        remedy="copy the token again from where it was made, without an editor in between; only A-Z, a-z, 0-9, - and _ "
        "belong into it",
        detect="offline",
        weight="low",
        sources=("scikit-build/moderncmakedomain#29",),
    ),
    Diagnosis(
        id="cred.prefix-missing",
        title="the token lacks its pypi- in front",
        explanation="A token was copied without its first five characters; they belong to it, as does their lower "
        "case.",
        symptoms=(shared_phrases.ODD, shared_phrases.INVALID_AUTH),
        remedy="put pypi- in front of the stored value",
        detect="offline",
        weight="high",
        sources=("PyPI help: apitoken", "pypa/gh-action-pypi-publish: twine-upload.sh"),
    ),
    Diagnosis(
        id="cred.truncated",
        title="the end of the token is missing",
        explanation="A copy out of a narrow terminal, or a field with a maximum length, cut the token short. Every "
        "truncation can be seen without asking the index.",
        symptoms=(shared_phrases.INVALID_AUTH,),
        remedy="copy the whole token, some 170 to 220 characters; PyPI shows it once, so make a new one at "
        "{site}/manage/account/token/ if it is gone",
        detect="offline",
        weight="medium",
        sources=("pypi/warehouse: macaroons/services.py", "libmacaroons: v2 binary format"),
    ),
    Diagnosis(
        id="cred.placeholder",
        title="the credential is a placeholder",
        explanation="The text of a variable reference, a row of asterisks, or the example of a manual is sent as it "
        "stands: single quotes keep the shell from expanding $PYPI_TOKEN, and a typing error keeps the CI from doing "
        "so.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="as any wrong token; the value itself gives it away",
        remedy='put the token itself there, or let the shell expand it: export TWINE_PASSWORD="$PYPI_TOKEN", with '
        "double quotes",
        detect="offline",
        weight="medium",
        sources=("biosustain/cameo#285",),
    ),
    Diagnosis(
        id="cred.username-not-token",
        title="the username is an account's name, and the password a token",
        explanation="An API token says by itself whose it is, and goes with the username __token__ alone.",
        symptoms=(shared_phrases.ACCOUNT_NAME,),
        remedy="set the username to __token__: export TWINE_USERNAME=__token__, or username = __token__ in .pypirc",
        detect="offline",
        weight="high",
        sources=("pypa/packaging-problems#313", "carsdotcom/skelebot#99", "PyPI help: apitoken"),
    ),
    Diagnosis(
        id="cred.username-typo",
        title="the username is almost __token__",
        explanation="One underscore too few, an @ in front, capitals, or the token's own name: the index takes it for "
        "an account's name.",
        symptoms=(shared_phrases.ACCOUNT_NAME,),
        remedy="set the username to __token__, with two underscores on each side: export TWINE_USERNAME=__token__",
        detect="offline",
        weight="medium",
        sources=("pypa/packaging-problems#313",),
    ),
    Diagnosis(
        id="cred.account-password",
        title="an account's password is used to upload",
        explanation="PyPI and TestPyPI take no passwords and no one-time codes for uploads since January 2024: an API "
        "token or trusted publishing is needed.",
        symptoms=(shared_phrases.ACCOUNT_NAME,),
        also=(shared_phrases.INVALID_AUTH,),
        remedy="create an API token at {site}/manage/account/token/ and use it as the password, with the username "
        "__token__; or set up trusted publishing",
        detect="offline",
        weight="high",
        sources=("pypi/warehouse#14762", "pypa/hatch#1013", "PyPI blog 2023-06-01: 2FA enforcement for upload"),
    ),
    Diagnosis(
        id="cred.wrong-index",
        title="the token was issued by another index",
        explanation="PyPI and TestPyPI share neither accounts nor tokens. Each refuses the other's tokens as unknown; "
        "only the location inside the token tells them apart.",
        symptoms=(shared_phrases.INVALID_AUTH,),
        remedy="create a token on the index that you upload to, at {site}/manage/account/token/, or upload to the "
        "index that issued this one",
        detect="offline",
        weight="high",
        sources=("pypi/warehouse#15410", "pypa/gh-action-pypi-publish#38", "pypa/packaging-problems#384"),
    ),
)
