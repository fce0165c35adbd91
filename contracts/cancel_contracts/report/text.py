"""Words and characters that every report shares: numbers with nouns, and hostile text made plain.

Pure. Must not know what a report looks like.

Rule: whatever a target sent is data. No character of it may steer a terminal, an XML parser or the
direction of text, so `plain` writes such characters as escapes that can be read.
"""

from __future__ import annotations

import re
import unicodedata

# In the order of how much they ask of a reader.
VERDICTS = ("violated", "inconclusive", "not-exercised", "accepted", "upheld")
LEVELS = ("must", "should", "info")
KINDS = {
    "cancel": "cancel call",
    "observe": "look at a resource",
    "provider_states": "provider-state call",
}

# Cc controls, Cf format characters (bidi overrides, zero widths), Cs lone surrogates, Zl and Zp
# line breaks, Co and Cn what no font shows. XML 1.0 forbids only some of these; one rule serves all
# outputs.
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"})


def escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def plain(text: object, *, keep: str = "") -> str:
    """Return text with an escape for each character that does not show and is not in `keep`."""
    return "".join(
        c if c in keep or unicodedata.category(c) not in HIDDEN else escape(c) for c in str(text)
    )


def line(text: object) -> str:
    """Return text on one line: white space folded to single spaces, the rest plain."""
    return plain(" ".join(str(text).split()))


# What a CI system takes for a command in a log: `::name ...::` first on a line (GitHub), `##[` and
# `##vso[` anywhere in it (GitHub, Azure Pipelines), `##teamcity[`. A line may break anywhere.
COMMANDS = re.compile(r"#(?=#(?:\[|vso\[|teamcity\[))|:(?=:[A-Za-z][\w-]*(?:\s[^\n]*?)?::)")


def tame(text: str) -> str:
    """Return text in which a CI system finds no command."""
    return COMMANDS.sub(lambda found: escape(found.group()), text)


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun, such as "1 call" or "1,024 calls"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def requests(counts: dict[str, int]) -> str:
    """Return what was sent, in words."""
    return ", ".join(
        (
            count(counts["cancel"], KINDS["cancel"]),
            count(counts["observe"], KINDS["observe"], "looks at a resource"),
            count(counts["provider_states"], KINDS["provider_states"]),
        )
    )
