"""What PyPI accepts: the index's own rules, in the index's own order and words. Pure.

One implementation, used by `checks/distributions` before an upload and by the sandbox during one. A rule is one
function `(Upload, OnIndex) -> Refusal | None`; the tuples FORM, NEW_NAME, DESCRIPTION and FILE hold them in
the order in which the index applies them. Facts about the index come from warehouse 6b62157 (2026-08-21),
read and run.
"""
