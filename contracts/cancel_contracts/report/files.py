"""Write a report file: whole or not at all. Knows no report.

The file is written beside its place and renamed, so that a reader never meets half of one.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from cancel_contracts import pipes
from cancel_contracts.errors import UsageError

STDOUT = Path("-")


def write(path: Path, text: str) -> None:
    """Write a text as UTF-8. Raises UsageError where the path cannot be written.

    A lone surrogate, which UTF-8 cannot carry, becomes its escape.
    """
    write_octets(path, text.encode("utf-8", "backslashreplace"))


def write_octets(path: Path, data: bytes) -> None:
    """Write bytes. Raises UsageError where the path cannot be written."""
    try:
        if path == STDOUT:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            return
        if path.exists() and not path.is_file():
            # A device or a pipe (/dev/stdout) is written to, not replaced.
            pipes.write_bytes(path, data)
            return
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as beside:
                beside.write(data)
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)  # mkstemp's 0600 would surprise whoever uploads it
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as err:
        problem = err.strerror or "cannot be written"
        raise UsageError(str(path), problem, "name a file that can be written") from None
