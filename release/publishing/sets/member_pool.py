"""Work on the members of a set in parallel, each once those that it needs are through."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

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
    waiting, through, running = list(names), set[str](), dict[Future[bool], str]()
    with (
        handled_signals(interruption.requested.set),
        ThreadPoolExecutor(max(1, min(workers, len(names))), thread_name_prefix="member") as pool,
    ):
        while waiting or running:
            try:
                free = 0 if interruption.requested.is_set() else workers - len(running)
                for name in _ready(waiting, needs, through)[:free]:
                    waiting.remove(name)
                    running[pool.submit(work, name)] = name
                if not running:
                    break
                done, _ = wait(running, timeout=_TICK, return_when=FIRST_COMPLETED)
                for future in done:
                    name = running.pop(future)  # first: where the work has failed, its exception is raised below
                    if future.result():
                        through.add(name)
            except KeyboardInterrupt:
                interruption.requested.set()
    if interruption.requested.is_set():
        raise KeyboardInterrupt
    return frozenset(through)


def _ready(waiting: Sequence[str], needs: Mapping[str, frozenset[str]], through: set[str]) -> list[str]:
    return [name for name in waiting if needs.get(name, frozenset()) <= through]
