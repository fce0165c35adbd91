"""A page of documentation, a contract that rests on it, and its localised form. The words are ours."""

from __future__ import annotations

import re
from pathlib import Path

from cancel_contracts.contract.load import load
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.page import Page
from cancel_contracts.pages.accept import accept, sections
from cancel_contracts.pages.english import english
from cancel_contracts.pages.find import Copy
from cancel_contracts.pages.read import Document, read

NAME, DAY = "job-stop", "2025-06-01"
PAGE = """---
title: "job: stop"
ms.date: 06/01/2025
---

# job: stop

[!INCLUDE [preview](../includes/preview.md)]

Stop a job that has not left the queue: `queued`, `printing`.

## Permissions

A token needs one of these rights. To learn more, see [Rights](../rights.md).

|Kind of token|Rights|
|:--|:--|
|Person|Jobs.Stop<br>Jobs.Manage|
|Service|Jobs.Stop|
|Guest|None.|

## HTTP request

<!-- { "blockType": "ignored" } -->
```http
POST /jobs/{job}/stop
```

## Request body

Operators send no body. Whoever is none sends a **reason** with a value of `mistake`.

## Response

On success the answer is `202 Accepted`. Nothing stands in the body.

## Limits

Thirty calls are served in a minute.

## Examples

### Request

Here is a call.

```http
POST https://print.example/v2/jobs/17/stop

{
  "reason": "mistake"
}
```

### Response

Here is what it is answered.

```http
HTTP/1.1 202 Accepted
```

## See also

- [Read a job](job-read.md)
- [Jobs](jobs.md)
"""
SPEC = """# A print job is stopped.
openapi: 3.1.0
info: {title: Stop a print job, version: "1"}
servers: [{url: "https://print.example/v2"}]
paths:
  /jobs/{job}/stop:
    post:
      operationId: stopJob
      parameters: [{name: job, in: path, required: true, schema: {type: string}}]
      responses: {"202": {description: accepted}}
x-lifecycle: {cancel: stopJob, shows: [phase], cancellable: [queued], final: [printed], after: [stopped]}
x-pages:  # where they are read
  # The page of the call itself.
  job-stop: {url: "https://print.example/docs/job-stop?view=2"}
  errors: {url: "https://print.example/docs/errors"}  # shared by many
x-provision:
  - state: queued
    does: Puts a job into the queue.
    source: {page: job-stop, section: Examples}
    create: {method: POST, path: /jobs}
    undo: {call: cancel, says: stop it}
x-clauses:
"""
CLAUSE = """  - id: PJ-{number}
    level: {level}
    says: It is promise {number}.
    source: {{page: {page}, section: {section}}}
    given: {{resource: queued}}
    expect: {{status: 202}}
"""
ROWS = (
    ("must", NAME, "(title) and (introduction)"),
    ("must", NAME, "(introduction)"),
    ("must", NAME, "Permissions"),
    ("must", NAME, "Permissions (guests)"),
    ("must", NAME, "HTTP request"),
    ("must", NAME, "Request body"),
    ("must", NAME, "Permissions and Request body"),
    ("must", NAME, "Response and Examples"),
    ("must", NAME, "Response"),
    ("should", NAME, "Limits"),
    ("must", "errors", "Status codes"),
    ("must", "RFC 9110", '"15.5"'),
)
REST = """  - id: PJ-13
    level: must
    party: caller
    says: Callers send no body.
    source: {page: job-stop, section: Request body}
    expect: {sends: nothing}
x-not-testable:
  - id: PJ-14
    says: It is a preview.
    source: {page: job-stop, section: (preview note)}
    reason: A notice.
  - id: PJ-15
    says: The host is print.example.
    source: {page: job-stop, section: Examples}
    reason: The target's stands for it.
"""
TEXT = SPEC + "".join(
    CLAUSE.format(number=i, level=level, page=page, section=section)
    for i, (level, page, section) in enumerate(ROWS, 1)
) + REST  # fmt: skip


def document(markdown: str) -> Document:
    return read(english(markdown, NAME), "a page")


def copied(markdown: str) -> Copy:
    return Copy("a page", NAME, document(markdown))


def spec(folder: Path, text: str = TEXT) -> Path:
    """Write the contract, watching nothing yet."""
    file = folder / "print-job.yaml"
    file.write_text(text, "utf-8")
    return file


def watching(folder: Path, page: str = PAGE) -> Contract:
    """Return the contract as it is once the page was accepted."""
    file = spec(folder)
    contract = load(file)
    wanted = sections(contract, copied(page), DAY)
    file.write_text(accept(TEXT, contract, NAME, wanted), "utf-8")
    return load(file)


def page_of(contract: Contract) -> Page:
    return contract.pages[NAME]


def localised(markdown: str) -> str:
    """Return a page as a translation has it: beside each text the English one, in spans."""
    front, _, body = markdown.removeprefix("---\n").partition("---\n")
    lines, fenced = [], False
    for row in body.splitlines():
        fenced ^= row.startswith("```")
        if fenced or not row.strip() or re.match(r"```|<!--|\[!|\|:", row):
            lines.append(row)
        elif row.startswith("|"):
            cells = row.strip("|").split("|")
            lines.append(f"|{'|'.join('<br>'.join(map(_pair, c.split('<br>'))) for c in cells)}|")
        else:
            start = re.match(r"(?:#+ |- |> |\d+\. )?", row)
            at = start.end() if start else 0
            lines.append(row[:at] + _pair(row[at:]))
    return f"---\n{front}ms.contentlocale: de-DE\n---\n" + "\n".join(lines) + "\n"


def _pair(text: str) -> str:
    local = f'<span data-ttu-id="a-1">Auf Deutsch {len(text)}</span>'
    return f'{local}<span class="sxs-lookup"><span data-stu-id="a-1">{text}</span></span>'
