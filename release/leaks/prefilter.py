"""The sieve: patterns that stop at whatever may be a secret, and at little else.

Each begins with one letter that is rare: for such a one the engine of `re` needs hardly more than a step a
byte, for a set of letters six times as much, and git's looks for it by the block. Everything that has an
"A" in its anchor is found by one pattern.
"""

from __future__ import annotations

#: what can stand between two letters of an anchor that a line break tears apart; more than that, and fast
_TORN = r"\W{1,160}(?:[nr]\W{0,160}){0,2}"
_WHOLE = "KIA|SIA|Iza|TE KEY|C: [0-9a-f]"

#: access keys of AWS, keys of Google, private keys, PuTTY's, and API tokens of package indexes
ANCHORS = rf"A(?:{_WHOLE}|g(?:E|{_TORN}E)|{_TORN}g(?:E|{_TORN}E))"
#: tokens of GitHub and npm, keys of Stripe
UNDERSCORES = r"_[A-Za-z0-9]{22}(?:(?<=gh[pousr]_.{22})|(?<=npm_.{22})|(?<=k_live_.{22})|(?<=github_pat_.{22}))"
#: tokens of Slack and GitLab
DASHES = (
    r"-(?:\d{10}(?<=xox[abeoprs]-.{10})|\d-[A-Z0-9]{9}(?<=xapp-.{11})"
    r"|[A-Za-z0-9_-]{20}(?:(?<=gl[dr]t-.{20})|(?<=glpat-.{20})))"
)
#: "__token__:pypi-AgE" is eighteen bytes, so that its base64 is the same in every Authorization header
BASIC = "X190b2tlbl9fOnB5cGktQWdF"
#: the anchors in UTF-16 of either byte order
WIDE = r"A\x00(?:g\x00E|K\x00I\x00A|S\x00I\x00A|I\x00z\x00a|T\x00E\x00 \x00K)"

#: The same for git's engine, which looks at one line at a time, so that a torn anchor begins with "pypi-" here.
#: Each pattern is one more walk over the tree, as fast as memory where its first two letters are two of a few:
#: hence these pairs, and no others.
LINES = (
    rf"A(?:{_WHOLE}|gE(?:[\w-]{{8}}|(?<=pypi-AgE))|\x00[gKSIT]\x00[EIzA])",
    r"(?:npm_|gh[pousr]_)[A-Za-z0-9]{22}",
    r"(?:k_live_|github_pat_)[A-Za-z0-9]{22}",
    r"(?:xox[abeoprs]-\d{10}|xapp-\d-[A-Z0-9]{9}|gl[dr]t-[A-Za-z0-9_-]{20}|glpat-[A-Za-z0-9_-]{20})",
    rf"(?:pypi-Ag?(?![\w-])|{BASIC})",
)
#: the first bytes of archives: zip, gzip, bzip2, xz, tar
ARCHIVES = r"\A(?:PK\x03\x04|PK\x05\x06|\x1f\x8b|BZh|\xfd7zXZ\x00|[\s\S]{257}ustar)"
