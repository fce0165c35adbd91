"""The one error family of the suite.

Raised where the fault is known; turned into a message and an exit code at the single edge (the
command line or
the pytest plugin). A message names the place, the value and the mend, on one line.
"""

from __future__ import annotations


class ContractsError(Exception):
    """Anything the suite refuses to go on with. Exit code 3 unless a child says otherwise."""

    exit_code = 3


class Told(ContractsError):
    """An error that names the place, what is wrong there, and the mend, on one line."""

    def __init__(self, place: str, problem: str, mend: str) -> None:
        self.place, self.problem, self.mend = place, problem, mend
        super().__init__(" ".join(f"{place}: {problem}; {mend}".split()))


class UsageError(Told):
    """A bad flag, file, spec or environment value. Exit code 2."""

    exit_code = 2


class Inconclusive(Told):
    """Nothing can be said of the target: somebody it takes does not answer, or refuses us. Exit
    code 4.
    """

    exit_code = 4
