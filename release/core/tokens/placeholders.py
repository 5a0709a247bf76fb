"""Recognize a placeholder for a token: words, a mask, an expression that nothing replaced, no value."""

from __future__ import annotations

import re

from release.core.tokens.defects import BLANKS, TokenDefect, counted, is_tokenish
from release.core.tokens.plain_words import (
    CONSTANT,
    MARKERS,
    SHOWN,
    all_known,
    is_variable,
    names_a_token,
    quoted,
    words_of,
)
from release.core.tokens.secret_references import file_path, secret_reference

#: characters; a token has more
_WHOLE = 100
_NAME = r"[A-Za-z_]\w*"
_IN_SHELL = "let the shell expand it, in double quotes or none, not in single quotes; no uploader expands it in a file"
#: what it is → its forms, and what to do
_EXPRESSIONS: dict[str, tuple[str, str]] = {
    "an unevaluated expression of GitHub Actions": (
        r"\$\{\{.*\}\}",
        "write the expression in the workflow file, where GitHub Actions evaluates it",
    ),
    "an unevaluated expression of Azure Pipelines": (r"\$\[.*\]", "use the expression in `variables:` of the pipeline"),
    "an unreplaced template variable": (
        (
            r"\#\{.*\}\#? | __[A-Z][A-Z0-9_]+__ | @@?[A-Z][A-Z0-9_]+@@? | <<.+>> | \(\(.+\)\) | [%@]\{.+\}"
            r" | !(?:secret|env|ENV|Ref|Sub|reference)\s+\S+"
        ),
        "replace the variable before the upload",
    ),
    "an unrendered template expression": (
        r"\{\{.*\}\} | \{%.*%\} | <%.*%> | \[\[.+\]\]",
        "render the template before the upload",
    ),
    "an unexpanded variable of PowerShell": (
        r"\$\{?(?i:env):\w+\}?",
        "let PowerShell expand it, in double quotes or none, not in single quotes",
    ),
    "an unexpanded interpolation of an INI file": (
        rf"%\([^()]+\)s | \$\{{{_NAME}:{_NAME}\}}",
        "write the value itself: no uploader expands it in .pypirc",
    ),
    "an unexpanded variable of cmd": (
        r"%[A-Z_][A-Z0-9_]*(?::[^%]*)?% | ![A-Z_][A-Z0-9_]*!",
        "let cmd expand it: other shells, and files, do not",
    ),
    "an unexpanded variable of Azure Pipelines": (
        r"\$\([A-Z_][\w-]*(?:\.[\w-]+)*\) | \$\([\w-]+(?:\.[\w-]+)+\)",
        "use the variable in the pipeline file, with the name that is defined there",
    ),
    "an unexpanded command": (
        (
            r"\$\(.+\) | `[^`]+` | (?:cat|type)\s+[~./\\]\S+"
            r" | (?:vault|pass|gopass|aws|gcloud|az|bws?|security|secret-tool)\s+"
            r"(?:kv|show|secret\w*|keyvault|get|lookup)\b.+"
        ),
        "write it as $(command) in double quotes or none, so that the shell runs it; no uploader runs it in a file",
    ),
    "an unexpanded shell variable": (rf"\\?\$?\$\{{{_NAME}.*\}} | \\?\$?\$[A-Z_][A-Z0-9_]*", _IN_SHELL),
}
_COMPILED = {what: re.compile(form, re.DOTALL | re.VERBOSE) for what, (form, _) in _EXPRESSIONS.items()}
#: no password has this form
_OF_GITHUB = re.compile(r"\$\{\{\s*(?:secrets|env|vars|inputs|steps|needs|github|matrix)\.[\w.-]+\s*\}\}")
#: passwords have these forms, too, so the name has to be one for tokens
_LOWER_VARIABLE = re.compile(rf"\${_NAME}|%{_NAME}%|!{_NAME}!")
_CONTEXT = re.compile(rf"(?:secrets|env|vars|inputs|variables|github|steps|process\.env)\.({_NAME})")
_NO_VALUE = re.compile(
    r"-|none|null|void|nil|undefined|nan|not[ _-]?set|true|false|yes|no|on|off|0|1|n/?a|\(null\)|<none>"
    r"|\[object Object\]",
    re.IGNORECASE,
)
_MASK = re.compile(r"[*•●.…xX·#?_-]{3,}")
_SHORTENED = re.compile(r"\*{3}|\.{3}|…|•{3}|●{3}|AgE.*<[A-Za-z ._-]+>|\[\.*\]")
_RUN_TOGETHER = re.compile(
    r"your(?:pypi|test|api|secret|access|new)*(?:token|key|password|secret)(?:here)?"
    r"|(?:my|the|insert|paste|pypi|testpypi|api|access|auth|upload|publish|deploy)(?:pypi|api)*(?:token|key)(?:here)?|(?:replace|change|insert|paste)(?:me|it|this)(?:please|now)?",
    re.IGNORECASE,
)
_REQUEST = re.compile(r"(?:your|insert|paste|replace)[\s_-].*\b(?:token|key|here|secret|password)\b.*", re.IGNORECASE)


