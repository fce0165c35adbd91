"""The system's Chromium, headless, for tests of pages that are opened from disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

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


@dataclass
class Shown:
    """What is opened, and whatever it did beyond showing itself."""

    page: Page
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


class Tab:
    """One page for all tests of a module: a page of its own takes a second of CPU, for a process."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.page = self._page(permissions=["clipboard-read", "clipboard-write"])

    def _page(self, **settings: Any) -> Page:
        context = self.browser.new_context(**settings)
        context.set_default_timeout(60_000)  # milliseconds; CI machines are shared
        return context.new_page()

    @contextmanager
    def opened(
        self,
        url: str,
        *,
        viewport: tuple[int, int] = (1280, 720),
        dark: bool = False,
        scripts: bool = True,
    ) -> Iterator[Shown]:
        """Open an address. What the page logs and asks for is heard until the end."""
        page = self.page if scripts else self._page(java_script_enabled=False)
        width, height = viewport
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(media="null", color_scheme="dark" if dark else "light")
        shown = Shown(page)
        hears: dict[Any, Any] = {
            "console": lambda message: shown.messages.append(message.text),
            "pageerror": lambda error: shown.messages.append(str(error)),
            "request": lambda request: shown.requests.append(request.url),
        }
        for event, heard in hears.items():
            page.on(event, heard)
        page.goto(url)
        try:
            yield shown
        finally:
            for event, heard in hears.items():
                page.remove_listener(event, heard)
            if not scripts:
                page.context.close()
