"""`__version__` of the module, which flit_core reads. Observed: flit_core 4.2.0, 2026-11."""

from __future__ import annotations

from release.adapters.project_version.base import ProjectFiles, not_stated
from release.adapters.project_version.python_values import attribute_place
from release.core.models.preparation import VersionPlace

#: flit_core searches them before `__init__.py`
_FILES = ("__init__.py", "version.py", "_version.py", "__version__.py")


def find_places(project: ProjectFiles) -> tuple[VersionPlace, ...]:
    """The version in the module of a flit project."""
    if not project.backend.startswith(("flit_core", "flit.")):
        return ()
    module = (
        project.table("tool", "flit", "module").get("name")
        or project.table("tool", "flit", "metadata").get("module")
        or str(project.table("project").get("name", "")).replace("-", "_")
    )
    base = str(module).replace(".", "/")
    files = [f"{root}{base}/{file}" for root in ("", "src/") for file in _FILES]
    candidates = [one for one in [*files, f"{base}.py", f"src/{base}.py"] if (project.directory / one).is_file()]
    found = [place for one in candidates if (place := attribute_place(project, one, "__version__"))]
    if not found:
        raise not_stated(
            f"flit reads the version from the module {module!r}, which assigns no string to __version__",
            edit=candidates[0] if candidates else f"{base}/__init__.py",
        )
    return tuple(dict.fromkeys(found))
