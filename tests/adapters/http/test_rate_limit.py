"""The rate limit of a host is shared by all threads."""

from __future__ import annotations

import threading

from release.adapters.http.rate_limit import RateLimit


def test_a_rate_is_kept_by_all_threads_together() -> None:
    """Ten a second: between two requests lies a tenth of a second and a little more, whoever sends them."""
    now, sent = [0.0], []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    limit = RateLimit(10, sleep=sleep, clock=lambda: now[0])

    def send() -> None:
        limit.wait("https://a.test/legacy/")
        sent.append(now[0])

    threads = [threading.Thread(target=send) for _ in range(11)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert 1.0 <= max(sent) <= 1.1
    assert len(set(sent)) == 11
    before = now[0]
    limit.wait("https://another.test/legacy/")
    assert now[0] == before


def test_a_host_that_asks_for_patience_gets_it() -> None:
    slept: list[float] = []
    limit = RateLimit(1000, sleep=slept.append, clock=lambda: 0.0)
    limit.answered("https://a.test/", 200, {})
    limit.wait("https://a.test/x")
    limit.answered("https://a.test/", 429, {"Retry-After": "7"})
    limit.wait("https://a.test/x")
    limit.answered("https://b.test/", 503, {"Retry-After": "99999"})
    limit.wait("https://b.test/x")
    assert slept == [7.0, 60.0]
