"""Templates leave `{{ }}` alone, keep their last line ending, and fail on undefined variables."""

from __future__ import annotations

import jinja2
import pytest

from release.adapters.system import templates
from release.publishing import ci
from release.publishing.ci import github
from tests.publishing.ci.test_workflows import CASES


def test_an_undefined_variable_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        templates.render_template(ci.__name__, "github_token_health.yml.j2", {})


def test_expressions_of_a_workflow_stay_and_the_text_ends_with_one_line_ending() -> None:
    text = github.render_token_health(CASES["pure"], cron="0 9 * * *", command="true", variables=["A"])
    assert "A: ${{ secrets.A }}" in text
    assert text.endswith("}\n")
    assert "[[" not in text
