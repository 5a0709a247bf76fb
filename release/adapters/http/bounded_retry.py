"""Retries that end: no wait for hours because a server asks for it, no second wait for one that is silent."""

from __future__ import annotations

from typing import Any, Self

import urllib3
from urllib3.exceptions import InvalidHeader, MaxRetryError, ReadTimeoutError

from release.adapters.http import response_limits

#: seconds; for a Retry-After that is no number which Python can hold
_FOREVER = 10.0**9


class BoundedRetry(urllib3.Retry):
    """Returns the response where it asks to wait for longer than `LONGEST_WAIT`, and repeats no time-out.

    Observed: urllib3 2.8.0, 2026-11 - it cuts a longer wait off and asks again too early, raises `ValueError` for a
    Retry-After of 5,000 digits, and for one that is none, it raises without closing the connection.
    """

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Self:
        if isinstance(error, ReadTimeoutError):
            raise error
        if response is not None and (self.get_retry_after(response) or 0) > response_limits.LONGEST_WAIT:
            raise MaxRetryError(_pool, url or "", None)
        return super().increment(method, url, response, error, _pool, _stacktrace)

    def parse_retry_after(self, retry_after: str) -> float:
        try:
            return super().parse_retry_after(retry_after)
        except InvalidHeader:  # neither a number nor a date
            return 0.0
        except (ValueError, OverflowError):
            return _FOREVER
