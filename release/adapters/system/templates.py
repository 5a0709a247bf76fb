"""Render the Jinja2 templates of CI workflows and scheduler files, which are stored in the packages that use them."""

from __future__ import annotations


def render_template(package: str, name: str, values: dict[str, object], *, autoescape: bool = False) -> str:
    """Fill in `templates/<name>` of an imported package; an undefined variable is an error.

    The delimiters are `[[ ]]`, `[% %]` and `[# #]`, because workflows use `{{ }}` themselves. A line that has
    only a statement leaves no empty line behind. `autoescape` is for XML.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=autoescape,  # noqa: S701 - off for YAML and unit files, which are not HTML
        undefined=jinja2.StrictUndefined,
        variable_start_string="[[", variable_end_string="]]", block_start_string="[%", block_end_string="%]",
        comment_start_string="[#", comment_end_string="#]",
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template(name).render(values)
