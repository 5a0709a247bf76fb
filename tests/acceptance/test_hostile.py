"""Files that are made to exhaust whoever reads them: a finding, in bounded memory and time."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from tests.acceptance.making import SDIST, WHEEL

#: bytes of a block that unpacks to a thousand times as much
_BLOCK = 64 * 1024 * 1024
LOOK = """
import json, sys, time
from pathlib import Path
from release.publishing import inspection
from release.adapters.system import system
begun = time.process_time()
found = inspection.inspect_files(system.real_system(), [Path(sys.argv[1])])
took = time.process_time() - begun
status = Path("/proc/self/status")  # the resource module would count what our parent had before it became us
lines = status.read_text().splitlines() if status.exists() else []
memory = next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0)
print(json.dumps([found.document["files"][0]["verdict"], took, memory]))
"""


def deflated(size: int) -> bytes:
    """A raw deflate stream of some `size` bytes that unpacks to a thousand times as much."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(bytes(_BLOCK)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS).flush()
    return block * (size // len(block)) + end


def zip_bomb(path: Path, size: int, member: str) -> None:
    """One member that says it is much smaller than it is."""
    data, name = deflated(size), member.encode()
    sizes = struct.pack("<3L", 0, len(data), 400 * 1024 * 1024)
    local = struct.pack("<4s5H", b"PK\x03\x04", 20, 0, 8, 0, 33) + sizes + struct.pack("<2H", len(name), 0) + name
    entry = struct.pack("<4s6H", b"PK\x01\x02", 20, 20, 0, 8, 0, 33) + sizes
    entry += struct.pack("<5H2L", len(name), 0, 0, 0, 0, 0, 0) + name
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), len(local) + len(data), 0)
    path.write_bytes(local + data + entry + end)


def tar_bomb(path: Path, size: int) -> None:
    """Headers of nothing: zeros would end the archive, so the member is one of many gigabytes."""
    header = bytearray(512)
    header[:12], header[100:108], header[124:136] = (
        b"acme_widget-",
        b"0000644\0",
        b"\x80" + bytes(5) + b"\x20" + bytes(5),
    )
    header[148:156], header[156:157], header[257:265] = b" " * 8, b"0", b"ustar\x0000"
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    start = packer.compress(bytes(header)) + packer.flush(zlib.Z_FULL_FLUSH)
    path.write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + start + deflated(size) + bytes(8))


def many_members(path: Path, size: int) -> None:
    """A directory of a million empty members in one deflate stream of headers."""
    header = bytearray(512)
    header[:14], header[100:108], header[156:157] = b"acme_widget-1/", b"0000644\0", b"0"
    header[124:136], header[148:156], header[257:265] = b"00000000000\0", b" " * 8, b"ustar\x0000"
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(bytes(header) * 100_000) + packer.flush(zlib.Z_FULL_FLUSH)
    path.write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + block * (size // len(block)) + bytes(8))


def many_entries(path: Path, size: int) -> None:
    """A zip that is nothing but its directory."""
    name = b"a"
    entry = struct.pack("<4s6H", b"PK\x01\x02", 20, 20, 0, 0, 0, 33) + bytes(12)
    entry += struct.pack("<5H2L", len(name), 0, 0, 0, 0, 0, 0) + name
    count = size // len(entry)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count & 0xFFFF, count & 0xFFFF, count * len(entry), 0, 0)
    path.write_bytes(entry * count + end)


@pytest.mark.parametrize("kind", ["code", "tar", "members", "entries"])
def test_a_hostile_file_of_100_mb_is_refused_in_time(tmp_path: Path, kind: str) -> None:
    """Below 20 seconds of work and 200 MB, whatever it unpacks to."""
    size = 100 * 1000 * 1000
    path = tmp_path / (SDIST if kind in {"tar", "members"} else WHEEL)
    match kind:
        case "code":
            zip_bomb(path, size, "acme_widget.py")
        case "tar":
            tar_bomb(path, size)
        case "members":
            many_members(path, size)
        case _:
            many_entries(path, size)
    done = subprocess.run([sys.executable, "-c", LOOK, str(path)], capture_output=True, text=True, check=True)
    verdict, took, memory = json.loads(done.stdout)
    assert verdict == "refuse"
    assert took < 20
    assert memory < 200
