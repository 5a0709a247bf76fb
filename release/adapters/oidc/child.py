"""A child program that requests an identity token from the CI service of this job.

`id` reads the environment of its own process, so it runs in one with the given environment. The audience comes from
stdin; the response is a line of JSON on stdout. Run by path, with `-P`, so that no `id.py` in the current directory
is imported.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    """Answer one request."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what is printed meanwhile is not the response
    audience = sys.stdin.read().strip()
    import id as ambient

    answer: dict[str, object]
    try:
        answer = {"token": ambient.detect_credential(audience)}
    except ambient.IdentityError as error:
        answer = {"error": str(error), "permission": type(error).__name__ == "GitHubOidcPermissionCredentialError"}
    except Exception as error:  # noqa: BLE001 - errors of urllib3, and of parsing the service's response
        answer = {"error": f"{type(error).__name__}", "permission": False}
    output.write(json.dumps(answer) + "\n")
    output.flush()


if __name__ == "__main__":
    main()
