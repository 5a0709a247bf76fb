"""Patterns that match wherever a secret may begin, and at few other places. They are the first, fast pass.

Each begins with one rare character, for speed: `re` needs hardly more than one step for each byte then, but six
times as many for a set of characters, and git searches for the character in blocks. One pattern finds all
secrets with an "A" at their start.
"""

from __future__ import annotations

#: what can be between two characters that a line break separates; it matches more, to be fast
_BREAK = r"\W{1,160}(?:[nr]\W{0,160}){0,2}"
_WHOLE = "KIA|SIA|Iza|TE KEY|C: [0-9a-f]"

#: access keys of AWS, keys of Google, private keys, PuTTY's, and API tokens of package indexes
ANCHORS = rf"A(?:{_WHOLE}|g(?:E|{_BREAK}E)|{_BREAK}g(?:E|{_BREAK}E))"
#: tokens of GitHub and npm, keys of Stripe
UNDERSCORES = r"_[A-Za-z0-9]{22}(?:(?<=gh[pousr]_.{22})|(?<=npm_.{22})|(?<=k_live_.{22})|(?<=github_pat_.{22}))"
#: tokens of Slack and GitLab
DASHES = (
    r"-(?:\d{10}(?<=xox[abeoprs]-.{10})|\d-[A-Z0-9]{9}(?<=xapp-.{11})"
    r"|[A-Za-z0-9_-]{20}(?:(?<=gl[dr]t-.{20})|(?<=glpat-.{20})))"
)
#: "__token__:pypi-AgE" has eighteen bytes, so its base64 is the same in every Authorization header
BASIC = "X190b2tlbl9fOnB5cGktQWdF"
#: `ANCHORS` in UTF-16 of either byte order
WIDE = r"A\x00(?:g\x00E|K\x00I\x00A|S\x00I\x00A|I\x00z\x00a|T\x00E\x00 \x00K)"

#: The same for `git grep`, which matches single lines: a token with a line break in it begins with "pypi-" here.
#: Each pattern is another pass over the tree, as fast as memory if its first two characters are from a few pairs:
#: hence this grouping.
LINES = (
    rf"A(?:{_WHOLE}|gE(?:[\w-]{{8}}|(?<=pypi-AgE))|\x00[gKSIT]\x00[EIzA])",
    r"(?:npm_|gh[pousr]_)[A-Za-z0-9]{22}",
    r"(?:k_live_|github_pat_)[A-Za-z0-9]{22}",
    r"(?:xox[abeoprs]-\d{10}|xapp-\d-[A-Z0-9]{9}|gl[dr]t-[A-Za-z0-9_-]{20}|glpat-[A-Za-z0-9_-]{20})",
    rf"(?:pypi-Ag?(?![\w-])|{BASIC})",
)
#: What can be between two parts of a wrapped token: a line break, with a closing quote, a backslash, a "+" or "="
#: before it (source code, shells, quoted-printable), and indentation or the prefixes of quotes, comments, boxes
#: and patches after it. The line break may be escaped, as in JSON.
TOKEN_BREAK = (
    rb"""(?:(?:["'`=\\+, \t]|\xe2\x94\x82){0,80}(?:\r?\n|(?:\\r)?\\n)"""
    rb"""(?:[ \t>#*|:+"'`]|//|\xe2\x94\x82){0,80})"""
)
#: The start of every token: version 2 and the type of the location. The next character encodes its length.
#: Source: `release.core.tokens.macaroon`
TOKEN_START = rb"A(?:" + TOKEN_BREAK + rb")?g(?:" + TOKEN_BREAK + rb")?E"
#: the bytes after the "A" of all other anchors: of private keys, AWS and Google
AFTER_A = b"TKSI"
#: the first bytes of archives: zip, gzip, bzip2, xz, tar
ARCHIVES = r"\A(?:PK\x03\x04|PK\x05\x06|\x1f\x8b|BZh|\xfd7zXZ\x00|[\s\S]{257}ustar)"
