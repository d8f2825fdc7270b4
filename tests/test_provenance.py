"""What a result says of the code that made it."""

import re
import shutil
import subprocess
from importlib.metadata import version

import pytest

from fercore import paths, provenance


@pytest.fixture
def forgetful():
    """No answer of this process is remembered, before and after."""
    for remembered in (provenance.source_digest, provenance.commit):
        remembered.cache_clear()
    yield
    for remembered in (provenance.source_digest, provenance.commit):
        remembered.cache_clear()


@pytest.fixture
def package(tmp_path, monkeypatch, forgetful):
    """A copy of the whole package."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(paths.ROOT / "fercore", tmp_path / "fercore", ignore=ignored)
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    return tmp_path / "fercore"


def digest_now() -> str:
    provenance.source_digest.cache_clear()
    return provenance.source_digest("gcnet")


@pytest.mark.parametrize("file", [
    "losses/reconstruction.py", "schedules.py", "faces/protocols.py", "faces/examples.py", "papers/gcnet.py",
    "twins/renderer.py",
])  # fmt: skip
def test_digest_follows_the_training_code(package, file):
    before = digest_now()
    (package / file).write_text((package / file).read_text() + "# changed\n")
    assert digest_now() != before


@pytest.mark.parametrize("file", [
    "figures/page.py", "figures/faces.py", "tables/scores.py", "ablation.py", "pages.py", "site.py", "references.py",
    "classical.py", "published.py", "train.py",
])  # fmt: skip
def test_digest_does_not_follow_code_that_only_shows_results(package, file):
    before = digest_now()
    (package / file).write_text((package / file).read_text() + "# changed\n")
    assert digest_now() == before


def test_digest_follows_a_new_file_but_not_another_paper_nor_compiled_files(package):
    before = digest_now()
    (package / "papers" / "another.py").write_text("VARIANTS = {}\n")
    (package / "losses" / "__pycache__").mkdir()
    (package / "losses" / "__pycache__" / "contrastive.cpython-311.pyc").write_bytes(b"compiled")
    assert digest_now() == before
    (package / "losses" / "another.py").write_text("changed = True\n")
    assert digest_now() != before


def test_digest_is_short_and_repeats():
    assert re.fullmatch(r"[0-9a-f]{12}", provenance.source_digest("gcnet"))
    assert provenance.source_digest("gcnet") == provenance.source_digest("gcnet")


@pytest.fixture
def repository(package, monkeypatch):
    """The copied package as a repository with one commit."""
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    for variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(variable, raising=False)
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false"]
    (package.parent / "README.md").write_text("about\n")
    (package.parent / "results" / "published").mkdir(parents=True)
    (package.parent / "results" / "published" / "claims.csv").write_text("claim\n")
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "first"]):
        subprocess.run(["git", "-C", package.parent, *words], check=True, capture_output=True)
    return package.parent


@pytest.mark.parametrize("file", ["fercore/method.py", "results/published/claims.csv"])
def test_commit_is_ten_digits_and_says_whether_what_makes_results_differs(repository, file):
    head = provenance.commit()
    assert re.fullmatch(r"[0-9a-f]{10}", head)
    (repository / "README.md").write_text("changed\n")
    provenance.commit.cache_clear()
    assert provenance.commit() == head
    (repository / "results" / "tables.csv").write_text("made, not read\n")
    provenance.commit.cache_clear()
    assert provenance.commit() == head
    (repository / file).write_text("changed = True\n")
    provenance.commit.cache_clear()
    assert provenance.commit() == head + "+changes"


@pytest.mark.parametrize(("told", "named"), [
    ("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: Other\n", "Some CPU @ 2 GHz"),
    ("model name\t: \n", "that of Python"), (None, "that of Python"),
])  # fmt: skip
def test_the_processor_is_named_by_its_model_or_as_python_knows_it(monkeypatch, told, named):
    def read(path, *_):
        if told is None:
            raise FileNotFoundError(path)
        return told

    monkeypatch.setattr(provenance.Path, "read_text", read)
    monkeypatch.setattr(provenance.platform, "processor", lambda: "that of Python")
    assert provenance.processor.__wrapped__().startswith(f"{named} (")


def test_commit_outside_a_repository_is_unknown(tmp_path, monkeypatch, forgetful):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    assert provenance.commit() == "unknown"


def test_commit_without_git_is_unknown(tmp_path, monkeypatch, forgetful):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.commit() == "unknown"


def test_versions_are_those_of_the_packages(monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGES", ("numpy", "no-such-package-here"))
    assert provenance.versions() == {"numpy": version("numpy"), "no-such-package-here": "absent"}
