"""All records, in the order of the road."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from release.diagnostics import after_upload as afterwards
from release.diagnostics import (
    attestation_failures,
    credential_failures,
    endpoint,
    file_failures,
    metadata,
    trusted_publishing_failures,
)
from release.diagnostics import environment_and_pypirc as source
from release.diagnostics import keyring_and_shell as surroundings
from release.diagnostics import permissions as permission
from release.diagnostics import project_name_failures as name
from release.diagnostics import token_defects as damage
from release.diagnostics import upload_form as form
from release.diagnostics.models import Diagnosis

#: heading → its records
SECTIONS: Mapping[str, tuple[Diagnosis, ...]] = MappingProxyType(
    {
        "The credential's value": (*credential_failures.DIAGNOSES, *damage.DIAGNOSES),
        "What the credential may do": permission.DIAGNOSES,
        "Variables and .pypirc": source.DIAGNOSES,
        "Keyring, shell and CI": surroundings.DIAGNOSES,
        "Address, network, server": endpoint.DIAGNOSES,
        "Trusted publishing": trusted_publishing_failures.DIAGNOSES,
        "Attestations": attestation_failures.DIAGNOSES,
        "The project's name": name.DIAGNOSES,
        "Versions and files": file_failures.DIAGNOSES,
        "The upload itself": form.DIAGNOSES,
        "Metadata": metadata.DIAGNOSES,
        "After the upload": afterwards.DIAGNOSES,
    }
)

#: id → record
CATALOG: Mapping[str, Diagnosis] = MappingProxyType(
    {diagnosis.id: diagnosis for section in SECTIONS.values() for diagnosis in section}
)
