"""Files and streams behind which there may be a pipe, a device, or nobody.

A path that a person gives may be a FIFO, `<(command)` or /dev/stdin. Every function here raises
OSError, with words in `strerror`: a pipe that nobody writes to or reads is one that cannot be used.
A `Paper` is a standard stream that ends nothing, whatever becomes of it.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import UnsupportedOperation
from pathlib import Path
from typing import Any, TextIO, cast

WAIT_SECONDS = 10.0  # for the other side of a pipe to do something
READ_BYTES = 64 * 2**20  # of one file; a large target file has a hundredth
_PIECE_BYTES = 65536
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # Windows has neither this nor such pipes
_BINARY = getattr(os, "O_BINARY", 0)


def is_pipe(path: Path) -> bool:
    """Whether a path names a FIFO, whoever is at its other end."""
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def read_text(path: Path) -> str:
    """Return what a file holds as UTF-8. Raises UnicodeDecodeError too."""
    return read_bytes(path).decode("utf-8")


def read_bytes(path: Path, limit: int | None = None) -> bytes:
    """Return what a file holds, if that is no more than `limit` bytes (READ_BYTES)."""
    limit = READ_BYTES if limit is None else limit
    handle = os.open(path, os.O_RDONLY | _NONBLOCK | _BINARY)
    found = bytearray()
    try:
        regular = stat.S_ISREG(os.fstat(handle).st_mode) or not hasattr(select, "poll")
        while len(found) <= limit:
            if not regular:
                _await(handle, select.POLLIN, "nothing came through this pipe")
            try:
                piece = os.read(handle, _PIECE_BYTES)
            except BlockingIOError:
                continue  # a writer is there, and has not written yet
            if not piece:
                return bytes(found)
            found += piece
    finally:
        os.close(handle)
    raise OSError(errno.EFBIG, f"is larger than {_size(limit)}")


def _size(count: int) -> str:
    return f"{count // 2**20} MiB" if count >= 2**20 else f"{count // 2**10} KiB"


def write_bytes(path: Path, data: bytes) -> None:
    """Write to a pipe or a device."""
    try:
        handle = os.open(path, os.O_WRONLY | _NONBLOCK | _BINARY)
    except OSError as err:
        if err.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "nobody reads this pipe") from None
        raise
    try:
        rest = memoryview(data)
        while rest:
            if hasattr(select, "poll"):
                _await(handle, select.POLLOUT, "nobody reads on in this pipe")
            try:
                rest = rest[os.write(handle, rest[:_PIECE_BYTES]) :]
            except BlockingIOError:
                time.sleep(0.01)
    finally:
        os.close(handle)


def _await(handle: int, event: int, problem: str) -> None:
    """Wait until something can be done with a handle."""
    poll = select.poll()
    poll.register(handle, event)
    if not poll.poll(WAIT_SECONDS * 1000):
        raise OSError(errno.ETIMEDOUT, f"{problem} for {WAIT_SECONDS:g} s")


class Paper:
    """A stream that may be full, closed or read by nobody: what is lost is noted, and ends nothing.

    `lost` says why; it stays None where a reader has had enough and left.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.lost = None if stream is not None else os.strerror(errno.EBADF)
        self._stream = stream or open(os.devnull, "w", encoding="utf-8")

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError) as err:  # ValueError: it is closed
            self._lose(err)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError) as err:
            self._lose(err)

    def _lose(self, err: Exception) -> None:
        """Let what is still to be written go nowhere; the interpreter flushes once more at its
        end.
        """
        if isinstance(err, UnicodeError):
            raise err
        if not isinstance(err, BrokenPipeError):
            told = err.strerror if isinstance(err, OSError) else None
            self.lost = self.lost or told or "cannot be written"
        with suppress(UnsupportedOperation, OSError, ValueError):  # a stream in memory
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def papers() -> Iterator[Paper]:
    """Have the standard streams be papers while the block runs; yield that of the output."""
    before = sys.stdout, sys.stderr
    out, err = Paper(sys.stdout), Paper(sys.stderr)
    sys.stdout, sys.stderr = cast("TextIO", out), cast("TextIO", err)
    try:
        yield out
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = before
