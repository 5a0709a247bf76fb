"""A child program that requests an identity token from the CI service of this job.

`id` reads the environment of its own process, so it runs in one with the given environment. The audience comes from
stdin; the response is a line of JSON on stdout. Run by path, with `-P`, so that no `id.py` in the current directory
is imported. `id` has a client of its own, whose responses are held to the limits of ours.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main() -> None:
    """Answer one request."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what is printed meanwhile is not the response
    audience = sys.stdin.read().strip()
    import id as ambient

    sys.path.append(str(Path(__file__).parents[3]))
    from release.adapters.http import bounded_response, response_limits
    from release.adapters.http.errors import ResponseLimitError

    answer: dict[str, object]
    try:
        with bounded_response.limited_clients(response_limits.ANSWER):
            answer = {"token": ambient.detect_credential(audience)}
    except ambient.IdentityError as error:
        answer = {"error": str(error), "permission": type(error).__name__ == "GitHubOidcPermissionCredentialError"}
    except ResponseLimitError as error:
        answer = {"error": error.message, "permission": False}
    except Exception as error:  # noqa: BLE001 - errors of urllib3, and of parsing the service's response
        answer = {"error": f"{type(error).__name__}", "permission": False}
    output.write(json.dumps(answer) + "\n")
    output.flush()


if __name__ == "__main__":
    main()
