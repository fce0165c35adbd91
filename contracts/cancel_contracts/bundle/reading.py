"""Read a bundle that anybody may have made: bounded, and never beyond its own folder.

Every complaint is a UsageError, exit code 2. A file that is not the one that the statement names is
none: it is told by `changed`.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cancel_contracts.bundle.parts import ABOUT, FORMAT, NEEDED, SPEC, STATEMENT
from cancel_contracts.bundle.statement import digests_in
from cancel_contracts.errors import UsageError

FILES = 100  # in a bundle; one of the three contracts has nine
UNPACKED_BYTES = 2**29  # of all files; a gate of the three contracts comes to three million
SMALL_BYTES = 2**20  # of the statement, and of what tells how the run was made
PIECE_BYTES = 2**16
END, END_MARK = struct.Struct("<4s4H2LH"), b"PK\5\6"
ROW_BYTES = 512  # of an archive's directory, for each file
FIX = "name a file that `verify --bundle` wrote"
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


@dataclass(frozen=True)
class Bundle:
    """A bundle, unpacked into a folder. `about` tells how the run was made; `changed` names files
    that are not those of the statement, and why.
    """

    folder: Path
    names: Sequence[str]
    about: dict[str, Any]
    changed: Sequence[str]

    def file(self, name: str) -> Path:
        return self.folder / name

    @property
    def specs(self) -> list[Path]:
        return [self.file(name) for name in self.names if SPEC.fullmatch(name)]


@contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """Unpack a bundle into a folder that is gone at the end. Raises UsageError."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        try:
            _look_at_end(path)
            with zipfile.ZipFile(path) as archive:
                names = _names(path, archive)
                found = {name: _unpacked(archive, name, folder) for name in names}
        except OSError as err:
            problem = err.strerror or "cannot be read"
            raise UsageError(str(path), problem, "name a readable file") from None
        except DAMAGED as err:
            problem = f"is no zip file, or is damaged ({' '.join(str(err).split())[:120]})"
            raise UsageError(str(path), problem, FIX) from None
        told = digests_in(str(path), _small(path, folder, STATEMENT))
        about = _about(path, folder)
        try:
            yield Bundle(folder, names, about, tuple(_changed(told, found)))
        except UsageError as err:  # of a file in it, whoever read it
            place = err.place.replace(f"{folder}{os.sep}", f"{path}/")
            raise UsageError(place, err.problem, err.fix) from None


def _look_at_end(path: Path) -> None:
    """Raise where the directory of an archive is too large to be read, by its end record (APPNOTE
    4.3.16), which in a bundle has neither a comment nor ZIP64 fields.
    """
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - END.size))
        tail = file.read()
    if len(tail) < END.size or not tail.startswith(END_MARK):
        raise zipfile.BadZipFile("it does not end as one")
    _, _, _, _, number, directory_bytes, _, comment = END.unpack(tail)
    if comment or number > FILES or directory_bytes > FILES * ROW_BYTES:
        raise UsageError(str(path), f"holds more than {FILES} files, or a comment", FIX)


def _names(path: Path, archive: zipfile.ZipFile) -> list[str]:
    """Return the names in an archive: those of a bundle, each once, and small enough together."""
    rows = archive.infolist()
    if len(rows) > FILES:
        raise UsageError(str(path), f"holds more than {FILES} files", FIX)
    names = [row.filename for row in rows]
    for name, number in Counter(names).items():
        if name not in NEEDED and not SPEC.fullmatch(name):
            raise UsageError(str(path), f"holds {name[:80]!r}, which no bundle does", FIX)
        if number > 1:
            raise UsageError(str(path), f"holds {name} twice", FIX)
    for name in NEEDED:
        if name not in names:
            raise UsageError(str(path), f"holds no {name}", FIX)
    if not any(map(SPEC.fullmatch, names)):
        raise UsageError(str(path), "holds no spec", FIX)
    if sum(row.file_size for row in rows) > UNPACKED_BYTES:
        raise UsageError(str(path), f"unpacks to more than {UNPACKED_BYTES // 2**20} MiB", FIX)
    return names


def _unpacked(archive: zipfile.ZipFile, name: str, folder: Path) -> str:
    """Unpack a file, as far as the size that was counted, and return its SHA-256."""
    target, digest = folder / name, hashlib.sha256()
    target.parent.mkdir(exist_ok=True)
    with archive.open(name) as packed, target.open("wb") as out:
        while piece := packed.read(PIECE_BYTES):
            digest.update(piece)
            out.write(piece)
    return digest.hexdigest()


def _small(path: Path, folder: Path, name: str) -> bytes:
    with (folder / name).open("rb") as file:
        data = file.read(SMALL_BYTES + 1)
    if len(data) > SMALL_BYTES:
        raise UsageError(str(path), f"{name} is larger than {SMALL_BYTES // 2**20} MiB", FIX)
    return data


def _about(path: Path, folder: Path) -> dict[str, Any]:
    try:
        about = json.loads(_small(path, folder, ABOUT))
        if about["format"] != FORMAT:
            raise ValueError
        strict, covered = about["strict"], about["min_covered"]
        if not isinstance(strict, bool) or not isinstance(covered, (int, float)):
            raise ValueError
        date.fromisoformat(about["judged"])
    except (ValueError, TypeError, KeyError, RecursionError):
        problem = f"{ABOUT} is not of this format, or damaged"
        raise UsageError(str(path), problem, "judge it with the version that wrote it") from None
    return dict(about)


def _changed(told: dict[str, str], found: dict[str, str]) -> Iterator[str]:
    for name, digest in found.items():
        if name == STATEMENT:
            continue
        if name not in told:
            yield f"{name} is not in the statement"
        elif told[name] != digest:
            yield f"{name} is not the file of the statement (sha256 {digest[:12]}…)"
    for name in sorted(told.keys() - found.keys()):
        yield f"{name[:80]!r} of the statement is missing"
