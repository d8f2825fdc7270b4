"""What must hold of a site in a real browser, opened from disk: nothing fails, nothing leaves, everyone can read it."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE, DESK = {"width": 375, "height": 812}, {"width": 1280, "height": 900}
GRAVE = ("serious", "critical")  # axe-core's words


def chromium() -> str | None:
    """The machine's own Chromium (``CHROMIUM`` overrides), or None."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def opened() -> Iterator:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses root otherwise
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def sample(site: Path) -> list[Path]:
    """The front page, the search, and of every folder the page of middle size."""
    folders = [sorted(folder.glob("*.html"), key=lambda page: page.stat().st_size) for folder in sorted(site.iterdir())]
    return [site / "index.html", site / "search.html", *(pages[len(pages) // 2] for pages in folders if pages)]


def faults_of(site: Path, pages: Iterable[Path]) -> list[str]:
    """Everything wrong with ``pages`` of ``site``, one line each: errors, requests, width, accessibility."""
    with opened() as browser:
        return [f"{page.relative_to(site)}: {fault}" for page in pages for fault in faults_on(browser, page)]


def faults_on(browser, page: Path) -> list[str]:
    """The same of one page, in a browser that is open."""
    return _seen(browser, page) + _on_a_phone(browser, page)


def _seen(browser, page: Path) -> list[str]:
    """Errors, requests that failed or left, and what axe-core finds grave, light and dark."""
    with browser.new_context(viewport=DESK, color_scheme="light") as context:
        tab, faults = context.new_page(), []
        tab.on("console", lambda said: faults.append(f"console: {said.text}") if said.type == "error" else None)
        tab.on("pageerror", lambda error: faults.append(f"script: {error}"))
        tab.on("requestfailed", lambda request: faults.append(f"failed: {request.url}"))
        tab.on("request", lambda request: faults.append(f"leaves: {request.url}") if _leaves(request.url) else None)
        tab.goto(page.as_uri(), wait_until="load")
        faults += _inaccessible(tab, "light", {})
        tab.emulate_media(color_scheme="dark")
        return faults + _inaccessible(tab, "dark", {"runOnly": ["color-contrast"]})  # nothing else depends on colours


def _inaccessible(tab, scheme: str, only: dict) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    # preload: axe would fetch style sheets, which browsers refuse to pages opened from disk
    found = Axe().run(tab, options={"resultTypes": ["violations"], "preload": False, **only}).response["violations"]
    return [
        f"axe ({scheme}): {one['id']}, {one['help']}, {len(one['nodes'])} times: {one['nodes'][0]['html'][:200]}"
        for one in found
        if one["impact"] in GRAVE
    ]


def _leaves(address: str) -> bool:
    return not address.startswith(("file:", "data:", "blob:"))


def _on_a_phone(browser, page: Path) -> list[str]:
    """Whether the page is wider than a phone; scripts off."""
    with browser.new_context(viewport=PHONE, java_script_enabled=False) as context:
        tab = context.new_page()
        tab.goto(page.as_uri(), wait_until="load")
        # the theme lets what is too wide scroll with the whole article: its own width counts as well
        places = tab.locator("html, body, article")
        wide = max(places.evaluate_all("found => found.map(one => one.scrollWidth)"))
        return [f"{wide} px wide on a phone of {PHONE['width']}"] if wide > PHONE["width"] else []
