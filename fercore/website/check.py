"""What must hold of a built site, by reading its files: links and anchors lead somewhere, pictures have a text."""

import os
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}
WANTED = {"stylesheet", "icon", "shortcut", "preload", "prefetch", "modulepreload", "preconnect", "dns-prefetch"}


class Reading(HTMLParser):
    """Anchors, links, what is loaded and pictures without text of one page."""

    def __init__(self, text: str):
        super().__init__()
        self.anchors: set[str] = set()
        self.repeated: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.silent: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if own := found.get("id"):
            self.repeated += [own] * (own in self.anchors)
            self.anchors.add(own)
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "img" and not found.get("alt", "").strip():
            self.silent.append(found.get("src", "")[:80])
        if tag in LOADED and (address := found.get(LOADED[tag])):
            wanted = tag != "link" or set(found.get("rel", "").split()) & WANTED
            (self.loaded if wanted else self.links).append(address)


def faults_of(site: Path) -> list[str]:
    """Everything wrong in the files of ``site``, one line each."""
    site, present = site.resolve(), cache(os.path.isfile)
    pages = sorted(site.rglob("*.html"))
    if site / "index.html" not in pages:
        return [f"{site} has no index.html"]
    reading = cache(lambda file: Reading(Path(file).read_text()))
    faults = []
    for page in pages:
        name, own = page.relative_to(site), reading(str(page))
        faults += [f"{name}: a picture without text: {source}" for source in own.silent]
        faults += [f"{name}: the anchor {anchor} stands twice" for anchor in own.repeated]
        faults += [f"{name}: loads {one} from elsewhere" for one in own.loaded if _outside(one)]
        why = {one: _broken(page, one, site, present, reading) for one in own.links + own.loaded}
        faults += [f"{name}: leads to {one}, which {reason}" for one, reason in why.items() if reason]
    return faults


def _outside(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def _broken(page: Path, address: str, site: Path, present: Callable, reading: Callable) -> str:
    """Why a link within the site leads nowhere; empty where it is well, or leads elsewhere."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return ""
    target = os.path.normpath(page.parent / unquote(parts.path)) if parts.path else str(page)
    if not target.startswith(f"{site}{os.sep}"):
        return "is outside the site"
    if not present(target):
        return "does not exist"
    anchor = unquote(parts.fragment)
    if anchor and target.endswith(".html") and anchor not in reading(target).anchors:
        return "has no such anchor"
    return ""
