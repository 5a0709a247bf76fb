"""All known failures, in the order in which a release can meet them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from release.core.similar_words import closest_words
from release.diagnostics import (
    after_upload,
    build_failures,
    credential_failures,
    credential_storage,
    endpoint,
    file_failures,
    metadata,
    mistaken_values,
    permissions,
    token_limits,
    trusted_publishing_failures,
)
from release.diagnostics.models import Diagnosis

#: heading → its records
SECTIONS: Mapping[str, tuple[Diagnosis, ...]] = MappingProxyType(
    {
        "The credential's value": credential_failures.DIAGNOSES,
        "Other text instead of a token": mistaken_values.DIAGNOSES,
        "What the credential may do": permissions.DIAGNOSES + token_limits.DIAGNOSES,
        "Variables and .pypirc": credential_storage.VARIABLES_AND_PYPIRC,
        "Keyring, shell and CI": credential_storage.KEYRING_AND_SHELL,
        "Address, network, server": endpoint.DIAGNOSES,
        "Trusted publishing": trusted_publishing_failures.DIAGNOSES,
        "Attestations": trusted_publishing_failures.ATTESTATION_DIAGNOSES,
        "The project's name": permissions.PROJECT_NAME_DIAGNOSES,
        "The build": build_failures.DIAGNOSES,
        "Versions and files": file_failures.DIAGNOSES,
        "The upload itself": file_failures.UPLOAD_DIAGNOSES,
        "Metadata": metadata.DIAGNOSES,
        "After the upload": after_upload.DIAGNOSES,
    }
)

#: id → record
CATALOG: Mapping[str, Diagnosis] = MappingProxyType(
    {diagnosis.id: diagnosis for section in SECTIONS.values() for diagnosis in section}
)


def similar_ids(word: str) -> tuple[str, ...]:
    """Ids like `word`, the most similar first, for "did you mean"; a whole first or last part matches, too."""
    word = word.strip().lower().replace("_", "-")
    parts = [id_ for id_ in CATALOG if word and word in id_.split(".")]
    return tuple(dict.fromkeys([*parts, *closest_words(word, CATALOG, most=3)]))
