"""The sessions that people and CI share: `nox --list` names them, CONTRIBUTING.md explains them.

All but `pythons` run in the environment that nox itself runs in, the .venv of the README.
"""

from __future__ import annotations

import sys

import nox

nox.options.sessions = ["lint", "types", "quick"]
nox.options.error_on_missing_interpreters = False  # nox says which one it skips
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
QUICK = ["-m", "not slow and not outside", "-n", "4", "tests"]
WHOLE = ["-n", "7", "--dist", "loadfile", "--no-loadscope-reorder"]


def run(session: nox.Session, module: str, *args: str) -> None:
    session.run(sys.executable, "-m", module, *args, external=True)


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """ruff: rules and format."""
    run(session, "ruff", "check", ".")
    run(session, "ruff", "format", "--check", ".")


@nox.session(venv_backend="none")
def types(session: nox.Session) -> None:
    """mypy, strictly."""
    run(session, "mypy")


@nox.session(venv_backend="none")
def quick(session: nox.Session) -> None:
    """The tests that need nothing but Python and are quick."""
    run(session, "pytest", "-q", *QUICK, *session.posargs)


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """All tests, as the README's command runs them."""
    run(session, "pytest", "-q", *WHOLE, *session.posargs)


@nox.session(venv_backend="none")
def coverage(session: nox.Session) -> None:
    """All tests and the branch coverage of the package, subprocesses included."""
    run(session, "coverage", "erase")
    run(session, "coverage", "run", "-m", "pytest", "-q", *WHOLE, *session.posargs)
    run(session, "coverage", "combine", "--quiet")
    run(session, "coverage", "report")


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """Write the generated parts of the pages again."""
    session.run(sys.executable, "tests/generated.py", external=True)


@nox.session(python=PYTHONS, venv_backend="venv")
def pythons(session: nox.Session) -> None:
    """The quick tests on each Python that is found."""
    session.install("-q", "-c", ".ci/constraints.txt", "-e", ".[test]")
    session.run("python", "-m", "pytest", "-q", *QUICK, *session.posargs)
