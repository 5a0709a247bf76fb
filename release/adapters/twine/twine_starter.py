"""Start the processes that upload, as few and as quickly as the system can."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from release.adapters.twine.twine_template import AVAILABLE, TwineTemplate
from release.core.child_environment import without_credentials

if TYPE_CHECKING:
    from release.adapters.twine.twine_process import Worker


class TwineStarter(contextlib.AbstractContextManager["TwineStarter"]):
    """Starts workers; a context manager, to be left once they have ended.

    Where several are wanted, they are forked from one process that has imported twine, if the system can do that.
    """

    def __init__(self, env: Mapping[str, str], *, several: bool = False) -> None:
        """`several`: whether more than one is wanted soon, so that not even the first imports twine on its own."""
        self._env = env
        self._template = TwineTemplate(without_credentials(env, "twine")) if AVAILABLE else None
        self._alone = not several
        if self._template is not None and several:
            self._template.start()

    def __call__(self) -> Worker:
        """A worker whose process is starting."""
        from release.adapters.twine.twine_process import Worker  # while the template starts

        alone, self._alone = self._alone, False
        return Worker(env=self._env, start=None if alone or self._template is None else self._template.fork)

    def __exit__(self, *_: object) -> None:
        if self._template is not None:
            self._template.close()