def mistaken_value(text: str) -> TokenDefect | None:
    """The defect of a text that stands for a token: a reference, a path, a placeholder; None for any other text."""
    core = text.strip(BLANKS)
    if core[:1] in {"'", '"'} and core[:1] == core[-1:]:
        core = core[1:-1].strip(BLANKS)
    return secret_reference(core) or file_path(core) or _placeholder(core)


def masked_token(text: str) -> TokenDefect | None:
    """The defect of a token whose characters were replaced by asterisks or dots."""
    core = text.strip(BLANKS).strip("'\"`")
    if not core.startswith(("pypi-", "AgE")) or not _SHORTENED.search(core):
        return None
    if is_tokenish(core) and len(core) >= _WHOLE and "***" not in core:
        return None
    message = f"a masked or shortened token of {counted(len(core), 'character')} is stored instead of the token"
    return TokenDefect("cred.placeholder", message, "store the whole token, as it is shown when it is created")


def _placeholder(core: str) -> TokenDefect | None:
    if _NO_VALUE.fullmatch(core):
        return _stands(f"'{core}', which a program writes for no value,", "set the token where this value comes from")
    if core == "__token__":
        return _stands("the username '__token__'", "store the token as the password, and __token__ as the username")
    bare = core.removeprefix("pypi-").removeprefix("PYPI-")
    if (found := _expression(core) or _expression(bare)) is not None:
        return found
    if _MASK.fullmatch(bare):
        remedy = "store the whole token, as it is shown when it is created"
        return _stands(f"a masked or shortened token, {core[:SHOWN]!r},", remedy)
    if is_variable(core):
        remedy = "store the value of that variable or secret, not its name"
        return _stands(f"the name of a variable,{quoted(core)},", remedy)
    if _RUN_TOGETHER.fullmatch(bare):
        return _stands(f"a placeholder, {core!r},", "store the token itself")
    return _stands(f"a placeholder,{quoted(core)},", "store the token itself") if _is_phrase(bare) else None


def _expression(core: str) -> TokenDefect | None:
    """The defect of what a shell, a CI service or a template would have replaced."""
    for what, form in _COMPILED.items():
        if form.fullmatch(core):
            text = quoted(core, certain=_OF_GITHUB.fullmatch(core) is not None)
            return _stands(f"{what},{text},", _EXPRESSIONS[what][1])
    if _LOWER_VARIABLE.fullmatch(core) and all_known(words_of(core)):
        remedy = _IN_SHELL if core[0] == "$" else _EXPRESSIONS["an unexpanded variable of cmd"][1]
        return _stands(f"an unexpanded variable,{quoted(core)},", remedy)
    found = _CONTEXT.fullmatch(core)
    if found is not None and (CONSTANT.fullmatch(found[1]) or all_known(words_of(found[1]))):
        remedy = "write it as an expression that is evaluated, such as ${{ secrets.PYPI_API_TOKEN }}"
        return _stands(f"the name of a secret or variable,{quoted(core)},", remedy)
    return None


def _is_phrase(bare: str) -> bool:
    """Whether a text is a placeholder in words, such as "<your token>" or "REPLACE_ME"."""
    inner = bare[1:-1] if bare[:1] + bare[-1:] in {"<>", "[]", "()", "{}"} else bare
    if inner != bare and bare[0] in "<[" and re.fullmatch(r"[A-Za-z\s_.-]*[A-Za-z][A-Za-z\s_.-]*", inner):
        return True
    words = words_of(inner)
    if all_known(words) and MARKERS & {*words} and (len(words) > 1 or re.fullmatch(r"[\w\s./:,-]+", inner)):
        return True
    return bool(_REQUEST.fullmatch(inner) or names_a_token(inner))


def _stands(what: str, remedy: str) -> TokenDefect:
    return TokenDefect("cred.placeholder", f"{what} is stored instead of the token", remedy)
