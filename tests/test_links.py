"""Where a promise can be read: the address of its page and section, or of its RFC's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cancel_contracts.contract.links import links
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Source
from cancel_contracts.contract.page import Page
from report_sample import CONTRACT

PAGED = replace(CONTRACT, pages={"cancel-thing": Page("https://example.com/thing?view=beta")})
THING, RFC = "https://example.com/thing?view=beta", "https://www.rfc-editor.org/rfc/rfc"
OWASP_API = "https://owasp.org/API-Security/editions/2023/en/"
PROPERTIES = "0xa3-broken-object-property-level-authorization"
WRITTEN_BY_THE_USER = {"asked for by the user"}


@pytest.mark.parametrize(
    ("page", "section", "urls"),
    [
        ("cancel-thing", "Permissions", [f"{THING}#permissions"]),
        ("cancel-thing", "HTTP request", [f"{THING}#http-request"]),
        ("cancel-thing", "HTTP status codes (401)", [f"{THING}#http-status-codes"]),
        ("cancel-thing", "Response and Examples", [f"{THING}#response"]),
        ("cancel-thing", "Reliability and support", [f"{THING}#reliability-and-support"]),
        ("cancel-thing", "Request body (v1.0)", [f"{THING}#request-body"]),
        ("cancel-thing", "(title)", [THING]),
        ("cancel-thing", "(title) and (introduction)", [THING]),
        ("cancel-thing", "(beta disclaimer)", [THING]),
        ("another-page", "Permissions", []),
        ("RFC 9110", "15.5.2", [f"{RFC}9110.html#section-15.5.2"]),
        ("RFC 9112", "6.3 and 9.3", [f"{RFC}9112.html#section-6.3", f"{RFC}9112.html#section-9.3"]),
        ("RFC 6750", "3", [f"{RFC}6750.html#section-3"]),
        ("RFC 6750 and more", "3", []),
        ("OWASP API Security Top 10 (2023)", "API3", [f"{OWASP_API}{PROPERTIES}/"]),
        ("OWASP API Security Top 10 (2023)", "API11", []),
    ],
)
def test_a_source_leads_to_its_page_and_section(page: str, section: str, urls: list[str]) -> None:
    assert [link.url for link in links(PAGED, Source(page, section))] == urls


def test_a_link_says_where_it_leads() -> None:
    (page,) = links(PAGED, Source("cancel-thing", "Response and Examples"))
    first, second = links(PAGED, Source("RFC 9110", "15.5.6 and 9.3"))

    assert page.text == "cancel-thing, Response and Examples"
    assert (first.text, second.text) == ("RFC 9110, 15.5.6", "RFC 9110, 9.3")


def test_every_source_of_the_shipped_contracts_leads_somewhere() -> None:
    lost = {
        source.page
        for contract in map(load, shipped())
        for source in contract.sources
        if not links(contract, source)
    }

    assert lost == WRITTEN_BY_THE_USER
