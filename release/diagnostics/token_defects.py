"""The value of the credential: defects that the token decoder finds, and that no index reports."""

from __future__ import annotations

from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="cred.prefix-doubled",
        title="the token begins with pypi- twice",
        explanation="A form or a script added pypi- to a token that already had it. The index reads the second prefix "
        "as part of the token, which it does not know.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="like an unknown token; the value begins with pypi-pypi-",
        remedy="remove one pypi- from the stored value",
        detect="offline",
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
        remedy="keep one token: clear the stored value, then paste once: python -m release store --index {index}",
        detect="offline",
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
        detect="offline",
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
        detect="offline",
        weight="medium",
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
        detect="offline",
        weight="low",
        sources=("RFC 4648, section 5", "pypi/warehouse: macaroons/services.py"),
    ),
    Diagnosis(
        id="cred.malformed",
        title="the token is damaged in the middle",
        explanation="A character was changed, added or lost, or the case of all letters was changed, so the parts of "
        "the token no longer have the lengths that it declares.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="like an unknown token",
        remedy="copy the whole token again, and nothing else; if it is no longer shown, create one at "
        "{site}/manage/account/token/",
        detect="offline",
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
        detect="offline",
        weight="low",
        sources=("libmacaroons: v2 binary format", "pypi/warehouse: macaroons/services.py"),
    ),
)
