"""A recipe as one plain file that needs nothing of ours: for a shell with curl, or for Python.

Pure. The script prints what it sends, what comes, and what the run had expected; it judges nothing.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace

from cancel_contracts.contract.ids import CUT_CHARS, NEW_DIGITS
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Sent
from cancel_contracts.report import curl
from cancel_contracts.report.curl import variable
from cancel_contracts.report.recipe import (
    MARK,
    Derive,
    Line,
    Pause,
    Recipe,
    Send,
    SetUp,
    Step,
    TearDown,
    asks,
)
from cancel_contracts.report.text import line as on_one_line

SHELL = """\
#!/bin/sh
{head}
set -u
{tokens}

# The id in what a provider-state handler answers.
id_of() {{
    sed -n 's/.*"id" *: *"\\{{0,1\\}}\\([^",}}]*\\).*/\\1/p' | head -n 1
}}

{body}"""

PYTHON = '''\
#!/usr/bin/env python3
{head}

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import requests
from urllib3.util import SKIP_HEADER


def variable(name, what):
    if not os.environ.get(name):
        sys.exit(f"set {{name}}: {{what}}")
    return os.environ[name]


def send(says, method, url, headers, body=b"", chunked=False, session=None):
    """Send exactly this, follow nothing, and print what came."""
    data = iter([body]) if chunked else body
    prepared = requests.Request(method, url, headers=headers, data=data).prepare()
    prepared.url = url  # as it stands: an odd id stays odd
    answer = (session or requests.Session()).send(prepared, allow_redirects=False, timeout=20)
    print(f"\\n## {{says}}\\n{{method}} {{url}}\\n{{answer.status_code}} {{answer.reason}}")
    for name, value in answer.headers.items():
        print(f"{{name}}: {{value}}")
    print(answer.text[:2000])
    return answer


{tokens}
{body}'''


def write(recipe: Recipe, language: str) -> str:
    """Return the script: `language` is "sh" or "py". Raises UsageError for a body that no line of a
    shell may carry.
    """
    return _shell(recipe) if language == "sh" else _python(recipe)


def _head(recipe: Recipe) -> list[str]:
    case = recipe.case
    source = next(c for c in case.contract.clauses if c.id == case.clauses[0])
    rows = [
        f"Finding {case.name}: {case.sentence}",
        f"{source.id} says: {source.says} ({source.source})",
        f"Breaks: {', '.join(case.clauses)}",
        "Sends to the target that it names, and may cancel what it sets up there.",
    ]
    return [f"# {on_one_line(row)}" for row in rows]


# --- a shell with curl ----------------------------------------------------------------------------


def _shell(recipe: Recipe) -> str:
    tokens = [
        f': "${{{name}:?{_whose(who)}}}"' for name, who in sorted(recipe.tokens.items())
    ]  # fmt: skip
    undo = [row for s in recipe.steps if isinstance(s, TearDown) for row in _shell_step(s)]
    body = ["undo() {", *(f"    {row}" for row in undo), "}", "trap undo EXIT"] if undo else []
    body += [r for s in recipe.steps if not isinstance(s, TearDown) for r in _shell_step(s)]
    return SHELL.format(
        head="\n".join(_head(recipe)), tokens="\n".join(tokens), body="\n".join(body) + "\n"
    )


def _whose(who: str) -> str:
    return f"what {who.partition('@')[0]} carries; {asks(who)} --target FILE prints it"


def _shell_step(step: Step) -> Iterator[str]:
    match step:
        case SetUp():
            yield from _shell_set_up(step)
        case Derive():
            yield f"{step.name}={_shell_derived(step)}"
        case Pause():
            yield f"sleep {step.seconds}"
        case TearDown():
            yield f'if [ -n "${{{step.name}:-}}" ]; then'
            yield f"    {_echo(step.says)}"
            yield f"    {curl_line(Line('', step.request))}"
            yield from ("    echo", "fi")
        case Send() if step.kept:
            yield from ("", *(_echo(row.says) for row in step.lines))
            yield " --next ".join(
                curl_line(row).removeprefix("curl " if at else "")
                for at, row in enumerate(step.lines)
            )
            yield "echo"
        case Send():
            for row in step.lines:
                yield from ("", _echo(row.says))
                yield curl_line(row) + (" &" if step.at_once else "")
                yield "wait" if step.at_once and row is step.lines[-1] else "echo"


def _shell_set_up(step: SetUp) -> Iterator[str]:
    yield from ("", _echo(step.says))
    name = step.name
    if step.request is not None:
        made = curl_line(Line("", step.request)).replace("curl -sS -i", "curl -sS", 1)
        yield f"{name}=$({made} | id_of)"
        yield f'[ -n "${name}" ] || {{ echo "the handler gave no id" >&2; exit 2; }}'
    elif step.given:
        yield f'[ -n "${{{name}:-}}" ] || {name}={shlex.quote(step.given)}'
    else:
        yield f': "${{{name}:?the id of the resource}}"'


def _shell_derived(step: Derive) -> str:
    of = step.of
    return {
        "cut": f"${{{of}%{'?' * CUT_CHARS}}}",
        "twice": f"""$(printf '%%25%02X' "'${of}")${{{of}#?}}""",
        "like": f"${{{of}%{'?' * NEW_DIGITS}}}{step.end}",
        "encoded": f"""$(printf '%%%02X' "'${of}")$(echo "${{{of}#?}}" | sed s/-/%2D/g)""",
        "cased": f"""$(echo "${of}" | tr a-zA-Z A-Za-z)""",
    }[step.how]


def _echo(says: str) -> str:
    return f"echo {shlex.quote('## ' + on_one_line(says))}"


def curl_line(row: Line) -> str:
    """Return a request as a line for a shell, its names as variables."""
    sent = row.request
    framing = ("Content-Length", str(len(sent.body)))
    if row.chunked:
        framing = ("Transfer-Encoding", "chunked")
    if row.chunked or sent.body or sent.method in ("POST", "PUT", "PATCH"):
        sent = replace(sent, headers=(*sent.headers, framing))
    if len(sent.body) > curl.LONGEST_BODY_BYTES:
        told = f"a body of {len(sent.body):,} bytes is too long for a line of a shell"
        raise UsageError("--script", told, "name a file that ends in .py")
    text = curl.line(sent).replace("curl ", "curl -sS ", 1)
    # Each name stands within single quotes: "~" makes shlex quote whatever holds it.
    return MARK.sub(lambda m: f"'\"${m[1]}\"'" if m[1] else m[0], text)


# --- Python with requests -------------------------------------------------------------------------


def _python(recipe: Recipe) -> str:
    tokens = [
        f"{name} = variable({name!r}, {_whose(who)!r})"
        for name, who in sorted(recipe.tokens.items())
    ]
    names = [step.name for step in recipe.steps if isinstance(step, SetUp)]
    tokens += [f"{name} = None" for name in names]
    inner = [row for s in recipe.steps if not isinstance(s, TearDown) for row in _python_step(s)]
    undo = [row for s in recipe.steps if isinstance(s, TearDown) for row in _python_step(s)]
    body = ["try:", *(f"    {row}" for row in inner)] if undo else inner
    body += ["finally:", *(f"    {row}" for row in undo)] if undo else []
    return PYTHON.format(
        head="\n".join(_head(recipe)), tokens="\n".join(tokens), body="\n".join(body) + "\n"
    )


def _python_step(step: Step) -> Iterator[str]:
    match step:
        case SetUp():
            yield f"{step.name} = {_python_id(step)}"
        case Derive():
            yield f"{step.name} = {_python_derived(step)}"
        case Pause():
            yield f"time.sleep({step.seconds})"
        case TearDown():
            yield f"if {step.name}:"
            yield f"    send({_arguments(Line(step.says, step.request))})"
        case Send() if step.at_once:
            yield f"with ThreadPoolExecutor({len(step.lines)}) as pool:"
            yield "    made = ["
            yield from (f"        pool.submit(send, {_arguments(row)})," for row in step.lines)
            yield "    ]"
        case Send() if step.kept:
            yield "with requests.Session() as kept:"
            yield from (f"    send({_arguments(row)}, session=kept)" for row in step.lines)
        case Send():
            yield from (f"send({_arguments(row)})" for row in step.lines)


def _python_id(step: SetUp) -> str:
    if step.request is not None:
        return f'str(send({_arguments(Line(step.says, step.request))}).json()["id"])'
    if step.given:
        return f"os.environ.get({step.name!r}, {step.given!r})"
    return f"variable({step.name!r}, 'the id of the resource')"


def _python_derived(step: Derive) -> str:
    of = step.of
    return {
        "cut": f"{of}[:-{CUT_CHARS}]",
        "twice": f'f"%25{{ord({of}[0]):02X}}" + {of}[1:]',
        "like": f"{of}[:-{NEW_DIGITS}] + {step.end!r}",
        "encoded": f'f"%{{ord({of}[0]):02X}}" + {of}[1:].replace("-", "%2D")',
        "cased": f"{of}.swapcase()",
    }[step.how]


def _arguments(row: Line) -> str:
    sent = row.request
    if sent.absolute or sent.version != "1.1":
        told = "requests writes no request line of HTTP/1.0, nor one in the absolute form"
        raise UsageError("--script", told, "name a file that ends in .sh")
    pairs = [f"{name!r}: {_expression(value)}" for name, value in sent.headers]
    pairs += ["'User-Agent': SKIP_HEADER" for name in sent.without if name == "User-Agent"]
    headers = ", ".join(pairs)
    parts = [
        repr(on_one_line(row.says)),
        repr(sent.method),
        _expression(sent.url),
        f"{{{headers}}}",
    ]
    if sent.body or row.chunked:
        parts.append(_octets(sent))
    if row.chunked:
        parts.append("chunked=True")
    return ", ".join(parts)


def _expression(text: str) -> str:
    """Return a Python expression of a text in which names stand."""
    parts, end = [], 0
    for found in MARK.finditer(text):
        parts += [repr(text[end : found.start()])] if found.start() > end else []
        parts.append(found[1] or variable(found[2]))
        end = found.end()
    parts += [repr(text[end:])] if end < len(text) or not parts else []
    return " + ".join(parts)


def _octets(sent: Sent) -> str:
    """Return a Python expression of a body. Only ids stand in it as names."""
    text = sent.body.decode("latin-1")
    parts, end = [], 0
    for found in MARK.finditer(text):
        if found[1]:
            parts += [repr(text[end : found.start()].encode("latin-1"))]
            parts.append(f"{found[1]}.encode()")
            end = found.end()
    return " + ".join([*parts, repr(text[end:].encode("latin-1"))])
