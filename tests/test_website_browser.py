"""The site in a real Chromium, opened from disk: nothing fails, nothing leaves, everyone can read it."""

import os
import shutil

import pytest
from website_factories import RUN

from fercore.website import browser

ID = RUN.rsplit("/", 1)[1]
PAGES = ["index.html", "search.html", "gcnet/index.html", "gcnet/table2_ckplus7.html", "runs/gcnet.html",
         "code/fercore.html", "published/gcnet_table2.html"]  # fmt: skip

if browser.chromium() is None and os.environ.get("CI", "").lower() != "true":
    pytest.skip("no Chromium on this machine (CHROMIUM=its path)", allow_module_level=True)


@pytest.fixture(scope="module")
def chromium():
    with browser.opened() as one:
        yield one


@pytest.fixture
def tab(chromium, request):
    """A tab; parametrized by what its context is given."""
    with chromium.new_context(**getattr(request, "param", {})) as context:
        yield context.new_page()


@pytest.mark.parametrize("page", PAGES)
def test_nothing_fails_and_everyone_can_read_it(website, chromium, page):
    assert browser.faults_on(chromium, website / page) == []


def test_the_check_of_a_built_site_takes_a_page_of_every_folder(website):
    folders = {page.parent.relative_to(website).as_posix() for page in browser.sample(website)}
    assert folders == {".", "gcnet", "occluded", "runs", "code", "published"}


def test_the_check_sees_what_is_wrong(website, tmp_path, chromium):
    wrong = {
        "<script>nothing.at.all()</script>": "script: nothing is not defined",
        "<script>console.error('oh')</script>": "console: oh",
        "<img alt='a' src='http://127.0.0.1:9/a.png'>": "leaves: http://127.0.0.1:9/a.png",
        "<img alt='a' src='gone.png'>": "failed: file:",
        "<img src='../_static/file.png'>": "axe (light): image-alt",
        "<p style='color:#eee;background:#fff'>pale</p>": "axe (light): color-contrast",
        "<p style='color:#222;background:#111'>dim</p>": "axe (dark): color-contrast",
        "<div style='width:500px'>wide</div>": "px wide on a phone of 375",
    }
    page = shutil.copytree(website, tmp_path / "site") / "published" / "gcnet_table2.html"
    page.write_text(page.read_text().replace("</article>", "".join(wrong) + "</article>"))
    faults = browser.faults_on(chromium, page)
    assert [told for told in wrong.values() if not any(told in fault for fault in faults)] == []


@pytest.mark.parametrize("tab", [{"java_script_enabled": False, "viewport": browser.PHONE}], indirect=True)
def test_the_essentials_need_no_script(website, tab):
    tab.goto((website / "index.html").as_uri())
    seen = tab.locator("article").inner_text()
    assert "Can this paper be reproduced?" in seen and "Not rendered yet".lower() in seen
    assert all(tab.get_by_role("cell", name=number, exact=True).first.is_visible() for number in ("41", "7", "1 of 1"))
    tab.get_by_role("link", name="Table 2, CK+ 7 classes").first.click()
    assert tab.locator("h1").inner_text().startswith("GCNet, Table 2")
    assert tab.locator("math").first.is_visible() and tab.locator("article img").first.is_visible()


@pytest.mark.parametrize("tab", [{"java_script_enabled": False}], indirect=True)
def test_a_link_to_a_run_opens_its_record(website, tab):
    tab.goto((website / "gcnet" / "table2_ckplus7.html").as_uri())
    tab.get_by_text("their ids").click()
    tab.get_by_role("link", name=ID).click()
    assert tab.locator(f"[id='{ID}']").is_visible()
    assert not tab.locator("details.run dl").nth(0).is_visible()  # the other one stays folded


def test_search_works_from_disk(website, tab):
    tab.goto((website / "search.html").as_uri() + "?q=accuracy")
    found = tab.locator("#search-results li a").filter(has_text="GCNet, Table 2")
    found.first.wait_for(timeout=10_000)
    found.first.click()
    assert tab.url.split("#")[0].split("?")[0].endswith("gcnet/table2_ckplus7.html")
