"""A command that prints a token has its time and its size, whatever it starts."""

from __future__ import annotations

import sys
import time

import pytest
from cancel_contracts.identity import command
from cancel_contracts.identity.command import CommandFailed, output_of

GUARD_SECONDS = 30
SLEEPS = "import time; time.sleep(60)"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "COMMAND_SECONDS", 1.0)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


BAD = {
    "hangs": (SLEEPS, "did not end within 1 s"),
    "hangs after its token": (f"print('token', flush=True); {SLEEPS}", "did not end"),
    "hangs with its output closed": (f"import os; os.close(1); {SLEEPS}", "did not end"),
    "hangs with much said": (f"print('x' * 9000, flush=True); {SLEEPS}", "did not end"),
    "prints without end": ("while True: print('x' * 9999)", "prints more than 65536 bytes"),
    "prints on one line": ("print('x' * 65536)", "prints more than 65536 bytes"),
    "fails": ("print('token'); raise SystemExit(7)", "ended with exit code 7"),
    "prints no text": ("import sys; sys.stdout.buffer.write(bytes([255]))", "no UTF-8"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_command_that_gives_no_token(what: str) -> None:
    code, told = BAD[what]
    began = time.monotonic()
    with pytest.raises(CommandFailed, match=told):
        output_of(python(code))
    assert time.monotonic() - began < GUARD_SECONDS


def test_a_command_that_is_none() -> None:
    with pytest.raises(CommandFailed, match="cannot be run"):
        output_of(["/no/such/command"])


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_what_a_command_leaves_running_is_not_waited_for() -> None:
    began = time.monotonic()
    assert output_of(["sh", "-c", "sleep 5 & echo token"]) == "token\n"
    assert time.monotonic() - began < 4


def test_all_of_a_token_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "COMMAND_SECONDS", 30.0)
    assert output_of(python("print('x' * 65000)")) == "x" * 65000 + "\n"
    late = (
        "import sys, time; sys.stdout.write('a'); sys.stdout.flush(); time.sleep(0.3); print('b')"
    )
    assert output_of(python(late)) == "ab\n"
