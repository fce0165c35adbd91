"""One reading of a path with a {parameter}: load, run, mock and recordings go by it."""

from __future__ import annotations

import pytest
from cancel_contracts.contract.path_template import filled, halves, pattern


def test_a_template_is_what_stands_before_the_id_and_behind_it() -> None:
    assert halves("/a/{id}/cancel") == ("/a/", "/cancel")
    assert halves("/a({id})") == ("/a(", ")")
    assert filled("/a/{id}/cancel", "x%2Fy") == "/a/x%2Fy/cancel"
    assert filled("/{id}", "") == "/"


@pytest.mark.parametrize("template", ["/a", "/{a}/{b}", "/a}{b", "/{a", "/a}", "/{}", "/{{a}}"])
def test_anything_but_one_parameter_is_none(template: str) -> None:
    with pytest.raises(ValueError, match="has not exactly one"):
        halves(template)


def test_the_id_is_any_one_segment_and_the_rest_is_literal() -> None:
    found = pattern("/a.b/{id}/cancel").fullmatch(b"/a.b/%2F;x/cancel")
    assert found
    assert found[1] == b"%2F;x"
    assert pattern("/a.b/{id}/cancel").fullmatch(b"/a.b//cancel")
    for path in (b"/aXb/1/cancel", b"/a.b/1/2/cancel", b"/A.B/1/cancel", b"/a.b/1/cancel/"):
        assert pattern("/a.b/{id}/cancel").fullmatch(path) is None
    assert pattern("/a.b/{id}/cancel", any_case=True).fullmatch(b"/A.B/1/CANCEL")
