"""Sphinx configuration: `nox -s docs` builds the site, with warnings as errors."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "pypi-preflight"
author = "the pypi-preflight developers"
project_copyright = author
release = version = version_of(project)

extensions = ["myst_parser", "sphinx_argparse_cli", "generated_reference"]
exclude_patterns = ["_build", "_ext"]
nitpicky = True

# Headings get the anchors that they have on GitHub, so that links work in both places.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

# Two hyphens are the start of an option, not a dash.
smartquotes = False

html_theme = "furo"
html_title = "pypi-preflight"
html_baseurl = "https://pypi-preflight.readthedocs.io/en/stable/"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "source_repository": "https://github.com/pypi-preflight/pypi-preflight",
    "source_branch": "main",
    "source_directory": "docs/",
}
pygments_style = "friendly"
pygments_dark_style = "github-dark"
