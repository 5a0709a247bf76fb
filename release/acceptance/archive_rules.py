"""What the index asks of the archive itself, whatever is in it.

Source: warehouse, `forklift/legacy.py`, its check of the distribution file.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from release.acceptance.archive_limits import MIB, Broken
from release.acceptance.metadata_error import BROKEN
from release.acceptance.rule import Refusal, Rule, Upload
from release.acceptance.tar_reader import TarContents, is_tar, read_tar
from release.acceptance.zip_framing import framing_fault
from release.acceptance.zip_reader import ZipContents, open_zip
from release.core.models.distribution import MemberVisitor
from release.core.models.index import USER_DOCS
from release.core.models.index_contents import OnIndex

# ruff: noqa: ARG001 - every rule takes the upload and the index, whatever it needs of them

_ZIPS = (".zip", ".whl")
#: a zip that unpacks to more than this may not unpack to more than this many times its size
_RATIO_FROM, _RATIO = 64 * MIB, 50


def zip_of(upload: Upload) -> ZipContents | Broken | None:
    """The zip in the upload, opened once; None where it is no zip."""
    if "zip" not in upload.memo:
        upload.memo["zip"] = open_zip(upload.content) if upload.content else None
    found: ZipContents | Broken | None = upload.memo["zip"]
    return found


def tar_of(upload: Upload) -> TarContents | Broken:
    """The tar in the upload, read once."""
    if "tar" not in upload.memo:
        upload.memo["tar"] = read_tar(upload.content) if upload.content else Broken(how="caught", why="empty")
    found: TarContents | Broken = upload.memo["tar"]
    return found


def read_members(memo: dict[str, Any], visit: MemberVisitor | None = None) -> None:
    """Read the members of an open zip, each once, and leave what was found in the memo for whoever asks.

    Code alone matters to the index, the others to whoever installs it. A tar was read when it was opened.
    """
    archive = memo.get("zip")
    if isinstance(archive, ZipContents):
        memo["protected"] = archive.protected(visit)
        memo["damaged"] = tuple(archive.damaged(visit))


def members(memo: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Path and bytes of each file in an archive that was read, in its order."""
    archive = memo.get("zip") or memo.get("tar")
    if isinstance(archive, ZipContents):
        yield from ((info.filename, info.file_size) for info in archive.archive.infolist() if not info.is_dir())
    elif isinstance(archive, TarContents):
        found = zip(archive.names, archive.sizes, strict=True)
        yield from ((name, size) for name, size in found if size is not None)


def paths(memo: Mapping[str, Any]) -> Sequence[str]:
    """The path of everything in an archive that was read, directories and links too, in its order."""
    archive = memo.get("zip") or memo.get("tar")
    return archive.names if isinstance(archive, (ZipContents, TarContents)) else ()


def entry_points(upload: Upload) -> bytes:
    """A wheel's `entry_points.txt`; empty where it has none that can be read."""
    archive, directory = upload.memo.get("zip"), dist_info(upload.filename)
    got = archive.read(f"{directory}/entry_points.txt") if isinstance(archive, ZipContents) else None
    return got if isinstance(got, bytes) else b""


def _tar_like(upload: Upload) -> bool | Broken:
    if "tar-like" not in upload.memo:
        upload.memo["tar-like"] = is_tar(upload.content) if upload.content else False
    found: bool | Broken = upload.memo["tar-like"]
    return found


def top(names: Sequence[str]) -> str | None:
    """The directory that all members share, as the server finds it; None where it breaks in the attempt."""
    try:
        return posixpath.commonpath(names) if names else ""
    except ValueError:
        return None


def _is_zip_name(upload: Upload) -> bool:
    return upload.filename.endswith(_ZIPS)


def _is_tar_name(upload: Upload) -> bool:
    return upload.filename.endswith(".tar.gz")


def _refusal(rule: str, text: str) -> Refusal:
    return Refusal(rule=rule, status=400, text=f"Invalid distribution file. {text}")


def refuse_broken(rule: str, broken: Broken, *, caught: bool = True) -> Refusal:
    """What the server says about an archive that it can't read: little, or an internal error."""
    if broken.how == "caught" and caught:
        return Refusal(rule=rule, status=400, text="Invalid distribution file. None", why=broken.why)
    return Refusal(rule=rule, status=500, text=BROKEN, why=broken.why)


def the_file_is_one_archive(upload: Upload, index: OnIndex) -> Refusal | None:
    """The file is not a zip and a tar at the same time."""
    is_zip = zip_of(upload) is not None
    if is_zip and _tar_like(upload) is True:
        return _refusal("the-file-is-one-archive", "File is both a zip and a tar file")
    return None


def the_file_is_what_its_name_says(upload: Upload, index: OnIndex) -> Refusal | None:
    """A `.whl` or `.zip` is a zip, a `.tar.gz` a tar."""
    rule = "the-file-is-what-its-name-says"
    if _is_zip_name(upload):
        found = zip_of(upload)
        if found is None:
            return _refusal(rule, "File is not a zipfile")
        return refuse_broken(rule, found) if isinstance(found, Broken) else None
    like = _tar_like(upload)
    if isinstance(like, Broken):
        return refuse_broken(rule, like, caught=False)
    return _refusal(rule, "File is not a tarfile") if _is_tar_name(upload) and not like else None


def the_file_is_no_bomb(upload: Upload, index: OnIndex) -> Refusal | None:
    """A large zip does not unpack to more than fifty times its size."""
    found = zip_of(upload)
    if not _is_zip_name(upload) or not isinstance(found, ZipContents) or upload.content is None:
        return None
    if found.unpacked <= max(_RATIO_FROM, _RATIO * upload.content.seek(0, 2)):
        return None
    return _refusal("the-file-is-no-bomb", f"File exceeds compression ratio of {_RATIO}")


