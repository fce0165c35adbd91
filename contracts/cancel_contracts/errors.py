"""The one error family of the suite.

Raised where the fault is known; turned into a message and an exit code at the single edge (the
command line or
the pytest plugin). A message names the place, the value and the mend, on one line.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)

SUITE_FAILED = 3  # the exit code
SHOWN_CHARS = 400  # of each part of a message: it is to stay a line, whatever a file holds


class ContractsError(Exception):
    """Anything the suite refuses to go on with. Exit code 3 unless a child says otherwise."""

    exit_code = SUITE_FAILED


class Told(ContractsError):
    """An error that names the place, what is wrong there, and the mend, on one line."""

    def __init__(self, place: str, problem: str, mend: str) -> None:
        self.place, self.problem, self.mend = place, problem, mend
        super().__init__(one_line(f"{clip(place)}: {clip(problem)}; {clip(mend)}"))


def clip(text: str) -> str:
    """Return the beginning of a text that is too long to be shown."""
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"


@contextmanager
def contained(crashes: list[str]) -> Iterator[None]:
    """Let what nobody foresaw be told, and take nothing along: not the tear-down, nor what was
    seen. What a room refuses to go on with is foreseen.
    """
    try:
        yield
    except ContractsError:
        raise
    except Exception as err:  # noqa: BLE001 - told among the faults, and by exit code 3
        crashes.append(crash(err))
        log.debug("%s", "".join(traceback.format_exception(err)).rstrip())


def one_line(text: str) -> str:
    """Return a text on one line, what a terminal might obey escaped."""
    words = " ".join(text.split())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in words)


def crash(err: BaseException) -> str:
    """Return what is said where the suite itself fails: the kind and the place, no value."""
    place = traceback.extract_tb(err.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    return f"the suite itself failed: {type(err).__name__} at {where}; please report it"


class UsageError(Told):
    """A bad flag, file, spec or environment value. Exit code 2."""

    exit_code = 2


class Inconclusive(Told):
    """Nothing can be said of the target: somebody it takes does not answer, or refuses us. Exit
    code 4.
    """

    exit_code = 4


class Refused(ContractsError):
    """The target does not offer this state. The message is the reason to report."""


class Broken(ContractsError):
    """Something failed on the way: nobody can tell whether it is offered. The message is the reason
    to report.
    """


class NoIdentity(ContractsError):
    """The target does not offer this identity. The message is the reason to report."""
