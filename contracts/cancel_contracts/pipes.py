"""Files that may be pipes or devices, read and written without waiting for ever on the other side.

A path that a person gives may be a FIFO, `<(command)` or /dev/stdin. Every function raises OSError,
with words in `strerror`: a pipe that nobody writes to or reads is one that cannot be used.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from pathlib import Path

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


def read_bytes(path: Path) -> bytes:
    """Return what a file holds."""
    handle = os.open(path, os.O_RDONLY | _NONBLOCK | _BINARY)
    found = bytearray()
    try:
        regular = stat.S_ISREG(os.fstat(handle).st_mode) or not hasattr(select, "poll")
        while len(found) <= READ_BYTES:
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
    raise OSError(errno.EFBIG, f"is larger than {READ_BYTES // 2**20} MiB")


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
