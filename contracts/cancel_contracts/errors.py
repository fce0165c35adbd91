"""The one error family of the suite.

Raised where the fault is known; turned into a message and an exit code at the single edge (the
command line or the pytest plugin). A message names the place, the value and the fix, on one line.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cancel_contracts.needs import Gap

log = logging.getLogger(__name__)

SUITE_FAILED = 3  # the exit code
SHOWN_CHARS = 400  # of each part of a message: it is to stay a line, whatever a file holds


class ContractsError(Exception):
    """Anything the suite refuses to go on with. Exit code 3 unless a child says otherwise."""

    exit_code = SUITE_FAILED


class Told(ContractsError):
    """An error that names the place, what is wrong there, and the fix, on one line."""

    def __init__(self, place: str, problem: str, fix: str) -> None:
        self.place, self.problem, self.fix = place, problem, fix
        file, colon, where = place.partition(": ")  # the file itself the user has named
        parts = (file + colon + hushed(where), hushed(problem), hushed(fix))
        super().__init__(one_line("{}: {}; {}".format(*map(clip, parts))))


# What somebody may have put in the wrong place of a file or a command: a JSON Web Token (its header
# begins with {", RFC 7519), or what looks drawn by lot. Who writes, names or numbers a thing keeps
# to one kind of character for longer.
_WORD = re.compile(r"[\w.~+/=-]{16,}", re.ASCII)
_JWT = re.compile(r"(?<![0-9A-Za-z])eyJ[\w-]{5}", re.ASCII)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CHANGES = re.compile(r"(?<=[a-z])[A-Z0-9]|(?<=[A-Z])[a-z0-9]|(?<=[0-9])[A-Za-z]")
_CHANGES_OF_CHARS = 0.3  # of random base64 0.6, of random hexadecimal 0.5, of CamelCase 0.2
_LONG = re.compile(r"[0-9A-Za-z]{32}")
# The parts of a path or of an assignment, each looked at by itself: names around a secret thin out
# its changes. As base64 may have a slash, so are some parts in a row.
_PART = re.compile(r"[^/=.]+")
_NAME = re.compile(r"[A-Za-z]?[a-z]*(?:[_-][A-Za-z]?[a-z]+)*|[A-Z]+(?:_[A-Z]+)*|\d{1,5}")
_IN_A_ROW = 8
_SHORTEST = 16


def hushed(text: str) -> str:
    """Return a text without the words in it that look like secrets."""
    return _WORD.sub(lambda found: _shown(found[0]), text)


def _shown(word: str) -> str:
    named = _GUID.sub(lambda found: "/" * len(found[0]), word)
    parts = [part.span() for part in _PART.finditer(named) if not _NAME.fullmatch(part[0])]
    for at, (begin, _) in enumerate(parts):
        if any(_drawn(named[begin:end]) for _, end in parts[at : at + _IN_A_ROW]):
            first, last = parts[0][0], parts[-1][1]
            return f"{word[:first]}(not shown: it looks like a secret){word[last:]}"
    return word


def _drawn(word: str) -> bool:
    """Whether a word looks drawn by lot."""
    if len(word) < _SHORTEST:
        return False
    changes = len(_CHANGES.findall(word))
    many = changes > _CHANGES_OF_CHARS * len(word)
    return many or bool(_JWT.search(word) or _LONG.search(word))


def clip(text: str, limit: int = SHOWN_CHARS, mark: str = "…") -> str:
    """Return at most `limit` characters of a text; a mark stands for what was cut."""
    return text if len(text) <= limit else text[: max(0, limit - len(mark))] + mark


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


class Lacking(ContractsError):
    """The target lacks what a call needs. `gap` says what, as a reason to report."""

    def __init__(self, gap: Gap) -> None:
        self.gap = gap
        super().__init__(gap.reason)


class Refused(Lacking):
    """The target does not offer this state."""


class NoIdentity(Lacking):
    """The target does not offer this identity."""


class Broken(ContractsError):
    """Something failed on the way: nobody can tell whether it is offered. The message is the reason
    to report.
    """
