"""What each recorder makes of a call: the entry that it writes for what really went over the wire.

Written after the recorders' own sources. `Call` is what happened; a recorder leaves out, renames
and rounds as it does.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from recordings import moment

Entry = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One call as it happened: `at` and `seconds` are its start and length; no status, no answer."""

    method: str
    url: str
    status: int = 0
    answered: str = ""
    sent: str = ""
    at: float = 0.0
    seconds: float = 0.02
    headers: dict[str, str] = field(default_factory=dict)  # of the answer, beside the usual
    trouble: str = ""  # why no answer came, in Chromium's words
    cached: bool = False

    @property
    def told(self) -> dict[str, str]:
        """The headers of the answer."""
        usual = {"Date": "Wed, 01 May 2024 10:00:00 GMT"}
        if self.answered:
            usual |= {"Content-Type": "application/json; charset=utf-8"}
        if self.status not in (0, 204):
            usual |= {"Content-Length": str(len(self.answered.encode()))}
        return usual | self.headers if self.status else {}

    @property
    def asked(self) -> dict[str, str]:
        """The headers of the request."""
        found = {"Accept": "*/*", "Host": self.url.split("/")[2], "Authorization": "Bearer t0k"}
        if self.sent:
            found |= {"Content-Type": "application/json", "Content-Length": str(len(self.sent))}
        return found


def rows(headers: dict[str, str]) -> list[Entry]:
    return [{"name": name, "value": value} for name, value in headers.items()]


def lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def plain(call: Call) -> Entry:
    """HAR 1.2 to the letter."""
    size = len(call.answered.encode())
    request: Entry = {
        "method": call.method, "url": call.url, "httpVersion": "HTTP/1.1", "cookies": [],
        "headers": rows(call.asked), "queryString": [], "headersSize": -1,
        "bodySize": len(call.sent),
    }  # fmt: skip
    if call.sent:
        request["postData"] = {"mimeType": "application/json", "text": call.sent}
    return {
        "startedDateTime": moment(call.at), "time": call.seconds * 1000, "request": request,
        "response": {
            "status": call.status, "statusText": "", "httpVersion": "HTTP/1.1", "cookies": [],
            "headers": rows(call.told), "redirectURL": "", "headersSize": -1,
            "content": {"size": size, "mimeType": "application/json", "text": call.answered},
            "bodySize": size,
        },
        "cache": {}, "timings": {"send": 0, "wait": call.seconds * 1000, "receive": 0},
    }  # fmt: skip


def chrome(call: Call) -> Entry:
    """Chrome's network panel over HTTP/2, sanitized: no credentials, names in lower case."""
    row = plain(call)
    asked = {k: v for k, v in lower(call.asked).items() if k not in ("authorization", "host")}
    pseudo = {":method": call.method, ":authority": "api", ":scheme": "https", ":path": "/x"}
    told = lower(call.told)
    told.pop("content-length", None)
    row["request"] |= {"httpVersion": "http/2.0", "headers": rows(pseudo | asked)}
    response = row["response"]
    response |= {"httpVersion": "http/2.0", "headers": rows(told), "bodySize": -1}
    response |= {"_transferSize": 321, "_error": call.trouble or None}
    response |= {"_fetchedViaServiceWorker": False}
    if not call.answered:
        response["content"] = {"size": 0, "mimeType": "x-unknown"}
    kind = "preflight" if call.method == "OPTIONS" else "fetch"
    row |= {"_resourceType": kind, "_priority": "High", "connection": "443"}
    return row | ({"_fromCache": "disk"} if call.cached else {})


def chrome_without_bodies(call: Call) -> Entry:
    """Chrome after the page was left: sizes are told, texts are gone."""
    row = chrome(call)
    row["response"]["content"].pop("text", None)
    return row


