"""The credential's value, once more: what the token decoder finds, and no index would ever say."""

from __future__ import annotations

from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="cred.prefix-doubled",
        title="the token begins with pypi- twice",
        explanation="A form or a script put pypi- in front of a token that had it already. The index takes the second "
        "one for a part of the token, and knows no such token.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="as an unknown token; the value begins with pypi-pypi-",
        remedy="remove one pypi- from the stored value",
        detect="offline",
        weight="low",
        sources=("pypi/warehouse: macaroons/services.py", "PyPI help: apitoken"),
    ),
    Diagnosis(
        id="cred.pasted-twice",
        title="several tokens stand where one belongs",
        explanation="A second paste at a prompt that shows nothing, or an old and a new token side by side. What is "
        "sent is one long text that no index knows.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="as an unknown token; the value is about twice as long as one",
        remedy="keep one token: clear the stored value, then paste once: python -m release store --index {index}",
        detect="offline",
        weight="low",
        sources=("pypi/warehouse: macaroons/services.py",),
    ),
    Diagnosis(
        id="cred.assignment",
        title="a piece of a command or of a configuration line stands before the token",
        explanation="A whole line was copied, such as password = … or TWINE_PASSWORD=…, and became the value.",
        symptoms=(shared_phrases.ODD,),
        also=(shared_phrases.INVALID_AUTH,),
        remedy="keep the token alone in the stored value, from pypi- on",
        detect="offline",
        weight="low",
        sources=("pypi/warehouse: macaroons/services.py", "pypa/gh-action-pypi-publish: twine-upload.sh"),
    ),
    Diagnosis(
        id="cred.other-service",
        title="the token is one of another service",
        explanation="A token of GitHub, GitLab, npm or another service was stored under the name of the index's. The "
        "kind can be told from its first characters.",
        symptoms=(shared_phrases.ODD,),
        also=(shared_phrases.INVALID_AUTH,),
        remedy="store a token that was made at {site}/manage/account/token/; it begins with pypi-",
        detect="offline",
        weight="medium",
        sources=("GitHub documentation: About authentication to GitHub", "PyPI help: apitoken"),
    ),
    Diagnosis(
        id="cred.alphabet",
        title="the token holds a character that its alphabet does not have",
        explanation="Tokens are written with A-Z, a-z, 0-9, - and _ alone. A dot, a comma or a slash came in when it "
        "was copied, typed, or cut out of a sentence.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="as an unknown token",
        remedy="copy the token again, alone and whole; if it can't be seen any more, make one at "
        "{site}/manage/account/token/",
        detect="offline",
        weight="low",
        sources=("RFC 4648, section 5", "pypi/warehouse: macaroons/services.py"),
    ),
    Diagnosis(
        id="cred.malformed",
        title="the token is damaged in its middle",
        explanation="A character was changed, added or lost, or all letters were brought to one case, so that the "
        "token's parts no longer have the lengths that it tells of them.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="as an unknown token",
        remedy="copy the token again, alone and whole; if it can't be seen any more, make one at "
        "{site}/manage/account/token/",
        detect="offline",
        weight="low",
        sources=("libmacaroons: v2 binary format", "pypi/warehouse: macaroons/services.py"),
    ),
    Diagnosis(
        id="cred.trailing",
        title="characters follow behind the end of the token",
        explanation="A token tells where it ends. Some pasted characters more are ignored by PyPI as long as they "
        "keep to the alphabet and to a length that base64 can have; otherwise the whole token is unknown to it.",
        also=(shared_phrases.INVALID_AUTH,),
        shows="as an unknown token, or not at all",
        remedy="remove what stands behind the token, or copy it again from where it was made",
        detect="offline",
        weight="low",
        sources=("libmacaroons: v2 binary format", "pypi/warehouse: macaroons/services.py"),
    ),
)
