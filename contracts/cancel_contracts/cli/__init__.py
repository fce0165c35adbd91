"""The command line: the single edge where errors become a message and an exit code.

What the command itself needs is loaded when it is called, and Ctrl-C ends it at once until a room
has something to put away.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

INTERRUPTED = 130  # 128 and the number of SIGINT, as a shell has it


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    from cancel_contracts.cli.edge import main as run

    return run(argv)


def console_main() -> None:
    """The installed command."""
    signal.signal(signal.SIGINT, _quit)
    for handle in range(3):
        try:
            os.fstat(handle)
        except OSError:  # closed by whoever called: the next file that is opened must not take it
            os.open(os.devnull, os.O_RDWR)
    code = main()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # there is nothing left to interrupt
    sys.exit(code)


def _quit(number: int, frame: FrameType | None) -> None:
    # A KeyboardInterrupt while modules load shows where they were, and may be lost in one.
    try:
        os.write(2, b"cancel-contracts: interrupted\n")
    finally:
        os._exit(INTERRUPTED)