def firefox(call: Call) -> Entry:
    """Firefox: a call that failed has status 0; a cached one is a 304 with the cache's text."""
    row = plain(call)
    response = row["response"]
    response["bodySize"] = len(call.answered) + 280 if call.status else -1
    response["content"] = {
        "mimeType": "application/json; charset=utf-8",
        "size": len(call.answered),
    }
    response["content"]["text"] = call.answered
    if call.cached:
        response |= {"status": 304, "bodySize": 0}
        row["cache"] = {"afterRequest": None}
    if call.trouble:
        response |= {"content": {"size": -1}, "headersSize": -1}
    if not call.sent:
        row["request"]["bodySize"] = 0
    return row | {"_securityState": "secure", "pageref": "page_1"}


def safari(call: Call) -> Entry:
    """Safari's Web Inspector: no text where there is no body, its own word for the cache."""
    row = plain(call)
    response = row["response"]
    response["content"] |= {"compression": 0, "mimeType": "application/json"}
    if not call.answered:
        del response["content"]["text"]
    if call.trouble:
        response |= {"_error": "The network connection was lost.", "bodySize": -1}
    row["_fetchType"] = "Memory Cache" if call.cached else "Network Load"
    return row


def charles(call: Call) -> Entry:
    """Charles: all bodies in base64, its own word for how a call ended."""
    row = plain(call)
    response = row["response"]
    response |= {"_charlesStatus": "EXCEPTION" if call.trouble else "COMPLETE", "statusText": None}
    if call.trouble:  # what had come until then stands
        response |= {"status": 200, "headers": rows({"Content-Type": "application/json"})}
        text = '{"id":'
    else:
        text = call.answered
    response["content"] = {
        "size": len(text), "mimeType": "application/json", "encoding": "base64",
        "text": base64.b64encode(text.encode()).decode(),
    }  # fmt: skip
    row["startedDateTime"] = f"{moment(call.at)[:-1]}+00:00"
    return row


def fiddler(call: Call) -> Entry:
    """Fiddler: moments of seven digits, an answer of its own where none came."""
    row = plain(call)
    row["startedDateTime"] = f"{moment(call.at)[:-1]}1234+00:00"
    row |= {"_clientIP": "::1", "connection": "ClientPort:5;EgressPort:6"}
    response = row["response"]
    response["content"] |= {"compression": 0}
    if call.trouble:
        text = "[Fiddler] The connection to 'api' failed."
        response |= {
            "status": 502, "statusText": "Fiddler - Connection Failed",
            "headers": rows({"Content-Type": "text/html", "Connection": "close"}),
            "content": {"size": len(text), "mimeType": "text/html", "text": text},
        }  # fmt: skip
    return row


def fiddler_without_long_bodies(call: Call) -> Entry:
    """Fiddler beyond its longest body: the size and a comment."""
    row = fiddler(call)
    if len(call.answered) > 22:
        row["response"]["content"].pop("text")
        row["response"]["content"]["comment"] = "Body length exceeded, so body was omitted."
    return row


def mitmproxy(call: Call) -> Entry:
    """mitmproxy's hardump: no answer is status 0 without content."""
    row = plain(call)
    if call.method == "POST":
        row["request"]["postData"] = {"mimeType": "", "text": call.sent, "params": []}
    if call.trouble:
        row["response"] |= {"content": {}, "bodySize": -1, "_error": "server disconnected"}
    row["startedDateTime"] = f"{moment(call.at)[:-1]}456+00:00"
    return row


def mitmproxy_streamed(call: Call) -> Entry:
    """mitmproxy with stream_large_bodies before a server that sends chunks: it kept no body."""
    row = mitmproxy(call)
    told = {k: v for k, v in call.told.items() if k != "Content-Length"}
    if call.answered:
        row["response"] |= {
            "headers": rows(told | {"Transfer-Encoding": "chunked"}), "bodySize": 0,
            "content": {"size": 0, "compression": 0, "mimeType": "application/json", "text": ""},
        }  # fmt: skip
    return row