def the_compression_is_usual(upload: Upload, index: OnIndex) -> Refusal | None:
    """Every member of a zip is stored or deflated."""
    found = zip_of(upload)
    if not _is_zip_name(upload) or not isinstance(found, ZipContents) or found.compression_is_usual():
        return None
    return _refusal("the-compression-is-usual", "File does not use a supported compression type")


def the_tar_can_be_read(upload: Upload, index: OnIndex) -> Refusal | None:
    """A tar can be read to its end, in a bearable time."""
    found = tar_of(upload) if _is_tar_name(upload) and _tar_like(upload) is True else None
    return refuse_broken("the-tar-can-be-read", found) if isinstance(found, Broken) else None


def the_tar_is_not_sparse(upload: Upload, index: OnIndex) -> Refusal | None:
    """No member of a tar is sparse."""
    found = tar_of(upload) if _is_tar_name(upload) else None
    if not isinstance(found, TarContents) or not found.sparse:
        return None
    text = f"tar archive not accepted: Sparse members are not allowed. See {USER_DOCS}/archives for more information"
    return _refusal("the-tar-is-not-sparse", text)


def the_sdist_has_one_top_directory(upload: Upload, index: OnIndex) -> Refusal | None:
    """All members of an sdist are below one directory."""
    rule, names = "the-sdist-has-one-top-directory", _sdist_names(upload)
    if names is None:
        return None
    directory = top(names)
    if directory is None:
        return Refusal(rule=rule, status=500, text=BROKEN)
    if directory in {"", ".", "/"}:
        return _refusal(rule, "Incorrect number of top-level directories in sdist")
    return None


def the_sdist_has_its_metadata(upload: Upload, index: OnIndex) -> Refusal | None:
    """PKG-INFO is in the top directory of an sdist."""
    rule, names = "the-sdist-has-its-metadata", _sdist_names(upload)
    directory = top(names) if names else None
    if names is None or not directory:
        return None
    path, found = posixpath.join(directory, "PKG-INFO"), zip_of(upload)
    if path not in names:
        return _refusal(rule, f"PKG-INFO not found at {path}")
    if _is_zip_name(upload) and isinstance(found, ZipContents) and isinstance(got := found.read(path), Broken):
        return refuse_broken(rule, got)
    return None


def _sdist_names(upload: Upload) -> Sequence[str] | None:
    found = zip_of(upload) if upload.filename.endswith(".zip") else None
    if isinstance(found, ZipContents):
        return found.names
    tar = tar_of(upload) if _is_tar_name(upload) else None
    return tar.names if isinstance(tar, TarContents) else None


def the_wheel_has_its_wheel_file(upload: Upload, index: OnIndex) -> Refusal | None:
    """WHEEL is in the `.dist-info` directory that the file's name promises."""
    rule, found = "the-wheel-has-its-wheel-file", zip_of(upload)
    if not upload.filename.endswith(".whl") or not isinstance(found, ZipContents):
        return None
    directory = dist_info(upload.filename)
    if directory is None:
        return _refusal(rule, "Unable to parse name and version from wheel filename")
    got = found.read(f"{directory}/WHEEL")
    if isinstance(got, Broken):
        return refuse_broken(rule, got)
    return None if got is not None else _refusal(rule, f"WHEEL not found at {directory}/WHEEL")


def dist_info(filename: str) -> str | None:
    """The `.dist-info` directory of a wheel, its name and version taken from the file name as they stand."""
    parts = filename.split("-", 2)
    return f"{parts[0]}-{parts[1]}.dist-info" if len(parts) == 3 else None  # noqa: PLR2004 - name, version, rest


def the_code_is_not_protected(upload: Upload, index: OnIndex) -> Refusal | None:
    """No `.py` or `.pye` member is encrypted by PyArmor or SourceDefender; all of them can be read."""
    rule = "the-code-is-not-protected"
    found = _protected(upload)
    if isinstance(found, Broken):
        return refuse_broken(rule, found)
    if found is None:
        return None
    policy = f"{upload.site}/policy/acceptable-use-policy/"
    return _refusal(rule, f"{found}-encrypted content is not allowed. See {policy} for more information.")


def _protected(upload: Upload) -> str | Broken | None:
    if _is_zip_name(upload):
        archive = zip_of(upload)
        if "protected" not in upload.memo and isinstance(archive, ZipContents):
            upload.memo["protected"] = archive.protected()
        found: str | Broken | None = upload.memo.get("protected")
        return found
    tar = tar_of(upload) if _is_tar_name(upload) else None
    return tar.protected if isinstance(tar, TarContents) else None


def the_zip_reads_in_one_way(upload: Upload, index: OnIndex) -> Refusal | None:
    """A zip shows the same files to a reader that streams it as to one that trusts its directory."""
    found = zip_of(upload)
    if not _is_zip_name(upload) or not isinstance(found, ZipContents) or upload.content is None:
        return None
    fault = framing_fault(upload.content, found.sizes)
    if fault is None:
        return None
    text = f"ZIP archive not accepted: {fault}. See {USER_DOCS}/archives for more information"
    return _refusal("the-zip-reads-in-one-way", text)


ARCHIVE: tuple[Rule, ...] = (
    the_file_is_one_archive,
    the_file_is_what_its_name_says,
    the_file_is_no_bomb,
    the_compression_is_usual,
    the_tar_can_be_read,
    the_tar_is_not_sparse,
    the_sdist_has_one_top_directory,
    the_sdist_has_its_metadata,
    the_wheel_has_its_wheel_file,
    the_code_is_not_protected,
    the_zip_reads_in_one_way,
)
