"""The Atom feed of a board: an entry for each run that changed something, the newest first."""

from __future__ import annotations

import html
import uuid
from collections.abc import Sequence
from io import StringIO

from feedgenerator import Atom1Feed

from cancel_contracts import TOOL
from cancel_contracts.board.reading import moment
from cancel_contracts.board.targets import Step, Target
from cancel_contracts.report.text import count

ENTRIES = 100
SHOWN_CHANGES = 50  # of one run
NAME = "changes.atom"


def atom(found: Sequence[Target], title: str) -> str:
    """Return the feed (RFC 4287). Addresses in it are relative to its own."""
    feed = Atom1Feed(
        title=f"{title}: changes",
        link="index.html",
        feed_url=NAME,
        feed_guid=_id(title),
        author_name=TOOL,
        description="What each run changed, target by target.",
    )
    steps = [(target, step) for target in found for step in target.steps if step.tells]
    steps.sort(key=lambda pair: moment(pair[1].run), reverse=True)
    for target, step in steps[:ENTRIES]:
        at = moment(step.run)
        feed.add_item(
            title=_title(target, step),
            link=f"index.html#{target.anchor}",
            description=_summary(step),
            unique_id=_id(f"{target.name} {step.run.started} {step.run.suite}"),
            pubdate=at,
            updateddate=at,
        )
    text = StringIO()
    feed.write(text, "utf-8")
    return text.getvalue()


def _id(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{TOOL} board: {name}").urn


def _title(target: Target, step: Step) -> str:
    name = f"{target.name} {step.run.version}" if step.run.version else target.name
    if step.first:
        return f"{name}: the first run, {step.run.outcome}"
    worse = f", {step.worse} for the worse" if step.worse else ""
    return f"{name}: {count(len(step.changes), 'change')}{worse}; {step.run.outcome}"


def _summary(step: Step) -> str:
    """Return what the run came to and changed, as HTML."""
    run = step.run
    figures = (
        f"kept {step.kept.count} of {step.kept.of}, covered {step.covered.count} of"
        f" {step.covered.of} must-clauses (suite {run.suite})"
    )
    rows = [*step.beside, *(change.sentence() for change in step.changes[:SHOWN_CHANGES])]
    if (more := len(step.changes) - SHOWN_CHANGES) > 0:
        rows.append(f"and {more} more")
    told = "".join(f"<li>{html.escape(row)}</li>" for row in rows)
    return f"<p>{html.escape(figures)}</p>" + (f"<ul>{told}</ul>" if told else "")
