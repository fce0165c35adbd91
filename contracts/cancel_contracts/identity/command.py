"""Run a command that prints a token: without a shell, for so long, and for so many bytes."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import IO

COMMAND_SECONDS = 60.0
OUTPUT_BYTES = 65536  # a token of some kilobytes is a large one; no header takes more
LINGER_SECONDS = 0.5  # for what a command that has ended wrote last
_PIECE_BYTES = 4096


class CommandFailed(Exception):
    """The message says why, in words that follow the command's name. It holds no output."""


def output_of(argv: Sequence[str]) -> str:
    """Return what a command prints. Raises CommandFailed; a command that will not end is killed.

    What it has started may live on and hold its output: nobody waits for that.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own command, as an argument list
            argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except (OSError, ValueError):
        raise CommandFailed("cannot be run") from None
    assert process.stdout is not None
    reader = _Reader(process.stdout)
    reader.start()
    deadline = time.monotonic() + COMMAND_SECONDS
    try:
        while process.poll() is None and time.monotonic() < deadline and not reader.full:
            reader.join(0.02)  # ends with the output, mostly with the command
            if not reader.is_alive():
                process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        pass
    finally:
        ended = process.poll()
        if ended is None:
            process.kill()
            process.wait()
    reader.join(LINGER_SECONDS)
    if reader.full:
        raise CommandFailed(f"prints more than {OUTPUT_BYTES} bytes")
    if ended is None:
        raise CommandFailed(f"did not end within {COMMAND_SECONDS:g} s")
    if ended != 0:
        raise CommandFailed(f"ended with exit code {ended}")
    try:
        return bytes(reader.read).decode("utf-8")
    except UnicodeDecodeError:
        raise CommandFailed("prints what is no UTF-8 text") from None


class _Reader(threading.Thread):
    """Reads a stream, but no more than may be."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.stream, self.read, self.full = stream, bytearray(), False

    def run(self) -> None:
        with self.stream:
            while piece := os.read(self.stream.fileno(), _PIECE_BYTES):
                self.read += piece
                if len(self.read) > OUTPUT_BYTES:
                    self.full = True
                    return
