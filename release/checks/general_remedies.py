"""How to fix what a check finds, in general; the remedy that is shown with a finding names the exact command.

A check that is not listed gets `DEFAULT_REMEDY`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DEFAULT_REMEDY = "Follow the remedy that is shown with the finding."

_REPLACE = "Store another token: `pypi-preflight store`."
_REBUILD = "Correct what the finding names in the project, and rebuild the files."
_INDEX_DOWN = "Check the URL of the index, the network and the proxy, then run the command again."
_COMPARE = (
    "If the change is intended, nothing is to be done; otherwise restore what the finding names, and rebuild the files."
)
_SMOKE = (
    "Correct the failing import or command, and release a new version; or name what is to be tried instead in "
    "`[tool.release.smoke]`."
)

#: name of a check → what to do, in Markdown
GENERAL_REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        # the project
        "the-project-says-its-name-and-version": "Declare `name` and `version` in `[project]` of pyproject.toml, or "
        "correct what makes the build backend fail: `python -m build --sdist` shows its output.",
        "the-name-is-valid": "Change `project.name`: ASCII letters and digits, with `.`, `_` and `-` between them.",
        "the-version-is-valid": "Change the version to one such as 1.0, 1.0rc1 or 1.0.post1; if it comes from git, "
        "commit everything and tag the commit.",
        "the-project-is-in-a-repository": "Run `git init`, and commit everything; `pypi-preflight rehearse` needs no "
        "repository.",
        "the-tree-is-clean": "Commit the files, ignore them in `.gitignore`, or remove them; `git status` lists them.",
        "the-submodules-are-checked-out": "Run `git submodule update --init --recursive`.",
        "the-branch-is-the-release-branch": "Switch to the release branch, or change `branch` in `[tool.release]`.",
        "the-tag-is-free-or-here": "Bump the version, or release the commit that the tag points to.",
        "the-branch-is-not-behind-its-upstream": "Run `git pull --rebase`.",
        "the-changelog-mentions-the-version": "Add an entry for the version, or change `changelog` in "
        "`[tool.release]`.",
        "the-tags-here-are-of-this-version": "Commit another version, and release that commit; if the tag belongs to "
        "another project, set `tag-format` in `[tool.release]`.",
        "the-pipeline-runs-for-this-version": "Commit a version, tag that commit with it, and push the new tag.",
        "the-version-comes-from-a-tag-of-the-project": "Tag the commit with the version, in the form of the other "
        "tags; configure the tool that takes the version from git to ignore tags of other kinds.",
        "the-tags-of-the-remote-are-here": "Fetch the tags: `git fetch --tags`.",
        "the-tag-can-be-signed": "Make the key available to git, or do not sign: `git config tag.gpgSign false`.",
        "a-branch-of-the-remote-has-the-commit": "Push the branch before the release: `git push`.",
        "a-required-python-is-installed": "Install a Python version that `requires-python` allows, or extend "
        "`requires-python`.",
        "the-build-constraints-are-complete": "Write the constraints again: `pypi-preflight build --write-constraints "
        "FILE`, and commit them.",
        # the credential and the index
        "a-credential-is-found": "Create an API token on the index, and store it: `pypi-preflight store`.",
        "the-credential-is-plain-to-see": "Correct the file, variable or keyring entry that the finding names, and "
        "verify it: `pypi-preflight verify`.",
        "the-username-is-the-one-for-tokens": "Set the username to `__token__` where the credential is stored.",
        "the-token-is-whole": "Copy the whole token again, without quotes or blanks, and store it: "
        "`pypi-preflight store`.",
        "the-token-is-of-this-index": "Create a token on the index that is to be uploaded to; PyPI and TestPyPI have "
        "separate accounts and tokens.",
        "the-service-vouches-for-this-job": "Give the job permission to request an identity token (GitHub: "
        "`id-token: write`; GitLab: `id_tokens`).",
        "the-job-can-be-a-publisher": "Change the workflow as the finding says, or use an API token in this job.",
        "the-index-has-this-publisher": "Run `pypi-preflight verify --exchange` in the job that uploads, and add the "
        "publisher at the address that the finding names. Where the release creates the project, pass `--new-project`.",
        "the-limits-of-the-token-can-be-met": _REPLACE,
        "the-token-is-valid-now": f"{_REPLACE} If the token is new, correct the clock of this machine.",
        "the-token-lasts": "Replace the token before it expires: `pypi-preflight rotate`.",
        "the-token-covers-this-project": "Store a token whose scope is this project; for a new project, one for the "
        "entire account.",
        "the-build-was-pinned": "Write the constraints again: `pypi-preflight build --write-constraints FILE`, and "
        "build again.",
        "the-index-answers": _INDEX_DOWN,
        "the-project-takes-uploads": "Unarchive the project in its settings; if it is in quarantine, contact the "
        "index's administrators.",
        "the-release-is-open": "Bump the version: the index accepts no further files for this release.",
        "the-version-is-new": "Bump the version with `pypi-preflight prepare`: file names cannot be used again "
        "on an index.",
        "the-version-is-the-newest-of-its-series": "Bump the version beyond those on the index; if the branch is for "
        "an earlier series, name it: `maintenance-branches` in `[tool.release]`.",
        "the-new-name-can-be-had": "Choose another project name, or ask an owner of that project for a role.",
        "the-clocks-agree": "Correct the clock of this machine.",
        "the-index-knows-the-token": f"{_REPLACE} The index does not know this one, or refuses it.",
        "the-index-lets-the-token-upload": "Ask an owner of the project for a role, or store a token whose scope is "
        "this project.",
        "the-files-can-be-signed": "Release from a CI job with trusted publishing, install `pypi-preflight[attest]`, "
        'or set `attest = "auto"` in `[tool.release]`.',
        # the files
        "there-is-something-to-upload": "Run `python -m build`, and pass the directory with its files.",
        "the-files-are-as-they-were-built": "Build the files again; nothing may write to them after the checks.",
        "the-file-names-are-right": "Rebuild the files with a current build backend; do not rename them.",
        "the-archives-are-sound": _REBUILD,
        "the-index-takes-the-metadata": "Correct the field in pyproject.toml (or setup.cfg, setup.py), and rebuild "
        "the files.",
        "newer-servers-take-the-metadata": "Write the field so that both versions accept it, and rebuild the files.",
        "the-index-takes-the-name": "Choose another project name.",
        "the-description-renders": "Correct the README, or its content type, and rebuild the files.",
        "the-index-has-room": "Remove what users do not need from the files, or request a higher limit from the index.",
        "the-files-are-new-to-the-index": "Bump the version with `pypi-preflight prepare`: file names cannot be used "
        "again on an index.",
        "twine-takes-the-files": _REBUILD,
        "the-uploader-knows-the-metadata-version": "Upgrade the uploader: `python -m pip install --upgrade twine`.",
        "the-license-files-fit-the-metadata-version": "Upgrade the build backend (`setuptools>=77`) and rebuild the "
        "files, or upload with twine.",
        "the-wheel-has-one-dist-info-directory": "Remove the other directory from the source tree and from `build/`, "
        "and rebuild the wheel.",
        "the-tags-in-the-wheel-are-those-of-its-name": "Rebuild the wheel with the right tags; do not rename it.",
        "the-wheel-is-tagged-for-its-compiled-code": "Declare the compiled code to the build backend, and build a "
        "wheel for each platform: `cibuildwheel`.",
        "record-lists-what-is-in-the-wheel": "Rebuild the wheel; change nothing in it afterwards.",
        "every-member-can-be-read": "Rebuild the wheel; a member is damaged, encrypted or compressed by a rare method.",
        "every-path-stays-inside": "Remove the path that leads out of the archive, and rebuild the files.",
        "nothing-is-shipped-by-accident": "Exclude the files in the configuration of the build backend, and rebuild.",
        "no-common-name-is-installed": "Exclude the package in the configuration of the build backend, or move it "
        "into the project's package.",
        "every-title-is-a-title": "Make the underline as long as the heading, in a README in reStructuredText.",
        "no-git-lfs-pointer-is-shipped": "Run `git lfs pull`, and rebuild the files.",
        "the-version-is-of-a-tag": "Fetch the tags (`git fetch --tags`; in a shallow clone: `git fetch --unshallow "
        "--tags`), tag the commit, and rebuild the files.",
        "the-classifiers-fit-requires-python": "Remove the classifiers of Python versions that `requires-python` "
        "excludes, or extend `requires-python`.",
        "the-files-are-of-the-project": "Build into an empty directory: files of another project or version are in it.",
        "the-files-are-of-one-release": "Build into an empty directory: files of another project or version are in it.",
        "there-is-one-sdist-at-most": "Upload one sdist only: an index accepts one for each release.",
        "the-wheel-has-something-to-import": "Name the project's packages or modules in the build backend's "
        "configuration, and rebuild the files.",
        "wheels-and-sdist-say-the-same": "Build wheel and sdist from the same source; do not compute requirements at "
        "build time.",
        "no-two-files-have-the-same-bytes": "Build each wheel with its own tags, or name several tags in one file: "
        "`python -m wheel tags`.",
        "no-two-files-have-the-same-name": "Upload only the file that was built last.",
        "no-two-wheels-have-the-same-tags": "Release one wheel for each tag; a wheel that replaces a published one is "
        "released alone, with a build number.",
        "the-expected-files-are-there": "Pass the directories of all files, or correct `expected` in `[tool.release]`.",
        "every-file-is-expected": "Add a pattern to `expected` in `[tool.release]`, or do not pass the file.",
        "the-files-are-those-of-the-list": "Pass exactly the files that the build has listed.",
        "the-project-has-space-for-the-files": "Ask the index for a higher limit, unless the project has one already.",
        "the-description-is-not-empty": "Write a description in the README, or correct `readme` in pyproject.toml.",
        "the-links-of-the-description-work": "Write the full address of each link and image in the README.",
        # comparisons
        "the-build-is-reproducible": "Find what reads the clock, the machine or an unsorted directory during the "
        "build.",
        "the-wheel-is-the-same-from-the-tree": "Include in the sdist what the wheel is built from.",
        "no-index-has-other-bytes": "Bump the version: no index replaces a file.",
        "the-wheel-has-every-sub-package": "Add the sub-package to the packages in the configuration of the build "
        "backend, or exclude it there.",
        "the-wheel-has-what-it-imports": "Add the module to the configuration of the build backend.",
        "the-wheel-has-what-git-has": "Include the files by the configuration of the build backend, or exclude them "
        "there.",
        "the-sdist-has-what-git-has": "Add the files to git, or exclude them from the sdist.",
        "every-declared-file-is-found": "Add the files to git, or remove them from the configuration.",
        "the-last-release-can-be-compared": _INDEX_DOWN,
        "no-file-vanished-or-shrank": _COMPARE,
        "no-module-is-new-at-the-top": _COMPARE,
        "the-dependencies-are-those-of-the-last-release": _COMPARE,
        "python-is-supported-as-before": _COMPARE,
        "no-entry-point-is-gone": _COMPARE,
        "the-size-is-in-line": _COMPARE,
        "no-platform-is-gone": "Upload the wheels of the other platforms too.",
        # secrets
        "no-token-of-an-index-leaks": "Revoke the token first (`pypi-preflight rotate --leaked`), then remove it from "
        "the files and from the history.",
        "no-key-of-another-service-leaks": "Revoke the key first, where it was issued, then remove it from the files "
        "and from the history.",
        "no-private-key-leaks": "Create a new pair first, then remove the key from the files and from the history; a "
        "key that is published on purpose, such as one for tests, can be waived.",
        "no-credential-file-leaks": "Replace the credentials in the file first, then remove it from the files and "
        "from the history.",
        "everything-could-be-searched": "Make the file readable, or search it yourself.",
        # after the upload
        "the-index-could-be-asked": _INDEX_DOWN,
        "every-file-is-listed": "Wait some minutes and confirm again: `pypi-preflight confirm NAME==VERSION`; if a "
        "file was not uploaded, run the release again.",
        "every-file-has-our-bytes": "Yank the release on the index, find who uploaded the file, and bump the version.",
        "no-file-is-yanked": "Undo the yank on the index, or bump the version.",
        "no-file-is-not-ours": "Find who uploaded the file: check the security history of the project on the index.",
        "the-attestations-hold": "Check the publisher that the index names; if it is not yours, yank the release.",
        "it-installs-into-a-clean-environment": "Correct the requirements, and release a new version; the finding "
        "shows the end of the installer's output.",
        "what-was-installed-works": _SMOKE,
        # published releases
        "the-project-is-in-good-standing": "Unarchive the project in its settings; if it is in quarantine, contact the "
        "index's administrators.",
        "the-release-is-visible": "Check name, version and index; after an upload, wait some minutes and "
        "confirm again.",
        "every-listed-file-is-recorded": "Find who uploaded the file: check the security history of the project on "
        "the index.",
        "the-pages-of-the-index-agree": "Wait some minutes and confirm again: a cache has not been updated.",
        "every-file-has-attestations-or-none-has": "Publish all files of a release from the same workflow.",
        "every-file-has-the-recorded-bytes": "Yank the release on the index, and find who uploaded the file.",
        "every-download-is-what-its-page-says": "Confirm again from another network; if it persists, report it to the "
        "index.",
        "every-file-is-of-the-release": "Yank the release on the index, and release a new version.",
        "the-files-say-the-same": "Build all files of the next release from the same source.",
        "the-index-would-take-each-file-today": "Correct what the finding names before the next release.",
        "the-wheel-installs-into-a-clean-environment": "Correct the requirements, and release a new version.",
        "what-the-wheel-installs-works": _SMOKE,
        "the-sdist-installs-into-a-clean-environment": "Complete `build-system.requires` and the files of the sdist, "
        "and release a new version.",
        "what-the-sdist-installs-works": _SMOKE,
        "the-sdist-installs-what-the-wheel-does": "Include the missing modules in the sdist, and release a new "
        "version.",
        # release sets
        "each-member-can-be-read": "Correct the member's pyproject.toml, or what makes its build backend fail; or "
        "release the others: `--only`.",
        "a-changed-member-has-a-new-version": "Bump the version of the member; or release the others: `--only`.",
        "requirements-on-members-can-be-met": "Change the requirement or the version of the required member; or "
        "release both: `--only`.",
        "members-with-versions-of-their-own-have-tags-of-their-own": 'Set `tag-format = "{name}-v{version}"` in '
        "`[tool.release]` of each member.",
        "a-released-member-is-whole": "Complete the release of the member from the commit of its tag, or release a new "
        "version of it.",
        "the-members-have-one-version": "Set the same version in all members, or remove `lockstep` from "
        "`[tool.release.set]`.",
        "the-new-projects-are-within-the-quota": "Release the new projects on several days, with `--only`; if the "
        "index has raised your limit, waive this check.",
        # token health
        "the-token-is-rotated-in-time": "Replace the token: `pypi-preflight rotate`.",
        "the-token-is-for-one-project": "Replace the token by one whose scope is the project: `pypi-preflight rotate`.",
        "the-token-lies-in-one-place": "Keep the token in one location, and remove the copies that the finding names.",
        "the-secret-is-the-one-seen-before": "Revoke the token on the index, unless a maintainer replaced it.",
        "trusted-publishing-is-used": "Add a trusted publisher in the settings of the project, and remove the token "
        "from the CI service.",
    }
)
