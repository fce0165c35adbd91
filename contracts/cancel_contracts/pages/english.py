"""A page's file becomes the Markdown that is compared: English, and without what is not its text.

Front matter and the lines of learn's own syntax (`[!INCLUDE ...]`, `:::`) go. Of a localised page
each pair of spans leaves its English half. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath

LACKING = "cancel-contracts lacks"  # begins a comment in place of an include that is not there
# Possessive throughout: whatever a file holds is read once.
FRONT = re.compile(r"\A\ufeff?---\s*?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
LOCALE = re.compile(r"^ms\.contentlocale:[ \t]*[\"']?([\w-]+)", re.MULTILINE)
_HALF = r"[^<]*+(?:<(?!/?span\b)[^<]*+)*+</span>"
# <span data-ttu-id>LOCAL</span><span class="sxs-lookup"><span data-stu-id>ENGLISH</span></span>
SPANS = re.compile(
    rf"(?:<span\b[^<>]*\bdata-ttu-id=[^<>]*>{_HALF}\s*+)?"
    rf"<span\b[^<>]*\bsxs-lookup\b[^<>]*>\s*+<span\b[^<>]*>({_HALF})\s*+</span>"
)
INCLUDE = re.compile(r"\[!include\s*\[[^\[\]]*\]\s*\(([^()]*)\)\s*\]", re.IGNORECASE)
COLONS = re.compile(r"^[ \t]*:::.*$", re.MULTILINE)
Include = Callable[[str], str | None]


def untranslated(text: str) -> str | None:
    """Return the locale of a localised page that does not carry its English text, else None."""
    front = FRONT.match(text)
    locale = LOCALE.search(front[1]) if front else None
    if locale is None or locale[1].lower().partition("-")[0] == "en" or SPANS.search(text):
        return None
    return locale[1]


def english(text: str, name: str, include: Include = lambda target: None) -> str:
    """Return what counts of the page `name`.

    `include` reads a file that the page includes, by its target. What bears the page's own name is
    a part of it (learn keeps the table of permissions so); what many pages share is none. A part
    that is not there leaves a comment.
    """

    def included(found: re.Match[str]) -> str:
        file = PurePosixPath(found[1].strip())
        if not file.stem.casefold().startswith(f"{name.casefold()}-"):
            return ""
        part = include(str(file))
        return f"<!-- {LACKING} {file.name} -->" if part is None else english(part, "")

    text = FRONT.sub("", text, count=1).removeprefix("\ufeff").replace("\r\n", "\n")
    text = SPANS.sub(lambda found: found[1].removesuffix("</span>"), text)
    return COLONS.sub("", INCLUDE.sub(included, text))
