"""The child that asks the service which runs this job for an identity token.

`id` looks into the environment of its own process, so it gets one with the environment that is meant.
Reads the audience from stdin, and writes one line of JSON to stdout. Run by path, with `-P`, so that no
`id.py` in the current directory is taken for the library.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    """Answer one request."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever is printed meanwhile is no answer
    audience = sys.stdin.read().strip()
    import id as identities

    answer: dict[str, object]
    try:
        answer = {"token": identities.detect_credential(audience)}
    except identities.IdentityError as error:
        answer = {"error": str(error), "permission": type(error).__name__ == "GitHubOidcPermissionCredentialError"}
    except Exception as error:  # noqa: BLE001 - urllib3's, and whatever a service's answer breaks
        answer = {"error": f"{type(error).__name__}", "permission": False}
    output.write(json.dumps(answer) + "\n")
    output.flush()


if __name__ == "__main__":
    main()
