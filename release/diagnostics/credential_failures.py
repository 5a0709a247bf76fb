"""The value of the credential: missing, wrong, or changed on its way."""

from __future__ import annotations

from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="cred.missing",
        title="no credential was found",
        explanation="None of the sources that the uploader reads has a password or token for this index, so it prompts "
        "for one or stops; poetry alone uploads without a credential, which the index answers with the same message as "
        "for a wrong one.",
        symptoms=(
            shared_phrases.CREDENTIAL_NOT_FOUND,
            "InvalidConfiguration: could not determine credentials for configured repository",
            "Exception: Could not find password for upload.",
            "Exception: Could not find username for upload.",
            "Missing required option: auth",
            "Missing required option: user",
            "Missing credentials for",
            "Attempted to publish with a password, but no username",
            "401 You must be identified to edit package information",
            "PdmUsageError]: Username and password are required",
            "Credentials not found and non-interactive mode is enabled",
            'user_pass = (self.username … TypeError: can only concatenate str (not "NoneType") to str',
        ),
        also=(shared_phrases.POETRY_INVALID_AUTH, "EOFError: EOF when reading a line"),
        remedy="store an API token: pypi-preflight store --index {index}; in CI, give the job a secret as "
        "TWINE_PASSWORD, with a token from {site}/manage/account/token/",
        weight="high",
        sources=("twine documentation: Keyring support, Environment variables", "godaddy/tartufo#9"),
    ),
    Diagnosis(
        id="cred.env-empty",
        title="the password variable is set but empty",
        explanation="A CI secret that does not exist, or is not available to this job, expands to an empty string. "
        "twine uses an empty TWINE_PASSWORD as the password, sends it, and reads neither .pypirc nor the keyring.",
        symptoms=(
            shared_phrases.EMPTY,
            shared_phrases.EMPTY_SENT,
            "argument -p/--password: expected one argument",
            "argument -u/--username: expected one argument",
            shared_phrases.INVALID_AUTH,
        ),
        also=(shared_phrases.ODD, "InvalidConfiguration: could not determine credentials"),
        remedy="unset TWINE_PASSWORD, or set its value: compare the name of the secret with the one in the workflow, "
        "and declare the environment that has the secret in the job",
        weight="high",
        sources=("pypa/twine#1057", "twine 7.0.0: utils.get_userpass_value"),
    ),
    Diagnosis(
        id="cred.token-whitespace",
        title="the token contains a blank or a line break",
        explanation="Pasting, echo and editors add line breaks. PyPI ignores them around the token, and inside it only "
        "if their number happens to fit; other indexes accept neither.",
        symptoms=("Invalid leading whitespace, reserved character(s), or return character(s) in header value",),
        also=(shared_phrases.INVALID_AUTH,),
        remedy="store the token again without the blank or line break: use printf %s, not echo, and a single line in "
        "the form for CI secrets",
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
        title="the username contains a blank or a line break",
        explanation="The index compares the username with __token__ byte by byte. With a line break at its end it is "
        "the name of an account, and uploads with account names are refused.",
        symptoms=(shared_phrases.CONTROL_CHARACTERS_USERNAME,),
        also=(shared_phrases.ACCOUNT_NAME,),
        remedy="export TWINE_USERNAME=__token__",
        sources=("pypi/warehouse: accounts/security_policy.py",),
    ),
    Diagnosis(
        id="cred.control-chars",
        title="the password is a control character",
        explanation="In a Windows console, Ctrl-V at a hidden prompt types the character 0x16 instead of pasting the "
        "clipboard, so the password is one character long.",
        symptoms=(
            shared_phrases.CONTROL_CHARACTERS,
            shared_phrases.INVALID_AUTH,
        ),
        remedy="paste with a right click or Shift-Insert: pypi-preflight store --index {index}",
        weight="high",
        sources=("pypa/twine#671", "pypi/warehouse#14762", "pypa/twine#1145", "bpo-37426"),
    ),
    Diagnosis(
        id="cred.quotes",
        title="the token is wrapped in quotes",
        explanation="Quotes in .pypirc, in the form for CI secrets, or escaped in a script are part of the value, so "
        "the token no longer begins with pypi-.",
        symptoms=(shared_phrases.INVALID_AUTH,),
        remedy="remove the quotes (or brackets) around the token where it is stored; .pypirc and CI secrets need none",
        sources=("pypi/warehouse: macaroons/services.py",),
    ),
    Diagnosis(
        id="cred.bom-nonascii",
        title="the token contains a character that no token has",
        explanation="The character is a byte order mark, a zero-width or no-break space, or a dash that a text editor "
        "replaced. These characters are invisible or easy to miss, and not all of them count as whitespace.",
        symptoms=(shared_phrases.INVALID_AUTH,),
        also=("UnicodeEncodeError: 'latin-1' codec can't encode", "UnicodeEncodeError: 'ascii' codec can't encode"),
        remedy="copy the token again from where it was created, without an editor in between; a token contains only "
        "A-Z, a-z, 0-9, - and _",
        weight="low",
        sources=("scikit-build/moderncmakedomain#29",),
    ),
    Diagnosis(
        id="cred.prefix-missing",
        title="the token does not begin with pypi-",
        explanation="The first five characters were not copied. They are part of the token, and must be in lower case.",
        symptoms=(shared_phrases.ODD, shared_phrases.INVALID_AUTH),
        remedy="put pypi- in front of the stored value",
        weight="high",
        sources=("PyPI help: apitoken", "pypa/gh-action-pypi-publish: twine-upload.sh"),
    ),
    Diagnosis(
        id="cred.truncated",
        title="the end of the token is missing",
        explanation="Copying from a narrow terminal, or a field with a maximum length, cut the token short. Truncation "
        "is always detected without contacting the index.",
        symptoms=(shared_phrases.INVALID_AUTH,),
        also=(shared_phrases.UNAUTHORIZED,),
        remedy="copy the whole token, some 170 to 220 characters; PyPI shows it only once, so if it is lost, create a "
        "new one at {site}/manage/account/token/",
        sources=("pypi/warehouse: macaroons/services.py", "libmacaroons: v2 binary format"),
    ),
    Diagnosis(
        id="cred.placeholder",
        title="the credential is a placeholder",
        explanation="The name of a variable, a row of asterisks, or the example from a manual was sent literally. "
        "Single quotes keep the shell from expanding $PYPI_TOKEN, and a typo keeps the CI service from doing so.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="like any wrong token; only the value itself shows it",
        remedy='export TWINE_PASSWORD="$PYPI_TOKEN"',
        sources=("biosustain/cameo#285",),
    ),
    Diagnosis(
        id="cred.username-not-token",
        title="the username is an account name, but the password is a token",
        explanation="An API token identifies its user, and is used only with the username __token__.",
        symptoms=(shared_phrases.ACCOUNT_NAME,),
        remedy="set the username to __token__: export TWINE_USERNAME=__token__, or username = __token__ in .pypirc",
        weight="high",
        sources=("pypa/packaging-problems#313", "carsdotcom/skelebot#99", "PyPI help: apitoken"),
    ),
    Diagnosis(
        id="cred.username-typo",
        title="the username is almost __token__",
        explanation="It lacks an underscore, begins with an @, has capital letters, or is the name of the token. The "
        "index reads it as the name of an account.",
        symptoms=(shared_phrases.ACCOUNT_NAME,),
        remedy="export TWINE_USERNAME=__token__",
        sources=("pypa/packaging-problems#313",),
    ),
    Diagnosis(
        id="cred.account-password",
        title="an account password was used to upload",
        explanation="Since January 2024, PyPI and TestPyPI accept neither passwords nor one-time codes for uploads: "
        "use an API token or trusted publishing.",
        symptoms=(shared_phrases.ACCOUNT_NAME,),
        also=(shared_phrases.INVALID_AUTH, shared_phrases.UNAUTHORIZED),
        remedy="create an API token at {site}/manage/account/token/ and use it as the password, with the username "
        "__token__; or set up trusted publishing",
        weight="high",
        sources=("pypi/warehouse#14762", "pypa/hatch#1013", "PyPI blog 2023-06-01: 2FA enforcement for upload"),
    ),
    Diagnosis(
        id="cred.wrong-index",
        title="the token was issued by another index",
        explanation="PyPI and TestPyPI share neither accounts nor tokens. Each refuses the other's tokens as unknown; "
        "only the location inside the token shows which index issued it.",
        symptoms=(shared_phrases.INVALID_AUTH,),
        remedy="create a token on the index that you upload to, at {site}/manage/account/token/, or upload to the "
        "index that issued this one",
        weight="high",
        sources=("pypi/warehouse#15410", "pypa/gh-action-pypi-publish#38", "pypa/packaging-problems#384"),
    ),
    Diagnosis(
        id="cred.prefix-doubled",
        title="the token begins with pypi- twice",
        explanation="A form or a script added pypi- to a token that already had it. The index reads the second prefix "
        "as part of the token, which it does not know.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="like an unknown token; the value begins with pypi-pypi-",
        remedy="remove one pypi- from the stored value",
        weight="low",
        sources=("pypi/warehouse: macaroons/services.py", "PyPI help: apitoken"),
    ),
    Diagnosis(
        id="cred.pasted-twice",
        title="the value contains several tokens instead of one",
        explanation="The token was pasted twice at a prompt that shows nothing, or an old and a new token are stored "
        "next to each other. The index receives them as one long token, which it does not know.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="like an unknown token; the value is about twice as long as one",
        remedy="clear the stored value, then paste once: pypi-preflight store --index {index}",
        weight="low",
        sources=("pypi/warehouse: macaroons/services.py",),
    ),
    Diagnosis(
        id="cred.assignment",
        title="part of a command or of a configuration line precedes the token",
        explanation="A whole line was copied, such as password = … or TWINE_PASSWORD=…, and became the value.",
        symptoms=(shared_phrases.ODD,),
        also=(shared_phrases.INVALID_AUTH,),
        remedy="keep only the token in the stored value, beginning with pypi-",
        weight="low",
        sources=("pypi/warehouse: macaroons/services.py", "pypa/gh-action-pypi-publish: twine-upload.sh"),
    ),
    Diagnosis(
        id="cred.other-service",
        title="the token belongs to another service",
        explanation="A token of GitHub, GitLab, npm or another service was stored where the token of the index "
        "belongs. Its first characters show which service issued it.",
        symptoms=(shared_phrases.ODD,),
        also=(shared_phrases.INVALID_AUTH,),
        remedy="store a token that was created at {site}/manage/account/token/; it begins with pypi-",
        sources=("GitHub documentation: About authentication to GitHub", "PyPI help: apitoken"),
    ),
    Diagnosis(
        id="cred.alphabet",
        title="the token contains a character outside its alphabet",
        explanation="Tokens consist of A-Z, a-z, 0-9, - and _ only. A dot, a comma or a slash was added when the token "
        "was copied, typed, or cut out of a sentence.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="like an unknown token",
        remedy="copy the whole token again, and nothing else; if it is no longer shown, create one at "
        "{site}/manage/account/token/",
        weight="low",
        sources=("RFC 4648, section 5", "pypi/warehouse: macaroons/services.py"),
    ),
    Diagnosis(
        id="cred.malformed",
        title="the token is damaged in the middle",
        explanation="A character was changed, added or lost, or the case of all letters was changed. The parts of the "
        "token no longer have the lengths that it declares, or contain what no index issues, such as a user identifier "
        "that is not a UUID.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="like an unknown token",
        remedy="copy the whole token again, and nothing else; if it is no longer shown, create one at "
        "{site}/manage/account/token/",
        weight="low",
        sources=("libmacaroons: v2 binary format", "pypi/warehouse: macaroons/services.py"),
    ),
    Diagnosis(
        id="cred.trailing",
        title="the token is followed by other characters",
        explanation="A token declares its own length. PyPI ignores additional characters as long as they belong to the "
        "alphabet and give a length that is possible in base64; otherwise it does not recognize the token.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="like an unknown token, or not at all",
        remedy="remove the characters after the token, or copy it again from where it was created",
        weight="low",
        sources=("libmacaroons: v2 binary format", "pypi/warehouse: macaroons/services.py"),
    ),
    Diagnosis(
        id="cred.head-missing",
        title="the beginning of the token is missing",
        explanation="A selection that began too late, or a field that shows the end of a long text, lost the first "
        "characters, more than the prefix pypi-. What is left ends as a token does.",
        symptoms=(shared_phrases.ODD,),
        also=(shared_phrases.INVALID_AUTH,),
        shows="like any wrong token",
        remedy="copy the whole token again, from pypi- on; if it is no longer shown, create one at "
        "{site}/manage/account/token/",
        weight="low",
        sources=("libmacaroons: v2 binary format", "pypi/warehouse: macaroons/services.py"),
    ),
    Diagnosis(
        id="cred.comment",
        title="the value contains a comment next to the token",
        explanation="In .pypirc, in variables and in the forms for CI secrets, everything on the line is part of the "
        "value, so the comment is sent with the token.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="like an unknown token",
        remedy="keep only the token in the stored value; in .pypirc, put the comment on a line of its own",
        weight="low",
        sources=("Python documentation: configparser, Supported INI File Structure",),
    ),
)
