"""One reading of a path with {parameters}: load, run, mock and recordings go by it."""

from __future__ import annotations

import pytest
from cancel_contracts.contract.path_template import filled, pattern, pieces


def test_a_template_is_literal_pieces_with_names_between_them() -> None:
    assert pieces("/a/{id}/cancel") == (("/a/", "/cancel"), ("id",))
    assert pieces("/a({id})") == (("/a(", ")"), ("id",))
    assert pieces("/r/{owner}/{repo}") == (("/r/", "/", ""), ("owner", "repo"))
    assert filled("/a/{id}/cancel", {"id": "x%2Fy"}) == "/a/x%2Fy/cancel"
    assert filled("/{id}", {"id": ""}) == "/"
    assert filled("/r/{owner}/{id}", {"owner": "o"}) == "/r/o/{id}"


@pytest.mark.parametrize("template", ["/a", "/{a}/{a}", "/a}{b", "/{a", "/a}", "/{}", "/{{a}}"])
def test_a_path_without_a_name_or_with_a_brace_alone_is_none(template: str) -> None:
    with pytest.raises(ValueError, match=r"has no .parameter."):
        pieces(template)


def test_each_name_is_any_one_segment_and_the_rest_is_literal() -> None:
    found = pattern("/a.b/{id}/cancel").fullmatch(b"/a.b/%2F;x/cancel")
    assert found
    assert found[1] == b"%2F;x"
    two = pattern("/r/{owner}/{id}").fullmatch(b"/r/o/7")
    assert two
    assert two.groups() == (b"o", b"7")
    assert pattern("/a.b/{id}/cancel").fullmatch(b"/a.b//cancel")
    for path in (b"/aXb/1/cancel", b"/a.b/1/2/cancel", b"/A.B/1/cancel", b"/a.b/1/cancel/"):
        assert pattern("/a.b/{id}/cancel").fullmatch(path) is None
    assert pattern("/a.b/{id}/cancel", any_case=True).fullmatch(b"/A.B/1/CANCEL")
