"""One verdict told in labelled lines, the same in every report that is text. Pure.

Derives from the record alone and escapes nothing: each report knows what its own format needs.
"""

from __future__ import annotations

from typing import Any

from cancel_contracts.errors import clip
from cancel_contracts.report.text import count, requests

SHOWN_CHARS = 300  # of whatever a target sent, and of a request line
SHOWN_STEPS = 12  # of a scenario, the last
SHOWN_CURL_CHARS = 2000
SHOWN_IDS = 6  # of clauses that are newer
NEWER = "newer than the edition"
CURL_ELSEWHERE = "a curl line of {}: see the JSON or HTML report"
# Of a response's head in short: how the body is to be read, and what clauses speak of.
TOLD_HEADERS = (
    "content-type",
    "content-length",
    "transfer-encoding",
    "retry-after",
    "allow",
    "www-authenticate",
)

Pairs = list[tuple[str, str]]


def where(clause: dict[str, Any]) -> str:
    return f"{clause['source']['page']}, {clause['source']['section']}"


def failing(record: dict[str, Any], level: str) -> bool:
    """Whether a violated clause of a level makes the run fail."""
    return level == "must" or (level == "should" and bool(record["strict"]))


def held(record: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether a finding, or a violated clause, makes the run fail: by its level, and its age."""
    return failing(record, row["level"]) and not row.get("newer")


def fails(record: dict[str, Any], clause: dict[str, Any]) -> bool:
    """Whether a clause is violated and that makes the run fail."""
    return clause["verdict"] == "violated" and held(record, clause)


def made(record: dict[str, Any]) -> str:
    """Return what the verdicts rest on."""
    if record.get("recorded"):
        by = "".join(f"{edition}; " for edition in editions(record))
        return f"{by}{requests(record['requests'])}; nothing was sent"
    profile = ", ".join(
        (f"profile {record['profile']}", f"seed {record['seed']}", *editions(record))
    )
    return f"{profile}, {requests(record['requests'])} in {record['seconds']:.1f} s"


def editions(record: dict[str, Any]) -> list[str]:
    """Return the editions that were named, as a part of a sentence each."""
    named = dict.fromkeys(c.get("edition") for c in record["contracts"])
    return [f"edition of {day}" for day in named if day]


def named(record: dict[str, Any]) -> str:
    """Return the target's name and version, as far as its file gives them."""
    target = record["target"]
    return " ".join(filter(None, (target.get("name"), target.get("version"))))


def ends(record: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Return why nothing can be said of contracts, or not all was sent: each reason once, and the
    contracts that it holds for.
    """
    found: dict[str, list[str]] = {}
    for contract in record["contracts"]:
        for why in dict.fromkeys((contract["unusable"], contract["stopped"])):
            if why:
                found.setdefault(why, []).append(contract["name"])
    return list(found.items())


def gaps(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Return why must-clauses are open, each reason once over all contracts: `number` of them, what
    would help (`fix`; not told of a recording), and `clauses`, their ids by contract.
    """
    found: dict[tuple[str, str | None], list[tuple[str, list[str]]]] = {}
    for contract in record["contracts"]:
        for row in [] if contract["unusable"] else contract["gaps"]:
            key = (row["reason"], None if record.get("recorded") else row["fix"])
            found.setdefault(key, []).append((contract["name"], row["clauses"]))
    rows = [
        {"reason": why, "fix": fix, "number": sum(len(ids) for _, ids in named), "clauses": named}
        for (why, fix), named in found.items()
    ]
    return sorted(rows, key=lambda row: -row["number"])


def sentence(record: dict[str, Any]) -> str:
    """Return the gate's sentence without the outcome's word, which stands before it everywhere."""
    text: str = record["sentence"]
    return text.removeprefix(f"{record['outcome']}: ")


def figures(row: dict[str, Any]) -> Pairs:
    """Return the two figures of a record, or of one of its contracts, what was excused, and what is
    newer than the edition that the target holds to.
    """
    told = [(name, f"{row[name]['count']} of {row[name]['of']}") for name in ("kept", "covered")]
    if row["excused"]:
        told.append(("excused", ", ".join(row["excused"])))
    if newer := row.get("newer"):
        told.append((NEWER, ", ".join(f"{_ids(ids)} {word}" for word, ids in newer.items())))
    return told


def _ids(ids: list[str]) -> str:
    return " ".join(ids) if len(ids) <= SHOWN_IDS else str(len(ids))


def figured(row: dict[str, Any]) -> str:
    """Return the same as a clause of a sentence."""
    (_, kept), (_, covered), *rest = figures(row)
    return f"kept {kept}, covered {covered}" + "".join(f"; {name}: {told}" for name, told in rest)


def duties(record: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the clauses that callers have to keep, each after its contract; of a recording of
    others alone.
    """
    return [(c, row) for c in record["contracts"] for row in c.get("duties", ())]


def apart(record: dict[str, Any]) -> str:
    """Return when what callers broke makes the run fail."""
    level = "must or should" if record["strict"] else "must"
    only = "" if record.get("caller") else ", under --caller only"
    return f"Judged apart from the server. A {level} that is violated here fails the run{only}."


def misuse(contract: dict[str, Any], duty: dict[str, Any]) -> str:
    """Return in a sentence what the first call that breaks a duty was, or why no call tells."""
    if not duty["violations"]:
        return duty["reason"] or f"kept in {count(duty['exercised'], 'call')}"
    piece = duty["evidence"][0]
    seen = f"{duty['violations']} of {count(duty['exercised'], 'call')}"
    call = f"{piece['request']['method']} {path(contract, piece['request']['url'])}"
    when = f"{piece['started']:.1f} s into the recording"
    told = f"expected {piece['expected']}, got {piece['actual']} ({seen}; {call}, {when})"
    return clip(told, SHOWN_CHARS)


def promise(clause: dict[str, Any]) -> Pairs:
    """Return what the page says, where, and why the verdict is what it is."""
    pairs = [("says", clause["says"]), ("where", where(clause))]
    pairs += [("read at", link["url"]) for link in clause["source"]["links"]]
    if clause["reason"]:
        pairs.append(("reason", clause["reason"]))
    if clause["excused"]:
        pairs.append(("excused", clause["excused"]))
    if clause["causes"]:
        pairs.append(("usually", f"broken by one of these: {' '.join(clause['causes'])}"))
    return pairs


def evidence(contract: dict[str, Any], clause: dict[str, Any], piece: dict[str, Any]) -> Pairs:
    """Return one exchange in short, its curl line last."""
    request = piece["request"]
    url = path(contract, request["url"])
    exchanges = count(clause["exercised"], "exchange")
    pairs = [
        ("expected", clip(piece["expected"], SHOWN_CHARS)),
        ("actual", clip(piece["actual"], SHOWN_CHARS)),
        ("seen in", f"{clause['violations']} of {exchanges}")
        if clause["violations"]
        else ("exercised", f"by {exchanges}"),
        *scenario(contract, piece),
        ("request", clip(f"{request['method']} {url}", SHOWN_CHARS)),
        ("response", clip(head(piece), SHOWN_CHARS)),
    ]
    response = piece["response"]
    if response and (octets := response["body"] + response["stray"]):
        pairs.append(("body", clip(octets, SHOWN_CHARS)))
    line = piece["curl"]
    if len(line) > SHOWN_CURL_CHARS:
        line = CURL_ELSEWHERE.format(count(len(line), "character"))
    return [*pairs, ("curl", line)]


def path(contract: dict[str, Any], url: str) -> str:
    return url.removeprefix(contract["base_url"]) or url


def scenario(contract: dict[str, Any], piece: dict[str, Any]) -> Pairs:
    """Return the whole scenario: what was set up, and each step to the looks after the call."""
    pairs = [("scenario", piece["scenario"])]
    if piece["begins"]:
        pairs.append(("set-up", piece["begins"]))
    steps = piece["steps"]
    left = len(steps) - SHOWN_STEPS
    if left > 0:
        pairs.append(("steps", f"{left} before these: see the JSON or HTML report"))
    for number, step in enumerate(steps, 1):
        if number > left:
            call = f"{step['method']} {path(contract, step['url'])}"
            told = f"{step['says']}: {call}: {step['shows']}" + " (judged)" * step["judged"]
            pairs.append((f"step {number}", clip(told, SHOWN_CHARS)))
    return pairs


def head(piece: dict[str, Any]) -> str:
    """Return a response's status line and telling headers, and what went wrong with it."""
    response = piece["response"]
    if response is None:
        return f"none ({piece['failure']})"
    first = "no status line that can be read"
    if response["status"]:
        first = f"HTTP/{response['version']} {response['status']} {response['reason']}".strip()
    told = [f"{n}: {v}" for n, v in response["headers"] if n.lower() in TOLD_HEADERS]
    wrong = [text for text in (piece["failure"], response["error"]) if text]
    return " · ".join((first, *told, *wrong))


def whole(contract: dict[str, Any], clause: dict[str, Any], pieces: int = 1) -> Pairs:
    """Return the promise and its first pieces of evidence."""
    pairs = promise(clause)
    for piece in clause["evidence"][:pieces]:
        pairs += evidence(contract, clause, piece)
    return pairs


def summary(clause: dict[str, Any]) -> str:
    """Return in a sentence what was expected and what came, or why it is not told."""
    if clause["violations"]:
        piece = clause["evidence"][0]
        seen = f"{clause['violations']} of {count(clause['exercised'], 'exchange')}"
        expected, actual = (clip(piece[key], SHOWN_CHARS) for key in ("expected", "actual"))
        return f"expected {expected}, got {actual} ({seen})"
    return clause["excused"] or clause["reason"] or f"exercised {clause['exercised']} times"