def dev_proxy(call: Call) -> Entry:
    """Dev Proxy's HarGeneratorPlugin: no length of time, secrets struck out, null for what is not."""
    row = plain(call)
    row |= {"startedDateTime": f"{moment(call.at)[:-1]}0000Z", "time": 0, "timings": None}
    row["request"]["postData"] = row["request"].get("postData")
    asked = call.asked | {"Authorization": "REDACTED"}
    row["request"]["headers"] = rows(asked)
    told = {k: "REDACTED" if k == "WWW-Authenticate" else v for k, v in call.told.items()}
    row["response"]["headers"] = rows(told)
    row["response"]["content"]["text"] = call.answered or None
    return row | ({"response": None} if call.trouble else {})


def http_toolkit(call: Call) -> Entry:
    """HTTP Toolkit: -1 for how long it took where no answer came, repeated headers by commas."""
    row = plain(call)
    row["startedDateTime"] = f"{moment(call.at)[:-1]}+00:00"
    if call.trouble:
        row["time"] = -1
        row["response"]["content"] = {"size": 0, "mimeType": "application/x-unknown"}
        row["response"]["bodySize"] = -1
    return row


def chrome_har(call: Call) -> Entry:
    """chrome-har (browsertime, puppeteer-har): values of repeated headers by line breaks."""
    row = chrome(call)
    for header in row["response"]["headers"]:
        header["value"] = header["value"].replace(", ", "\n")
    row["response"].pop("_fetchedViaServiceWorker")
    if call.trouble:
        row["response"] = {"status": 0, "headers": [], "content": {"size": 0}}
    return row


def playwright(call: Call) -> Entry:
    """Playwright's recordHar with its bodies embedded."""
    row = plain(call)
    row["response"] |= {"_transferSize": 500}
    if not call.answered:
        row["response"]["content"] = {"size": 0, "mimeType": "x-unknown"}
    if call.trouble:
        row["response"] |= {"status": -1, "_failureText": call.trouble, "headers": []}
    return row | {"_monotonicTime": call.at, "_frameref": "frame@1"}


def playwright_without_bodies(call: Call) -> Entry:
    """Playwright's `content: omit`."""
    row = playwright(call)
    row["response"]["content"] = {"size": -1, "mimeType": "application/json"}
    return row


def browsermob(call: Call) -> Entry:
    """BrowserMob Proxy without captured content: size 0, no text."""
    row = plain(call)
    row["response"]["content"] = {"size": len(call.answered), "mimeType": "", "comment": ""}
    row["request"].pop("postData", None)
    if call.trouble:
        row["response"] |= {"_errorMessage": "No response received", "httpVersion": "unknown"}
    return row


def burp(call: Call) -> Entry:
    """An exporter of Burp's: raw header lines taken apart, texts in base64 without a mark."""
    row = plain(call)
    row["response"]["content"] |= {"text": base64.b64encode(call.answered.encode()).decode()}
    row |= {"time": 0}
    return row | ({"response": {}} if call.trouble else {})


def k6(call: Call) -> Entry:
    """A recorder in a browser's extension: no text of answers, headers of requests alone."""
    row = plain(call)
    row["response"] |= {"headers": [], "content": {"size": 0, "mimeType": ""}, "bodySize": 0}
    return row


def insomnia(call: Call) -> Entry:
    """Insomnia: one moment for all entries, that of the export; the order is the folder's."""
    return plain(replace(call, at=0.0))


Recorder = Callable[[Call], Entry]


@dataclass(frozen=True)
class Keeps:
    """What a recorder keeps of an answer, and whether it tells the order of the calls."""

    bodies: bool = True
    headers: bool = True
    order: bool = True


BODILESS = Keeps(bodies=False)
RECORDERS: dict[Recorder, Keeps] = {
    plain: Keeps(), chrome: Keeps(), chrome_without_bodies: BODILESS, firefox: Keeps(),
    safari: Keeps(), charles: Keeps(), fiddler: Keeps(), fiddler_without_long_bodies: BODILESS,
    mitmproxy: Keeps(), mitmproxy_streamed: BODILESS, dev_proxy: Keeps(), http_toolkit: Keeps(),
    chrome_har: Keeps(), playwright: Keeps(), playwright_without_bodies: BODILESS,
    browsermob: BODILESS, burp: Keeps(), k6: Keeps(bodies=False, headers=False),
    insomnia: Keeps(order=False),
}  # fmt: skip
