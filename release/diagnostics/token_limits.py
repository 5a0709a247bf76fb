"""Limits inside a token that refuse every upload, or that the index alone can check."""

from __future__ import annotations

from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="cred.scope-conflict",
        title="the limits of the token exclude each other",
        explanation="Each limit that is added to a token applies together with those before it. Two lists of projects "
        "that have none in common leave no project that the token could upload to.",
        also=(shared_phrases.OTHER_PROJECT,),
        remedy="use the token without the added limit, or create one at {site}/manage/account/token/",
        weight="low",
        sources=("pypi/warehouse: macaroons/caveats",),
    ),
    Diagnosis(
        id="cred.scope-empty",
        title="a limit of the token allows nothing",
        explanation="A list of projects that was added to the token is empty, or a period ends before it begins. "
        "Often a variable was empty when a script added the limit.",
        also=(shared_phrases.OTHER_PROJECT, shared_phrases.EXPIRED),
        remedy="use the token without the added limit, or create one at {site}/manage/account/token/",
        weight="low",
        sources=("pypi/warehouse: macaroons/caveats",),
    ),
    Diagnosis(
        id="cred.scope-unnormalised",
        title="the token is limited to a name that is not normalized",
        explanation="The index compares the names in a token with the normalized name of the project: in lower case, "
        "with - for each run of -, _ and . It issues no other names, so the limit was added by hand, or a letter of "
        "the token was changed.",
        also=(shared_phrases.OTHER_PROJECT,),
        remedy="add the limit to the original token again, with the normalized name, or create a token for {project} "
        "at {site}/manage/account/token/",
        weight="low",
        sources=("pypi/warehouse: macaroons/caveats", "PyPA specifications: Names and normalization"),
    ),
    Diagnosis(
        id="cred.publisher-caveat",
        title="the token is limited to a trusted publisher that it does not belong to",
        explanation="Tokens from trusted publishing are limited to their publisher; tokens of users are not. A token "
        "with both limits, or with two publishers, is refused.",
        symptoms=("403 OIDC scoped token used outside of an OIDC identified request",),
        also=("403 current OIDC publisher does not match publisher restriction in token",),
        remedy="use the token without the added limit, or create one at {site}/manage/account/token/",
        weight="low",
        sources=("pypi/warehouse: macaroons/caveats",),
    ),
    Diagnosis(
        id="cred.project-id-scope",
        title="the token is limited to projects by identifier, which only the index can match with a name",
        explanation="The index issues a project's identifier together with its name. An identifier that was added "
        "alone does not show offline which project it belongs to.",
        also=(shared_phrases.OTHER_PROJECT,),
        shows="a warning; the upload works if the identifier is that of the project",
        remedy="ask the index: pypi-preflight verify --index {index} --project {project}",
        weight="low",
        sources=("pypi/warehouse: macaroons/caveats", "pypi/warehouse: manage/views"),
    ),
    Diagnosis(
        id="cred.expires-soon",
        title="the token expires soon",
        explanation="The token works, but not for longer than `warn-before` in [tool.release.fleet], 14 days by "
        "default. Afterwards every upload with it is refused. Tokens from trusted publishing are not reported.",
        shows="a warning with the date",
        remedy="create a new token at {site}/manage/account/token/, put it where this one is stored, then delete this "
        "one there",
        weight="low",
        sources=("pypi/warehouse: macaroons/caveats",),
    ),
)
