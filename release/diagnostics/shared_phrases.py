"""Messages that several causes share. Source: pypi/warehouse 6b62157; twine 7.0.0; gh-action-pypi-publish."""

from __future__ import annotations

#: the same answer for missing, unknown, damaged and revoked tokens, and for disabled accounts
INVALID_AUTH = "403 Invalid or non-existent authentication information"
#: poetry alone uploads without a credential. Observed: poetry 2.5.1, 2026-11
POETRY_INVALID_AUTH = "HTTP Error 403:…Invalid or non-existent authentication information"
UNAUTHORIZED = "401 Unauthorized"
ACCOUNT_NAME = "403 Username/Password authentication is no longer supported"
OTHER_PROJECT = "403 project-scoped token is not valid for project: '{project}'"
EXPIRED = "403 Invalid API Token: … token is expired"
NO_ROLE = "403 The user '{user}' isn't allowed to upload to project '{project}'"
NO_ROLE_MINTED = "403 The given token isn't allowed to upload to project '{project}'"
FILE_EXISTS = "400 File already exists ('{file}', with blake2_256 hash '{hash}')"
FILE_EXISTS_OLD = "400 File already exists. See"
#: until about 2018
FILE_USED_OLDER = "400 This filename has previously been used, you should use a different version"
#: the message until October 2025, for two causes
FILE_USED_OLD = "400 This filename has already been used, use a different version"
CREDENTIAL_NOT_FOUND = "NonInteractive: Credential not found for"
EMPTY = "Your password is empty. Did you enter it correctly?"
#: printed by twine --verbose; otherwise `<hidden>`, so that a credential was sent
EMPTY_SENT = "password: <empty>"
CONTROL_CHARACTERS = "Your password contains control characters. Did you enter it correctly?"
CONTROL_CHARACTERS_USERNAME = "Your username contains control characters"
#: printed by GitHub's publishing action
ODD = 'your token value does not start with "pypi-"'
NO_DISTRIBUTIONS = "It looks like there are no Python distribution packages to publish in the directory"
#: all that poetry prints if a name does not resolve, or a connection or TLS fails. Observed: poetry 2.5.1, 2026-11
POETRY_CONNECTION = "Error connecting to repository"
MISSING_SECTION = "InvalidConfiguration: Missing '{section}' section from {pypirc}"
MALFORMED_PYPIRC = "InvalidConfiguration: Malformed configuration in {pypirc}"
NO_PUBLISHER = "422 valid token, but no corresponding publisher"
NO_IDENTITY = "GitHub: missing or insufficient OIDC token permissions"
NO_OIDC = "OpenID Connect token retrieval failed"
NOT_FOUND_YET = "ERROR: Could not find a version that satisfies the requirement {requirement}"
CORE_METADATA_INVALID = "InvalidDistribution: Invalid distribution metadata"
