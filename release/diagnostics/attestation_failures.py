"""Attestations (PEP 740)."""

from __future__ import annotations

from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="attest.reusable",
        title="the attestation names another workflow than the publisher",
        explanation="It was signed in a reusable workflow, and its certificate names that workflow.",
        symptoms=(
            "400 Certificate's Build Config URI … does not match expected Trusted Publisher",
            "Certificate's Build Config URI",
        ),
        remedy="build, sign and upload in jobs of the workflow that is triggered; or set attestations: false until "
        "then",
        detect="offline",
        weight="medium",
        sources=("Teslemetry/python-tesla-fleet-api#116", "pypa/gh-action-pypi-publish#283"),
    ),
    Diagnosis(
        id="attest.with-api-token",
        title="attestations are sent with an API token",
        explanation="PyPI accepts attestations only from trusted publishers, and checks them last, after the whole "
        "file was sent.",
        symptoms=("400 Attestations are only supported when using Trusted Publishing",),
        remedy="upload without them (no --attestations, attestations: false), or set up trusted publishing",
        detect="offline",
        weight="medium",
        sources=("PEP 740", "pypi/warehouse#17312"),
    ),
    Diagnosis(
        id="attest.stale-files",
        title="attestations of an earlier upload are next to the files",
        explanation="An upload to TestPyPI leaves *.publish.attestation files behind, and the next upload fails on "
        "them.",
        symptoms=("already has a publish attestation", "Unknown distribution format: '{file}.attestation'"),
        remedy="delete them before the next upload: rm dist/*.publish.attestation; better, use a separate directory "
        "for each index",
        detect="offline",
        weight="medium",
        sources=("pypa/gh-action-pypi-publish#319", "Asana/python-asana#206", "aai-institute/lakefs-spec#303"),
    ),
    Diagnosis(
        id="attest.missing-for-file",
        title="attestations were requested, but a file has none",
        explanation="With --attestations, twine requires one for each file that it uploads, including files that are "
        "there by mistake.",
        symptoms=("Upload with attestations requested, but {file} has no associated attestations",),
        remedy="sign it: python -m pypi_attestations sign {file}; or remove it from the directory if it is not part of "
        "the release",
        detect="offline",
        weight="low",
        sources=("rzellem/EXOTIC#1344", "twine 7.0.0: commands.upload"),
    ),
    Diagnosis(
        id="attest.invalid",
        title="the index does not accept the attestation",
        explanation="It is malformed, belongs to other bytes, exceeds the number allowed, or comes from a service that "
        "is not supported.",
        symptoms=("400 Invalid attestations supplied during upload", "invalid JSON in attestation"),
        remedy="delete dist/*.attestation and sign the very files that are uploaded, or upload without attestations",
        detect="after",
        weight="low",
        sources=("PEP 740", "pypi/warehouse: attestations/services.py"),
    ),
)
