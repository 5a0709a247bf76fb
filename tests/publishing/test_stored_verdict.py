"""A verdict is shown again by later runs, as long as what it depends on is the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from release.core.config import Config, SmokeTestSettings
from release.core.errors import RefusedError
from release.core.models.check_result import CheckState, Finding, Outcome
from release.core.models.distribution import Distribution
from release.core.redaction import Redactor
from release.core.secret import Secret
from release.publishing import compare, journal, stored_verdict
from release.publishing.journal import Journal

SMOKE = "what-was-installed-works"
WARNED = Outcome(
    check=SMOKE, title="It works", state=CheckState.WARNED, subject="sandbox",
    findings=(Finding(message="'acme_widget.gui' needs a screen", remedy="none", severity="warn", cause="x.y"),),
)  # fmt: skip
FAILED = Outcome(check=SMOKE, title="It works", state=CheckState.WAIVED, reason="known", findings=WARNED.findings)


@pytest.fixture
def book(tmp_path: Path) -> Journal:
    return journal.for_release(tmp_path, version="1.0", commit="c" * 40)


@pytest.fixture
def file(tmp_path: Path) -> Distribution:
    from release.adapters.builds.builder import load_distribution

    path = tmp_path / "acme_widget-1.0.tar.gz"
    path.write_bytes(b"content")
    return load_distribution(path)


def store(book: Journal, file: Distribution, config: Config, *outcomes: Outcome) -> None:
    key = stored_verdict.confirmation_key("sandbox", [file], config)
    stored_verdict.store_verdict(book, key, outcomes, Redactor())


def load(book: Journal, file: Distribution, config: Config, index: str = "sandbox") -> tuple[Outcome, ...] | None:
    return stored_verdict.load_verdict(book, stored_verdict.confirmation_key(index, [file], config))


def test_warnings_and_waived_failures_come_back_whole(book: Journal, file: Distribution) -> None:
    store(book, file, Config(), WARNED, FAILED)
    assert load(book, file, Config()) == (WARNED, FAILED)


@pytest.mark.parametrize(
    "changed",
    [
        Config(waive={"it-installs-into-a-clean-environment": "why"}),
        Config(block=frozenset({"it-installs-into-a-clean-environment"})),
        Config(smoke=SmokeTestSettings(imports=("acme_widget",))),
    ],
)
def test_other_settings_ask_for_a_new_confirmation(book: Journal, file: Distribution, changed: Config) -> None:
    store(book, file, Config(), WARNED)
    assert load(book, file, changed) is None
    store(book, file, changed, WARNED)
    assert load(book, file, changed) == (WARNED,)


def test_settings_of_other_checks_do_not_matter(book: Journal, file: Distribution) -> None:
    store(book, file, Config(), WARNED)
    assert load(book, file, Config(waive={"the-tree-is-clean": "why"}, branch="main")) == (WARNED,)
    assert load(book, file, Config(), index="testpypi") is None
    assert load(book, replace(file, sha256="0" * 64), Config()) is None


def test_a_journal_of_an_older_version_has_no_verdict(book: Journal, file: Distribution) -> None:
    book.write("verified", index="sandbox", url="", files=[file.sha256])
    assert load(book, file, Config()) is None
    book.write("verified", index="sandbox", url="", files=[file.sha256], checks=[{"check": "x", "later": 1}])
    assert load(book, file, Config()) is None


def test_no_secret_reaches_the_journal(book: Journal, file: Distribution) -> None:
    secret = Secret("s3cr3t-password-of-a-user")
    leaked = replace(WARNED, findings=(replace(WARNED.findings[0], message=f"sent {secret.reveal()}"),))
    key = stored_verdict.confirmation_key("sandbox", [file], Config())
    stored_verdict.store_verdict(book, key, [leaked], Redactor([secret]))
    assert secret.reveal() not in (book.directory / "journal.jsonl").read_text()


def test_a_dry_run_that_passed_by_a_waiver_counts_only_with_it(book: Journal, file: Distribution) -> None:
    """`publish` after `testpypi`, from which the waiver was removed."""
    store(book, file, Config(waive={SMOKE: "known"}), FAILED)
    done = compare.compare_with_dry_run([file], None, "acme-widget", book, {SMOKE: "known"})
    assert done.note == "the same 1 files passed on sandbox"
    with pytest.raises(RefusedError, match=f"'{SMOKE}' failed on sandbox and was waived") as stopped:
        compare.compare_with_dry_run([file], None, "acme-widget", book, {})
    assert "[tool.release.waive]" in stopped.value.remedy


def test_the_dry_run_of_files_that_were_built_elsewhere_is_made_of_these_files(
    book: Journal, file: Distribution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.path.parent.parent)
    with pytest.raises(RefusedError) as stopped:
        compare.compare_with_dry_run([file], None, "acme-widget", book, {})
    assert stopped.value.remedy == f"run: pypi-preflight rehearse --files {file.path.parent.name}"
    ours = replace(book, directory=file.path.parent)
    monkeypatch.setattr(Journal, "dist", property(lambda one: one.directory))
    with pytest.raises(RefusedError) as stopped:
        compare.compare_with_dry_run([file], None, "acme-widget", ours, {})
    assert stopped.value.remedy == "run: pypi-preflight rehearse --built"
