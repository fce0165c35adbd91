"""The system's Chromium, headless, for tests of pages that are opened from disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# The parameter of a fixture that starts it: a test without the program fails, unless it is left out by its mark.
CHROMIUM = pytest.param(NAMES, marks=pytest.mark.outside("|".join(NAMES)), id="chromium")

# The contrast of WCAG 2.1, 1.4.3, computed from what the browser would paint.
CONTRAST = """
() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (colour) => rgb(colour)
    .map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$|transparent/.test(colour)) return colour;
    }
    return "white";
  };
  const poor = [];
  for (const details of document.querySelectorAll("details")) {
    details.removeAttribute("name"); // else one at a time is open
    details.hidden = false;
    details.open = true;
  }
  for (const element of document.querySelectorAll("body *:not(script):not(style)")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const colour = element.closest("svg") ? style.fill : style.color;
    const [a, b] = [luminance(colour), luminance(behind(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) {
      poor.push(`${element.tagName} ${element.className} ${colour} ${behind(element)}`);
    }
  }
  return [...new Set(poor)];
}
"""


@contextmanager
def started(names: Sequence[str]) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    executable = next(path for name in names if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        # Root has no sandbox; the page is ours.
        found = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield found
        found.close()
