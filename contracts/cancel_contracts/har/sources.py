"""Where a recording lies and in which wrapping: a HAR file, gzipped or zipped, a trace of
Playwright, a file of mitmproxy's flows, or standard input.

Streams: an entry at a time. Raises UsageError for what is none of these.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

import ijson

from cancel_contracts.errors import UsageError
from cancel_contracts.har import flows

OURS = "log._contracts"
DEPTH = 100  # levels of nesting; HAR 1.2 has eight
PIECE_BYTES = 65536
SPOOLED_BYTES = 2**24  # of standard input in memory; what is more goes to a temporary file
ATTACHED_BYTES = 2**20  # of a body that lies beside the recording
UNREADABLE = (
    ijson.JSONError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, RecursionError,
    NotImplementedError, RuntimeError,
)  # fmt: skip
Attached = Callable[[str], bytes | None]


@dataclass(frozen=True)
class Source:
    """A recording that is open. `name` is how messages call it."""

    name: str
    file: IO[bytes]
    attached: Attached
    kind: str = "har"  # har | trace | flows

    def about(self) -> Any:
        """Return the log's own `_contracts`, or None."""
        if self.kind != "har":
            return None
        builder = ijson.ObjectBuilder()
        for prefix, event, value in _events(self.file):
            if prefix == "log.entries":
                break  # ours stands before the entries: there is no need to read on
            if prefix == OURS or prefix.startswith(f"{OURS}."):
                builder.event(event, value)
        return getattr(builder, "value", None)

    def entries(self) -> Iterator[Any]:
        """Yield the entries in the file's order. Raises UNREADABLE where it breaks off."""
        self.file.seek(0)
        if self.kind == "flows":
            yield from flows.entries(self.file)
        elif self.kind == "trace":
            yield from _trace(self.file)
        else:
            yield from ijson.items(_events(self.file), "log.entries.item")

    def has_entries(self) -> bool:
        if self.kind != "har":
            return True
        return ("log.entries", "start_array", None) in _events(self.file)


@contextmanager
def opened(path: Path) -> Iterator[list[Source]]:
    """Open a recording: several where an archive holds several. `-` is standard input."""
    name = "standard input" if str(path) == "-" else str(path)
    with ExitStack() as stack:
        try:
            sources = _sources(path, name, stack)
        except OSError as err:
            problem = err.strerror or f"cannot be unpacked ({err})"[:120]
            raise UsageError(name, problem, "name a readable file") from None
        except UNREADABLE as err:
            problem = f"cannot be unpacked ({err})"[:120]
            raise UsageError(name, problem, "record it again") from None
        yield sources


def _sources(path: Path, name: str, stack: ExitStack) -> list[Source]:
    file: IO[bytes] = stack.enter_context(_spooled() if str(path) == "-" else path.open("rb"))
    start = _start(file)
    if start.startswith(b"PK\x03\x04"):
        return _archived(name, stack.enter_context(zipfile.ZipFile(file)), stack)
    if start.startswith(b"\x1f\x8b"):
        file = stack.enter_context(cast(IO[bytes], gzip.open(file)))
        start = _start(file)
    kind = "flows" if flows.looks_like_flows(start) else "har"
    return [Source(name, file, lambda member: _beside(path.parent, member), kind)]


def _start(file: IO[bytes]) -> bytes:
    start = file.read(16)
    file.seek(0)
    return start


def _spooled() -> IO[bytes]:
    """Return standard input as a file that can be read twice."""
    file = cast(IO[bytes], tempfile.SpooledTemporaryFile(SPOOLED_BYTES))
    shutil.copyfileobj(sys.stdin.buffer, file)
    file.seek(0)
    return file


def _archived(name: str, archive: zipfile.ZipFile, stack: ExitStack) -> list[Source]:
    names = archive.namelist()

    def member(wanted: str) -> bytes | None:
        for place in (wanted, f"resources/{wanted}"):
            if place in names:
                with archive.open(place) as file:
                    data = file.read(ATTACHED_BYTES + 1)
                return data if len(data) <= ATTACHED_BYTES else None
        return None

    kinds = {".har": "har", ".network": "trace"}
    found = [(n, kinds[s]) for n in names if (s := PurePosixPath(n).suffix.lower()) in kinds]
    wanted = [row for row in found if row[1] == "har"] or found
    if not wanted:
        raise UsageError(name, "holds no .har file and no trace", "name a recording")
    return [
        Source(f"{name}/{n}", stack.enter_context(archive.open(n)), member, kind)
        for n, kind in wanted
    ]


def _beside(folder: Path, member: str) -> bytes | None:
    """Return a body that a recorder put beside the recording; nothing outside its folder."""
    if PurePosixPath(member).name != member or member in (".", "..") or "\\" in member:
        return None
    try:
        with (folder / member).open("rb") as file:
            data = file.read(ATTACHED_BYTES + 1)
    except (OSError, ValueError):
        return None
    return data if len(data) <= ATTACHED_BYTES else None


def _trace(file: IO[bytes]) -> Iterator[Any]:
    """Yield the entries of a Playwright trace: each is the snapshot of a resource, in a line."""
    for line in io.TextIOWrapper(file, "utf-8", "replace"):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            yield None  # damaged
            continue
        if isinstance(row, dict) and row.get("type") == "resource-snapshot":
            yield row.get("snapshot")


class _Utf8:
    """Octets of which some may be no UTF-8, as UTF-8: one bad text does not spoil the rest. A byte
    order mark is passed over; a shell that redirects may have written UTF-16.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        wide = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        file.seek(0)
        self._decoder = codecs.getincrementaldecoder("utf-16" if wide else "utf-8-sig")("replace")

    def read(self, size: int = PIECE_BYTES) -> bytes:
        if size == 0:
            return b""
        while data := self._file.read(max(size, PIECE_BYTES)):
            if text := self._decoder.decode(data):
                return text.encode("utf-8")
        return self._decoder.decode(b"", True).encode("utf-8")


def _events(file: IO[bytes]) -> Iterator[tuple[str, str, Any]]:
    """Return the file's events from its start. Raises ValueError where it is nested without
    measure: ijson takes the square of the depth.
    """
    file.seek(0)
    events: Iterator[tuple[str, str, Any]] = ijson.parse(_shallow(_Utf8(file)))
    return events


def _shallow(file: _Utf8) -> Iterator[tuple[str, Any]]:
    depth = 0
    for event, value in ijson.basic_parse(file, use_float=True):
        if event in ("start_map", "start_array"):
            depth += 1
            if depth > DEPTH:
                raise ValueError(f"nested deeper than {DEPTH} levels")
        elif event in ("end_map", "end_array"):
            depth -= 1
        yield event, value
