"""The command line of the site."""

import argparse
import sys
from pathlib import Path

from fercore import paths
from fercore.parameters import SOURCES, TIERS


def main(arguments: list[str] | None = None) -> int:
    """Build a site, check one that is built, or keep its pages."""
    parser = argparse.ArgumentParser(prog="python -m fercore.website", description="The site of all rendered pages.")
    place = paths.results() / "site"
    parser.add_argument("site", type=Path, nargs="?", default=place, help="its folder; otherwise results/site")
    parser.add_argument("--tier", choices=TIERS, default="twin", help="of the pages that are shown")
    parser.add_argument("--source", choices=SOURCES, default="twin", help="of the pages that are shown")
    parser.add_argument("--jobs", type=int, default=2, help="processes side by side")
    parser.add_argument("--check", action="store_true", help="only check links, pictures and, in Chromium, a few pages")
    parser.add_argument("--keep", action="store_true", help="only copy the rendered pages to results/rendered, stamped")
    chosen = parser.parse_args(arguments)
    if chosen.keep:
        return _keep(chosen.tier, chosen.source)
    return _check(chosen.site.resolve()) if chosen.check else _build(chosen)


def _build(chosen: argparse.Namespace) -> int:
    from fercore.website.build import SiteError, build

    try:
        about = build(chosen.site.absolute(), chosen.tier, chosen.source, chosen.jobs)
    except (SiteError, ValueError, OSError) as problem:
        print(f"Error: {problem}", file=sys.stderr)
        return 1
    for line in about["warnings"]:
        print(line, file=sys.stderr)
    shown = f"{about['rendered']} of {about['pages']} pages rendered, {about['runs']} runs"
    print(f"{chosen.site}/index.html: {shown}, {about['seconds']} s")
    return 0


def _keep(tier: str, source: str) -> int:
    from fercore.website.kept import KeepError, keep

    try:
        kept = keep(tier, source)
    except (KeepError, ValueError, OSError) as problem:
        print(f"Error: {problem}", file=sys.stderr)
        return 1
    size = sum(file.stat().st_size for file in kept)
    print(f"{len(kept)} files kept in results/rendered, {size / 1e6:.1f} MB")
    return 0


def _check(site: Path) -> int:
    from fercore.website import browser, check

    faults = check.faults_of(site)
    if browser.chromium() is None:
        print("no Chromium here (CHROMIUM=its path): only links and pictures were checked", file=sys.stderr)
    elif not faults:
        faults = browser.faults_of(site, browser.sample(site))
    print("\n".join(faults) if faults else f"{site}: no fault found")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
