"""Where the lines of the two figures go: the lifecycle and the time line. Pure geometry, no markup.

Derives from the record alone. Words stand in the figures as in the tables beside them; a verdict
shows as a word and as a style of line, so that neither colour nor shape is needed to read it.
"""

from __future__ import annotations

from typing import Any

from cancel_contracts.report.text import count
from cancel_contracts.windows import within

# The lifecycle: boxes on the left, the state after a cancel on the right. It fits a telephone.
LIFE_WIDTH = 440
BOX_X, BOX_WIDTH, BOX_HEIGHT = 1, 186, 20
ROW_HEIGHT, HEAD_HEIGHT = 24, 20
AFTER_X, AFTER_WIDTH, BAR_X = 336, 103, 332
# The time line: a plot above two lanes of strokes, one for each request.
WIDTH = 760
PLOT_LEFT, PLOT_RIGHT, PLOT_TOP, PLOT_BOTTOM = 52, 744, 18, 128
CANCEL_LANE, OBSERVE_LANE, LANE_HEIGHT, TIMELINE_HEIGHT = 144, 166, 14, 214
TICKS = (1, 2, 5)
LINE_HEIGHT = 15  # of several in a box
SPANS = {60: "minute", 3600: "hour"}


def lifecycle(contract: dict[str, Any]) -> dict[str, Any]:
    """Return the rows of the lifecycle's figure: a state, and the line that leaves it."""
    life = contract["lifecycle"]
    rows, y = [], HEAD_HEIGHT
    heads = [{"y": y - 6, "text": "can be cancelled"}]
    states = {s["name"]: s for s in life["states"]}
    for name in life["cancellable"]:
        rows.append(_row(states[name], y, AFTER_X))
        y += ROW_HEIGHT
    lines = [*(life["after"] or ["a state that", "no page names"]), *_on_the_way(life)]
    beside = y - HEAD_HEIGHT - (ROW_HEIGHT - BOX_HEIGHT)
    after = {
        "y": HEAD_HEIGHT,
        "height": max(BOX_HEIGHT, beside, LINE_HEIGHT * len(lines)),
        "lines": lines,
    }
    y += HEAD_HEIGHT
    if life["final"]:
        heads.append({"y": y - 6, "text": "final: a cancel is refused"})
    for name in life["final"]:
        rows.append(_row(states[name], y, BAR_X))
        y += ROW_HEIGHT
    return {
        "height": y,
        "rows": rows,
        "heads": heads,
        "after": after if life["cancellable"] else None,
    }


def _on_the_way(life: dict[str, Any]) -> list[str]:
    """Return what may show before the state after a cancel, and how long."""
    between = [f"via {state}" for state in life.get("through", ())]
    within = life.get("within")
    return between + ([f"within {within:g} s"] if within is not None else [])


def _row(state: dict[str, Any], y: int, end: int) -> dict[str, Any]:
    told = ", ".join(map(str, state["answers"]))
    label = state["verdict"] + (f" · {told}" if told else "")
    refused = ""
    if state["kind"] == "final" and state["answers"]:
        classes = {answer // 100 for answer in state["answers"]}
        refused = "refused" if classes == {4} else "not refused" if 2 in classes else ""
    middle = y + BOX_HEIGHT // 2
    start = BOX_X + BOX_WIDTH
    return state | {
        "y": y,
        "middle": middle,
        "start": start,
        "end": end,
        "centre": (start + end) // 2,
        "label": label,
        "refused": refused,
    }


def span(seconds: int) -> str:
    return SPANS.get(seconds, f"{seconds} seconds")


def timeline(contract: dict[str, Any]) -> dict[str, Any]:
    """Return the strokes, the curve of calls within the quota's window, and the axes."""
    requests, quotas = contract["timeline"]["requests"], contract["timeline"]["quotas"]
    last = max((r[0] for r in requests), default=0.0) or 0.001
    calls = [r[0] for r in requests if r[1] == "cancel"]
    tight = max(quotas, key=lambda q: q["peak"] / q["calls"], default=None)
    inside = within(calls, tight["seconds"] if tight else float("inf"))
    top = max([*inside, tight["calls"] if tight else 1, 1])

    def across(seconds: float) -> float:
        return round(PLOT_LEFT + (PLOT_RIGHT - PLOT_LEFT) * seconds / last, 1)

    def up(number: float) -> float:
        return round(PLOT_BOTTOM - (PLOT_BOTTOM - PLOT_TOP) * number / top, 1)

    points = [(PLOT_LEFT, up(0))]
    for moment, number in zip(calls, inside, strict=True):
        # Calls within one pixel are one point, the last of them.
        x = round(across(moment))
        if points[-1][0] == x:
            points[-1] = (x, up(number))
        else:
            points += [(x, points[-1][1]), (x, up(number))]
    throttled = [across(r[0]) for r in requests if r[2] == 429]
    return {
        "points": " ".join(f"{x},{y}" for x, y in points),
        "cancels": sorted({round(across(s)) for s in calls}),
        "observes": sorted({round(across(r[0])) for r in requests if r[1] == "observe"}),
        "throttled": sorted(set(throttled)),
        "quota_y": up(tight["calls"]) if tight else None,
        "quota": f"{tight['calls']:,} per {span(tight['seconds'])}" if tight else None,
        "x_ticks": [(across(s), f"{s:g} s") for s in ticks(last)],
        "y_ticks": sorted({(up(n), f"{n:,}") for n in (0, max(inside, default=0))}),
        "throttlings": count(len(throttled), "answer") if throttled else None,
    }


def ticks(last: float) -> list[float]:
    """Return round numbers from 0 up to `last`, four to eight of them."""
    step = 10.0**-4
    while True:
        for factor in TICKS:
            if last / (step * factor) <= 7:
                return [round(i * step * factor, 6) for i in range(int(last / (step * factor)) + 1)]
        step *= 10
