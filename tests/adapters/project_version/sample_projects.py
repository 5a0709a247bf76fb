"""Projects that state their version in all the ways there are: 1.1.0, each time."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A project, and the places of its version, the one that the backend reads first."""

    id: str
    files: dict[str, str]
    #: "path:line setting"
    places: tuple[str, ...]
    #: the requirements of its backend; None where building it needs a compiler, or a checkout
    requires: str | None = None


def _pyproject(backend: str, requires: str, body: str) -> str:
    listed = ", ".join(f'"{one}"' for one in requires.split())
    return f'[build-system]\nrequires = [{listed}]\nbuild-backend = "{backend}"\n{dedent(body)}'


def _sample(  # noqa: PLR0917 - a table
    name: str, backend: str, requires: str, body: str, places: str, files: dict[str, str] | None = None
) -> Sample:
    """`places`: separated by commas; `files`: besides pyproject.toml, whose table begins in line 4."""
    return Sample(
        id=name, places=tuple(places.split(", ")), requires=requires,
        files={"pyproject.toml": _pyproject(backend, requires, body)} | (files or {}),
    )  # fmt: skip


_DYNAMIC = '[project]\nname = "acme"\ndynamic = ["version"]\n'
_FLIT = '[project]\nname = "acme"\ndynamic = ["version", "description"]\n'
_INIT = '"""Acme."""\n\n__version__ = "1.1.0"\n'
_SETUPTOOLS = "setuptools.build_meta", "setuptools"

