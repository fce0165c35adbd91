"""Where a promise can be read: the addresses of its page and section, or of its RFC's. Pure.

The page's address stands in the spec (`x-pages`), that of an RFC follows from its number, those of
OWASP's chapters stand here. A section
becomes the anchor that the vendor's pages and the RFC Editor's HTML give to a heading; where a page
has no such anchor a browser shows its beginning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cancel_contracts.contract.model import Contract, Source
from cancel_contracts.contract.page import INTRODUCTION, TITLE, headings

RFC = re.compile(r"^RFC (\d+)$")
NUMBER = re.compile(r"\d+(?:\.\d+)*")
NO_SLUG = re.compile(r"[^a-z0-9 -]")
OWASP = "https://owasp.org/"
CHAPTERS = {
    ("OWASP API Security Top 10 (2023)", "API3"): f"{OWASP}API-Security/editions/2023/en/"
    "0xa3-broken-object-property-level-authorization/",
    (
        "OWASP Web Security Testing Guide 4.2",
        "4.5.2",
    ): f"{OWASP}www-project-web-security-testing-guide/v42/"
    "4-Web_Application_Security_Testing/05-Authorization_Testing/"
    "02-Testing_for_Bypassing_Authorization_Schema",
}


@dataclass(frozen=True)
class Link:
    """A text and the address that it leads to."""

    text: str
    url: str


def links(contract: Contract, source: Source) -> tuple[Link, ...]:
    """Return where a source is to be read; nothing where its page has no address."""
    if number := RFC.match(source.page):
        url = f"https://www.rfc-editor.org/rfc/rfc{number[1]}.html"
        sections = NUMBER.findall(source.section)
        return tuple(Link(f"{source.page}, {n}", f"{url}#section-{n}") for n in sections)
    if chapter := CHAPTERS.get((source.page, source.section)):
        return (Link(str(source), chapter),)
    if (page := contract.pages.get(source.page)) is None:
        return ()
    first = next(iter(headings(source.section)), TITLE)
    anchor = "" if first in (TITLE, INTRODUCTION) else NO_SLUG.sub("", first.lower())
    url = f"{page.url}#{anchor.replace(' ', '-')}" if anchor else page.url
    return (Link(str(source), url),)
