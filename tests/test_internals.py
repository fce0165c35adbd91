"""What of an answer shows the inside of a server, and what only looks like it."""

from __future__ import annotations

import json

import pytest
from cancel_contracts.exchange import Exchange, Received, Sent, Situation
from cancel_contracts.judge.internals import trace

SHOWN = [
    'Traceback (most recent call last):\n  File "/srv/app/v.py", line 12, in f\nKeyError: 7',
    'File "<stdin>", line 1',
    "System.NullReferenceException: x",
    "sqlalchemy.exc.OperationalError: no such table",
    "   at Mock.Post(String id)\n   at Mock.Run()",
    "failed at Contoso.Api.Actions.Cancel()",
    "at cancel(actions.py:42)",
    "at java.base/java.lang.Thread.run(Thread.java:833)",
    "at Layer.handle (/x/layer.js:95:5)",
    "in Actions.cs:line 42",
    "cannot open '/srv/app/actions/store.py'",
    "open:/usr/lib/x.so",
    "permission denied: /home/deploy/mock",
    "unable to open database file: /var/lib/mock/actions.sqlite",
    "file:///home/me/app.py",
    "C:\\src\\Mock.cs",
    "D:\\\\src\\\\Mock.cs",
    "Stack trace:\n#0 {main}",
    "goroutine 12 [running]",
    "see node_modules/express",
    "handlers/cancel.py:42",
    "ORA-00942: table or view does not exist",
]
# Every one of these was once taken for a trace, or stands beside one that was.
NOT_SHOWN = [
    "Resource '/srv/mock/api/things/7/cancel' does not exist",
    "See https://portal.contoso.example/app/errors.html and http://localhost/var/doc.txt",
    "Go to /home or /app/v1.0 to see more",
    "Invalid JSON at offset(12), at line(1)",
    "Expected ',' at body:1:5; look in body:line 3",
    'The file "body", line 1 is not JSON',
    "Error:\r\nfoo\r\nbar",
    "Field\tProblem:\tgone\tnow",
    "CONTOSO\\admin: DOMAIN:CONTOSO\\admin may not",
    "#microsoft.graph.ODataError",
    "microsoft.graph.publicError",
    "The stack trace is not shown; quote the request-id",
    "The request was made at cancel() by user at contoso.example",
    "Cannot convert a value of type 'System.String' to 'System.Int32'. Path: $.Comment",
    "Lifetime ended at 2024-10-21T11:25:48.330Z (v1.2.3-beta), ratio 1:2:3",
]


def found(body: bytes) -> str | None:
    url = "http://127.0.0.1:8080/srv/mock/api/things/7/cancel"
    received = Received(404, body=body)
    exchange = Exchange("c", 1, 1, "cancel", Situation(), "admin", "7", Sent("POST", url))
    return trace(exchange, received)


@pytest.mark.parametrize("text", SHOWN)
def test_a_trace_is_seen_in_json_and_out_of_it(text: str) -> None:
    assert found(json.dumps({"error": {"code": "x", "message": text}}).encode())
    assert found(f"<html><pre>{text}</pre></html>".encode())


@pytest.mark.parametrize("text", NOT_SHOWN)
def test_what_only_looks_like_a_trace_is_none(text: str) -> None:
    assert found(json.dumps({"error": {"code": "x", "message": text}}).encode()) is None


def test_a_code_may_look_like_the_name_of_a_class_but_not_of_an_exception() -> None:
    assert found(b'{"error": {"code": "Contoso.Cancel.NotFoundError"}}') is None
    assert found(b'{"error": {"code": "System.NullReferenceException"}}')


def test_a_stack_by_its_name_counts_where_it_holds_something() -> None:
    assert found(b'{"error": {"innererror": {"stacktrace": "   here"}}}')
    assert found(b'{"error": {"innererror": {"stacktrace": null, "stackTrace": ""}}}') is None


@pytest.mark.parametrize("name", ["helpUrl", "href", "link", "instance", "type"])
def test_a_link_within_the_site_is_no_path_of_the_disk(name: str) -> None:
    def error(name: str, value: str) -> bytes:
        return json.dumps({"error": {"code": "x", "message": "y", name: value}}).encode()

    assert found(error(name, "/home/help/throttling")) is None
    assert found(error("message", "/home/help/throttling"))
    assert found(error(name, "no such file: /home/help/throttling"))


def test_a_link_of_an_error_page_is_no_path_of_the_disk() -> None:
    page = '<a href="/home/help/x.html">help</a> <img src=/var/pics/x.png>'
    assert found(page.encode()) is None
    assert found(b"<p>/home/help/x.html</p>")