SAMPLES = (
    _sample("uv", "uv_build", "uv_build>=0.9,<1", '[project]\nname = "acme"\nversion = "1.1.0"\n',
            "pyproject.toml:6 project.version", {"src/acme/__init__.py": ""}),
    _sample("static, repeated", "hatchling.build", "hatchling", '[project]\nname = "acme"\nversion = "1.1.0"\n',
            "pyproject.toml:6 project.version, src/acme/__init__.py:3 __version__", {"src/acme/__init__.py": _INIT}),
    _sample("poetry", "poetry.core.masonry.api", "poetry-core",
            '[tool.poetry]\nname = "acme"\nversion = "1.1.0"\ndescription = ""\nauthors = []\n',
            "pyproject.toml:6 tool.poetry.version", {"acme/__init__.py": ""}),
    _sample("poetry, both tables", "poetry.core.masonry.api", "poetry-core",
            '[project]\nname = "acme"\nversion = "1.1.0"\n[tool.poetry]\nversion = "1.1.0"\n',
            "pyproject.toml:6 project.version, pyproject.toml:8 tool.poetry.version", {"acme/__init__.py": ""}),
    _sample("pdm file", "pdm.backend", "pdm-backend",
            _DYNAMIC + '[tool.pdm.version]\nsource = "file"\npath = "acme/__init__.py"\n',
            "acme/__init__.py:3 __version__", {"acme/__init__.py": _INIT}),
    _sample("pdm pattern", "pdm.backend", "pdm-backend",
            _DYNAMIC + '[tool.pdm.version]\npath = "VERSION"\nsource = "file"\npattern = "^v(.+)$"\n',
            "VERSION:2 version", {"acme/__init__.py": "", "VERSION": "# w0\r\nv1.1.0\r\n"}),
    _sample("hatch path", "hatchling.build", "hatchling",
            _DYNAMIC + '[tool.hatch.version]\npath = "src/acme/__about__.py"\n',
            "src/acme/__about__.py:1 version",
            {"src/acme/__init__.py": "from acme.__about__ import version\n",
             "src/acme/__about__.py": 'VERSION = "v1.1.0"\n'}),
    _sample("hatch pattern", "hatchling.build", "hatchling",
            _DYNAMIC + "[tool.hatch.version]\npath = 'acme/__init__.py'\npattern = '^__v = \"(?P<version>[^\"]+)\"$'\n",
            "acme/__init__.py:2 version", {"acme/__init__.py": '# é\r\n__v = "1.1.0"\r\nx = "1.1.0"\r\n'}),
    _sample("hatch code", "hatchling.build", "hatchling",
            _DYNAMIC + '[tool.hatch.version]\nsource = "code"\npath = "acme/__init__.py"\nexpression = "V"\n',
            "acme/__init__.py:1 V", {"acme/__init__.py": "V: str = '1.1.0'\n"}),
    _sample("hatch nodejs", "hatchling.build", "hatchling hatch-nodejs-version",
            _DYNAMIC + '[tool.hatch.version]\nsource = "nodejs"\n[tool.hatch.build]\npackages = ["acme"]\n',
            "package.json:3 version",
            {"acme/__init__.py": "",
             "package.json": '{\n  "dependencies": {"version": "9.9.9", "a": {"version": "1"}},\n'
             '  "version": "1.1.0"\n}\n'}),
    _sample("hatch.toml", "hatchling.build", "hatchling", _DYNAMIC,
            "acme/__init__.py:3 __version__",
            {"hatch.toml": '[version]\npath = "acme/__init__.py"\n', "acme/__init__.py": _INIT}),
    _sample("flit", "flit_core.buildapi", "flit_core", _FLIT,
            "acme/__init__.py:3 __version__", {"acme/__init__.py": _INIT}),
    _sample("flit, src layout, module", "flit_core.buildapi", "flit_core",
            '[project]\nname = "acme-x"\ndynamic = ["version", "description"]\n[tool.flit.module]\nname = "acme"\n',
            "src/acme.py:3 __version__", {"src/acme.py": _INIT}),
    _sample("flit, in another file", "flit_core.buildapi", "flit_core",
            _FLIT,
            "acme/_version.py:1 __version__",
            {"acme/__init__.py": '"""Acme."""\nfrom acme._version import __version__\n',
             "acme/_version.py": "__version__ = '1.1.0'  # 1.1.0\n"}),
    _sample("setuptools attr", *_SETUPTOOLS,
            _DYNAMIC + '[tool.setuptools.dynamic]\nversion = { attr = "acme.__version__" }\n',
            "src/acme/__init__.py:3 __version__", {"src/acme/__init__.py": _INIT}),
    _sample("setuptools attr, imported", *_SETUPTOOLS,
            _DYNAMIC + '[tool.setuptools]\npackage-dir = { "" = "lib" }\n[tool.setuptools.dynamic]\n'
            'version = { attr = "acme.__version__" }\n',
            "lib/acme/sub/version.py:1 VERSION",
            {"lib/acme/__init__.py": "from .sub.version import VERSION as __version__\n",
             "lib/acme/sub/__init__.py": "", "lib/acme/sub/version.py": 'VERSION = "1.1.0"'}),
    _sample("setuptools file", *_SETUPTOOLS,
            _DYNAMIC + '[tool.setuptools.dynamic]\nversion = { file = ["VERSION.txt"] }\n',
            "VERSION.txt:1 version", {"acme/__init__.py": "", "VERSION.txt": "1.1.0\r\n"}),
    _sample("setup.cfg", *_SETUPTOOLS, "", "setup.cfg:3 metadata.version",
            {"acme/__init__.py": "",
             "setup.cfg": "[metadata]\nname = acme\nversion = 1.1.0\n[options]\npackages = acme\n"}),
    _sample("setup.cfg attr", *_SETUPTOOLS, "", "src/acme/__init__.py:3 __version__",
            {"src/acme/__init__.py": _INIT, "setup.cfg": "[metadata]\nname = acme\nversion = attr: acme.__version__\n"
             "[options]\npackage_dir =\n    =src\npackages = find:\n[options.packages.find]\nwhere = src\n"}),
    _sample("setup.cfg file", *_SETUPTOOLS, "", "VERSION:1 version",
            {"acme/__init__.py": "", "VERSION": "1.1.0",
             "setup.cfg": "[metadata]\nname = acme\nversion = file: VERSION\n[options]\npackages = acme\n"}),
    _sample("setup.py", *_SETUPTOOLS, "", "setup.py:2 setup(version=…)",
            {"acme.py": "", "setup.py": "from setuptools import setup\nsetup(name='acme', version='1.1.0', "
             "py_modules=['acme'])  # 1.1.0\n"}),
    _sample("setup.py, a name", *_SETUPTOOLS, "", "setup.py:2 VERSION",
            {"acme.py": "", "setup.py": "import setuptools\nVERSION = '1.1.0'\n"
             "setuptools.setup(name='acme', version=VERSION, py_modules=['acme'])\n"}),
    _sample("setup.py, read from a file", *_SETUPTOOLS, "", "acme/__init__.py:3 __version__",
            {"acme/__init__.py": _INIT, "setup.py": "import re\nfrom setuptools import setup\n"
             "text = open('acme/__init__.py').read()\n"
             "setup(name='acme', version=re.search('= \"(.+)\"', text)[1], packages=['acme'])\n"}),
    _sample("setup.py, a dictionary", *_SETUPTOOLS, "", "acme/__init__.py:1 version",
            {"acme/__init__.py": "version = '1.1.0'\n", "setup.py": "from setuptools import setup\nns = {}\n"
             "exec(open('acme/__init__.py').read(), ns)\nkeywords = dict(name='acme', version=ns['version'])\n"
             "setup(packages=['acme'], **keywords)\n"}),
    _sample("setuptools attr, found in another directory", *_SETUPTOOLS,
            _DYNAMIC + '[tool.setuptools.packages.find]\nwhere = ["lib"]\n[tool.setuptools.dynamic]\n'
            'version = { attr = "acme.__version__" }\n',
            "lib/acme/__init__.py:3 __version__", {"lib/acme/__init__.py": _INIT}),
    _sample("meson", "mesonpy", "meson-python", _DYNAMIC, "meson.build:4 project(version:)",
            {"meson.build": "# project('acme', version: '0')\nproject('acme',\n"
             "  license: ['version: \\'2\\''],\n  version: '1.1.0', meson_version: '>=0.64')\n"
             "py = import('python').find_installation()\npy.install_sources('acme.py')\n", "acme.py": ""}),
    _sample("meson, a file", "mesonpy", "meson-python", _DYNAMIC, "VERSION:1 version",
            {"meson.build": "project('acme', version: files('VERSION'))\n"
             "py = import('python').find_installation()\npy.install_sources('acme.py')\n", "acme.py": "",
             "VERSION": "1.1.0\n"}),
    _sample("scikit-build", "scikit_build_core.build", "scikit-build-core",
            _DYNAMIC + '[tool.scikit-build]\nwheel.cmake = false\n[tool.scikit-build.metadata.version]\n'
            'provider = "scikit_build_core.metadata.regex"\ninput = "src/acme/__init__.py"\n',
            "src/acme/__init__.py:3 __version__", {"src/acme/__init__.py": _INIT}),
    _sample("maturin", "maturin", "maturin", _DYNAMIC, "Cargo.toml:3 package.version, Cargo.lock:5 package acme",
            {"Cargo.toml": '[package]\nname = "acme"\nversion = "1.1.0"\nedition = "2021"\n'
             '[lib]\ncrate-type = ["cdylib"]\n', "src/lib.rs": "",
             "Cargo.lock": 'version = 4\n\n[[package]]\nname = "acme"\nversion = "1.1.0"\n'}),
    _sample("maturin, static", "maturin", "maturin", '[project]\nname = "acme"\nversion = "1.1.0"\n',
            "pyproject.toml:6 project.version, Cargo.toml:3 package.version",
            {"Cargo.toml": '[package]\nname = "acme"\nversion = "1.1.0"\nedition = "2021"\n'
             '[lib]\ncrate-type = ["cdylib"]\n', "src/lib.rs": ""}),
    _sample("setuptools, static, with a setup.py", *_SETUPTOOLS, '[project]\nname = "acme"\nversion = "1.1.0"\n',
            "pyproject.toml:6 project.version, setup.py:1 setup(version=…)",
            {"acme.py": "", "setup.py": "from setuptools import setup; setup(version='1.1.0')\n"}),
    _sample("maturin, workspace", "maturin", "maturin",
            _DYNAMIC + '[tool.maturin]\nmanifest-path = "crates/py/Cargo.toml"\n',
            "Cargo.toml:4 workspace.package.version",
            {"Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n[workspace.package]\nversion = "1.1.0"\n',
             "crates/py/Cargo.toml": '[package]\nname = "acme"\nversion.workspace = true\nedition = "2021"\n'
             '[lib]\ncrate-type = ["cdylib"]\n', "crates/py/src/lib.rs": ""}),
)  # fmt: skip
