"""Work on the members of a set in parallel, each once those that it needs are through."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from heapq import heappop, heappush

from release.adapters.system.deferred_signals import handled_signals
from release.publishing.sets.interruption import Interruption

#: seconds between two looks at the work; on Windows, Ctrl-C does not interrupt a longer wait
_TICK = 0.1


def work_on_members(
    names: Sequence[str],
    work: Callable[[str], bool],
    *,
    workers: int,
    needs: Mapping[str, frozenset[str]],
    interruption: Interruption,
) -> frozenset[str]:
    """Call `work` for each name, in threads; it returns whether the member is through. The names that are.

    A name that needs another one (`needs`), which is not through, is left out. At Ctrl-C, nothing
    new is begun, and what is under way stops: `KeyboardInterrupt` is raised once all of it has ended.
    """
    waiting, through, running = _Waiting(names, needs), set[str](), dict[Future[bool], str]()
    with (
        handled_signals(interruption.requested.set),
        ThreadPoolExecutor(max(1, min(workers, len(names))), thread_name_prefix="member") as pool,
    ):
        while True:
            try:
                free = 0 if interruption.requested.is_set() else workers - len(running)
                for name in waiting.take(free):
                    running[pool.submit(work, name)] = name
                if not running:
                    break
                done, _ = wait(running, timeout=_TICK, return_when=FIRST_COMPLETED)
                for future in done:
                    name = running.pop(future)  # first: where the work has failed, its exception is raised below
                    if future.result():
                        through.add(name)
                        waiting.release(name)
            except KeyboardInterrupt:
                interruption.requested.set()
    if interruption.requested.is_set():
        raise KeyboardInterrupt
    return frozenset(through)


class _Waiting:
    """The names that are not begun; each needs some that are not through yet."""

    def __init__(self, names: Sequence[str], needs: Mapping[str, frozenset[str]]) -> None:
        self._names = names
        #: place of a name → how many of those that it needs are not through
        self._missing = [len(needs.get(name, ())) for name in names]
        #: name → the places of those that need it
        self._needed_by: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            for needed in needs.get(name, ()):
                self._needed_by.setdefault(needed, []).append(place)
        #: the places of those that can begin, as a heap
        self._ready = [place for place, missing in enumerate(self._missing) if not missing]

    def take(self, count: int) -> list[str]:
        """Up to `count` names that can begin, in their order."""
        return [self._names[heappop(self._ready)] for _ in range(min(count, len(self._ready)))]

    def release(self, name: str) -> None:
        """Let those begin that need nothing besides this name, which is through now."""
        for place in self._needed_by.get(name, ()):
            self._missing[place] -= 1
            if not self._missing[place]:
                heappush(self._ready, place)
