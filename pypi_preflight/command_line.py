"""The program, wherever it is started: the script `pypi-preflight`, `python -m`, and the scheduler of Windows."""

import gc
import os
import sys

from pypi_preflight.import_path import ignore_project

#: Objects that are made before the garbage collector looks for cycles among them. With the default of 700, it does that
#: every few modules while they are imported, and finds none: a twentieth of a short run.
_YOUNG_OBJECTS = 50_000


def prepare_imports() -> None:
    """Import the package `release` next to this one from now on, and nothing of the project. See `ignore_project`.

    From now on, other processes of the user cannot read this one: see `close_process`.
    """
    ignored = ignore_project(sys.argv[1:])
    from pypi_preflight.own_package import use_own_package

    use_own_package()
    import release

    release.ignored_directories = ignored
    from pypi_preflight.process_privacy import close_process

    close_process()


def collect_seldom() -> None:
    """Let the garbage collector search for cycles after as many objects as suit a short run."""
    gc.set_threshold(_YOUNG_OBJECTS, 10, 10)


def main() -> int:
    """Run the program. Returns the exit status."""
    collect_seldom()
    try:
        prepare_imports()
        if sys.argv[1:2] == ["inspect"]:
            from release.publishing.early_rst import start_early

            start_early(sys.argv[2:], os.environ)
        elif sys.argv[1:2] == ["rehearse"]:
            from release.adapters.builds.early_child import start_build_early

            start_build_early(os.environ)
        from release.cli.argparse_import import import_argparse

        import_argparse()
        if "_ARGCOMPLETE" in os.environ:  # set by the script of a shell that completes a command line
            from release.cli.commands.completion import complete

            complete()
        from release.cli.main import main as run

        return run(ends_process=True)
    except KeyboardInterrupt:  # before the program handles it itself
        sys.stderr.write("interrupted\n")
        return 1
    finally:
        gc.freeze()  # at its end, the interpreter would search all modules for cycles, which takes a tenth of a run
