"""PyPI's upload rules, in the index's own order and wording. Pure.

One implementation, used by `checks/distributions` before an upload and by the sandbox during one. A rule is one
function `(FileUpload, IndexContents)` in a module `*_rules`. Its decorator names its remedy, its cause, and its check
where that is not the one of its list. FORM, NEW_NAME, DESCRIPTION and FILE hold the rules in the order in which the
index applies them. Facts about the index come from warehouse 6b62157 (2026-08-21), read and run.
"""
