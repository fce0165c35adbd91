"""The curl line that sends a request again. Pure; given what is already redacted.

Rules: one line, safe to paste into a POSIX shell, the same bytes on the wire as far as curl can
send them. A token is named, never shown: the shell fills in $ADMIN_TOKEN.
"""

from __future__ import annotations

import re
from shlex import quote

from cancel_contracts.exchange import USER_AGENT, Sent

# What curl writes by itself, or what belongs to the connection and not to the request.
OWN_HEADERS = frozenset({"host", "content-length", "connection"})
# What does not matter: no Accept-Encoding at all comes to "identity" (RFC 9110 section 12.5.3).
USUAL_HEADERS = frozenset({("accept-encoding", "identity"), ("user-agent", USER_AGENT)})
ADDED_HEADERS = frozenset({"accept", "user-agent"})  # by curl, where nobody says otherwise
SCHEME = re.compile(r"^[A-Za-z0-9-]+$")
LONGEST_BODY_BYTES = (
    64 * 1024
)  # one argument may have 128 KiB on Linux (MAX_ARG_STRLEN), escapes included


def variable(identity: str) -> str:
    """Return the name of the environment variable that stands for an identity's token."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", identity).strip("_").upper() or "UNNAMED"
    name = f"_{name}" if name[0].isdigit() else name
    return name if name.endswith("TOKEN") else f"{name}_TOKEN"


def line(sent: Sent) -> str:
    """Return the command for a request. Its headers hold a masked token as "<identity>"."""
    method, url, headers, body = sent.method, sent.url, sent.headers, sent.body
    parts = ["curl", "-I" if method == "HEAD" else "-i", "--path-as-is"]
    if set("[]{}") & set(url):
        parts.append("--globoff")
    if sent.version == "1.0":
        parts.append("--http1.0")
    elif url.startswith("https:"):
        parts.append("--http1.1")
    if sent.absolute:
        parts += ["--request-target", _url(url)]
    if method not in ("GET", "HEAD") or body:
        parts += ["-X", quote(method)]
    for name, value in headers:
        if name.lower() not in OWN_HEADERS and (name.lower(), value) not in USUAL_HEADERS:
            parts += ["-H", _header(name, value)]
    for name in sent.without:
        if name.lower() in ADDED_HEADERS:
            parts += ["-H", quote(f"{name}:")]
    before, note = "", ""
    has_length = any(name.lower() == "content-length" for name, _ in headers)
    if body or has_length:
        if not any(name.lower() == "content-type" for name, _ in headers):
            parts += ["-H", "Content-Type:"]  # else curl would call it a form
        if len(body) > LONGEST_BODY_BYTES:
            parts += ["--data-binary", "@body.bin"]
            note = f"  # body.bin: the {len(body)} bytes of the body"
        elif _shows(body):
            parts += ["--data-binary", quote(body.decode("utf-8"))]
        else:
            before = f"printf {_printf(body)} | "
            parts += ["--data-binary", "@-"]
    return before + " ".join([*parts, _url(url)]) + note


def _url(url: str) -> str:
    """Return a URL as a word of the shell. A token may be a value of its query."""
    return _named(url, re.compile(r"(?<==)<([^<>&]+)>(?=&|$)"))


def _named(text: str, mark: re.Pattern[str]) -> str:
    """Return a text as a word of the shell, with variables for the marked names in it."""
    parts, end = list[str](), 0
    for found in mark.finditer(text):
        parts += [quote(text[end : found.start()]), f'"${variable(found[1])}"']
        end = found.end()
    return "".join([*parts, quote(text[end:]) if text[end:] or not parts else ""])


def _header(name: str, value: str) -> str:
    if name.lower() == "cookie" and "=<" in value:
        return _named(f"{name}: {value}", re.compile(r"(?<==)<([^<>;]+)>(?=;|$)"))
    scheme, _, rest = value.rpartition(" ")
    if rest.startswith("<") and rest.endswith(">"):
        start = f"{name}: {scheme}".rstrip() + " "
        token = f"${variable(rest[1:-1])}"
        if SCHEME.match(scheme) and SCHEME.match(name):
            return f'"{start}{token}"'
        return quote(start) + f'"{token}"'
    if value == "":
        return quote(f"{name};")  # a header without a value; "name:" would remove it
    return quote(f"{name}: {value}")


def _shows(body: bytes) -> bool:
    """Whether a body can stand in the line as it is. A leading @ would name a file."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return text.isprintable() and not text.startswith("@")


def _printf(body: bytes) -> str:
    """Return the format that makes printf write exactly these bytes."""
    special = {ord("'"): "\\047", ord("\\"): "\\\\", ord("%"): "%%"}
    octets = [special.get(b) or (chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in body]
    if octets[0] == "-":
        octets[0] = "\\055"  # else an option of printf
    return "'" + "".join(octets) + "'"
