"""The ledger: what a run may have changed, written before it is sent, so that a kill loses nothing.

JSON lines, one file a run. A line that announces a call is on the disk before the call is on the
wire; what came of it follows. No token stands in it. `account.py` reads it. Knows no contract and
sends nothing.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any, Self

from cancel_contracts.errors import Broken, UsageError
from cancel_contracts.pipes import is_pipe
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.targets.url import place_of

if sys.platform != "win32":
    import fcntl

VERSION = 1


def default_path() -> Path:
    """Return a new name in the working directory: the time in UTC, and something that no other run
    has.
    """
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return Path(f"cancel-contracts-ledger-{moment}-{secrets.token_hex(3)}.jsonl")


class Ledger:
    """Writes lines. Without a path it writes nothing and costs nothing.

    An announcement that cannot be written raises Broken: what it announces must not be sent. May be
    used from several threads.
    """

    def __init__(self, path: Path | None = None, redactor: Redactor | None = None) -> None:
        self.path, self._redactor = path, redactor or Redactor()
        self._lock = threading.Lock()
        self._last = 0
        self._file: FileIO | None = None
        self._regular = self._failed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self) -> None:
        """Start a run's ledger. Raises UsageError where the file holds something, or cannot be
        written.
        """
        if self.path is None:
            return
        self._open()
        assert self._file is not None
        if self._file.tell():
            self.close()
            raise UsageError(f"--ledger {self.path}", "holds something already", "name another")
        try:
            self._write({"event": "run", "ledger": VERSION}, sync=True)
        except Broken as err:
            self.close()
            raise UsageError(f"--ledger {self.path}", str(err), "name another") from None

    def resume(self, last: int, whole_bytes: int) -> None:
        """Go on with a ledger that was read: its last number, and the bytes of its whole lines.

        Half a line at the end is cut off: what it would have announced was never sent.
        """
        self._open()
        assert self._file is not None
        self._last = last
        self._file.truncate(whole_bytes)
        self._file.seek(whole_bytes)

    def _open(self) -> None:
        assert self.path is not None
        try:
            if is_pipe(self.path):
                raise UsageError(f"--ledger {self.path}", "is a pipe", "name a file")
            self._file = self.path.open("ab", buffering=0)
            self._regular = stat.S_ISREG(os.fstat(self._file.fileno()).st_mode)
            if sys.platform != "win32":
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise UsageError(
                f"--ledger {self.path}", "is in use by another run", "name another, or wait"
            ) from None
        except OSError as err:
            self.close()
            problem = err.strerror or "cannot be written"
            raise UsageError(f"--ledger {self.path}", problem, "name another") from None

    def close(self) -> None:
        if self._file is not None:
            try:
                self._file.close()
            except OSError:
                pass  # every line that counts has been flushed
        self._file = None

    def set_up(
        self, contract: str, state: str, where: str, params: dict[str, Any], how: str = "handler"
    ) -> int:
        """Announce a set-up by a `handler` or by a `create` call, and return its number."""
        return self._announce(
            "set-up", contract=contract, state=state, where=place_of(where), how=how, params=params
        )

    def made(self, number: int, values: dict[str, Any]) -> None:
        """Tell what a set-up made. `values` holds a non-empty `id`."""
        self._tell("made", number, values=values)

    def nothing_made(self, number: int) -> None:
        self._tell("nothing-made", number)

    def cancel(
        self,
        contract: str,
        where: str,
        method: str,
        identity: str,
        state: str | None,
        resources: Sequence[str],
    ) -> int:
        """Announce a call that may take effect on resources that exist, and return its number."""
        return self._announce(
            "cancel", contract=contract, where=where, method=method, identity=identity,
            state=state, resources=list(resources),
        )  # fmt: skip

    def answered(self, number: int, status: int | None) -> None:
        self._tell("answered", number, status=status)

    def tear_down(self, number: int) -> None:
        """Tell that a set-up is about to be undone."""
        self._tell("tear-down", number)

    def torn_down(self, number: int) -> None:
        self._tell("torn-down", number)

    def end(self) -> None:
        """Say that the run came to its end."""
        with suppress(Broken):
            self._write({"event": "end"})

    def _tell(self, event: str, number: int, **facts: Any) -> None:
        """Write what came of a call. Lost on a full disk: no reason to stop what is under way."""
        with suppress(Broken):
            self._write({"event": event, "of": number, **facts}, sync=event == "made")

    def _announce(self, event: str, **facts: Any) -> int:
        with self._lock:
            self._last += 1
            number = self._last
        self._write({"event": event, "n": number, **facts}, sync=True)
        return number

    def _write(self, row: dict[str, Any], *, sync: bool = False) -> None:
        if self._file is None:
            return
        clean = self._redactor.data({key: value for key, value in row.items() if key != "event"})
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"at": moment, "event": row["event"], **clean}).encode() + b"\n"
        with self._lock:
            try:
                # Half a line may stand where the disk was full: nothing may follow it.
                if self._failed or self._file.write(line) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if sync and self._regular:
                    os.fsync(self._file.fileno())
            except OSError as err:
                self._failed = True
                raise Broken(f"the ledger cannot be written ({err.strerror})") from None
