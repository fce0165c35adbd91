"""What can be set of a run under pytest. A row is a setting: its flag and its ini key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest


@dataclass(frozen=True)
class Setting:
    """One thing to set: the flag `--contracts-NAME`, and the ini key `contracts_NAME`.

    The names carry a prefix, because pytest refuses a whole run where two plugins share one: a
    bare `--base-url` is pytest-base-url's, `--profile` pytest-profiling's, `--target`
    pytest-embedded's.
    """

    name: str
    help: str
    flag: Mapping[str, Any] = field(default_factory=dict)  # what argparse is told of it
    ini: Literal["string", "linelist", "bool", "int"] | None = "string"  # None: the flag alone
    default: Any = None
    file: bool = False

    @property
    def key(self) -> str:
        return f"contracts_{self.name.replace('-', '_')}"

    def of(self, config: pytest.Config) -> Any:
        """Return what the flag says, else what the ini file says, else the default.

        A file that the ini file names lies beside it. An empty value is no default: whoever gives
        a variable that is not set is not to have the built-in mock verified instead.
        """
        given, folder = config.getoption(self.key), Path()
        if given is None and self.ini is not None:
            given, folder = config.getini(self.key), (config.inipath or Path("ini")).parent
            choices = self.flag.get("choices", ())
            if choices and given is not None and given not in choices:
                problem = f"{self.key}: {given!r} is none; use one of {', '.join(choices)}"
                raise pytest.UsageError(f"{config.inipath or 'ini'}: {problem}")
        if given is None:
            return self.default
        if self.flag.get("type") is float:
            return _percent(self.key, given)
        return folder / given if self.file else given


def _percent(key: str, given: Any) -> float:
    try:
        found = float(given)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 100:
        raise pytest.UsageError(f"{key}: {given!r} is no number from 0 to 100; give one")
    return found


FILE = {"metavar": "FILE"}
SWITCH = {"action": "store_const", "const": True}
SETTINGS = {
    row.name: row
    for row in (
        Setting("target", "The target's description (target.yaml).", FILE, file=True),
        Setting(
            "base-url", "Verify this server instead of the built-in mock.", {"metavar": "URL"}
        ),
        Setting(
            "cacert", "CA certificates (PEM) that the target is trusted by.", FILE, file=True
        ),
        Setting(
            "profile", "How much is asked; gate by default.",
            {"choices": ("smoke", "gate", "deep")}, default="gate",
        ),
        Setting(
            "edition", "The clauses and dialects of this day (2021, 2021-05, 2021-05-10).",
            {"metavar": "DATE"},
        ),
        Setting(
            "dialect", "Pin the reading of a contradiction (repeatable).",
            {"action": "append", "metavar": "C=D"}, "linelist", (),
        ),
        Setting("strict", "A violated should-clause fails too.", SWITCH, "bool", False),
        Setting(
            "min-covered", "Fail where less of the must-clauses was judged.",
            {"type": float, "metavar": "PERCENT"}, default=0.0,
        ),
        # No ini key: who may cancel what on a target that is not local says so for each run.
        Setting(
            "allow-destructive", "Cancel resources on a target that is not local.",
            SWITCH, None, False,
        ),
        Setting("ledger", "Write here what may be changed, before it is sent.", FILE, file=True),
        Setting(
            "seed", "What random ids and bodies are drawn by; 0 by default.",
            {"type": int, "metavar": "N"}, "int", 0,
        ),
    )
}  # fmt: skip


def setting(config: pytest.Config, name: str) -> Any:
    return SETTINGS[name].of(config)


def in_these_words(text: str) -> str:
    """Return a message with the flags of the command line as they are called here."""
    bare = "|".join(SETTINGS)
    text = re.sub(rf"(?<![\w-])--({bare})(?![\w-])", r"--contracts-\1", text)
    return re.sub(r"\bBASE_URL\b", "--contracts-base-url", text)


def add_to(parser: pytest.Parser) -> None:
    group = parser.getgroup("contracts", "cancel contracts")
    for row in SETTINGS.values():
        group.addoption(
            f"--contracts-{row.name}", dest=row.key, default=None, help=row.help, **row.flag
        )
        if row.ini is not None:
            parser.addini(row.key, row.help, type=row.ini, default=None)
