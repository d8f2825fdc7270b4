"""pyproject.toml, requirements.lock and environment.yml tell the same story."""

import re
import subprocess
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from fercore.paths import ROOT


def project_of(text: str) -> dict:
    return tomllib.loads(text)["project"]


def direct(project: dict) -> list[Requirement]:
    extras = project["optional-dependencies"].values()
    return [Requirement(line) for group in (project["dependencies"], *extras) for line in group]


def pins(lock: str) -> dict[str, list[Version]]:
    found: dict[str, list[Version]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock, re.MULTILINE):
        found.setdefault(canonicalize_name(name), []).append(Version(version))
    return found


def disagreements(pyproject: str, lock: str, environment: str) -> list[str]:
    """Everything in which the three files differ, in words."""
    project, locked, conda = project_of(pyproject), pins(lock), yaml.safe_load(environment)
    found = []
    for wanted in direct(project):
        versions = locked.get(canonicalize_name(wanted.name), [])
        if not versions:
            found.append(f"{wanted.name} is not locked")
        wrong = [one for one in versions if one not in wanted.specifier]
        found += [f"{wanted.name}=={one} is locked, {wanted} is asked" for one in wrong]
    blocks = re.split(r"\n(?=\S)", lock.strip())
    found += [f"no hash: {block.splitlines()[0]}" for block in blocks if "--hash=sha256:" not in block]
    found += [f"an address stands in the lock: {line}" for line in lock.splitlines() if "://" in line]
    found += [f"an option stands in the lock: {line}" for line in lock.splitlines() if line.startswith(("-", "#"))]
    found += _conda_disagreements(project, locked, conda)
    return found


def _conda_disagreements(project: dict, locked: dict, conda: dict) -> list[str]:
    packages = dict(re.match(r"([\w-]+)\s*(.*)", line).groups() for line in conda["dependencies"])
    found = [f"{name} comes from conda and from the lock" for name in packages if canonicalize_name(name) in locked]
    offered = SpecifierSet(packages.get("python", ""))
    allowed = SpecifierSet(project["requires-python"])
    face_mesh = next(one for one in direct(project) if one.name == "mediapipe")
    for minor in range(8, 20):
        if Version(f"3.{minor}") not in offered:
            continue
        if Version(f"3.{minor}") not in allowed:
            found.append(f"conda offers Python 3.{minor}, the project asks {allowed}")
        if not face_mesh.marker.evaluate({"python_version": f"3.{minor}"}):
            found.append(f"conda offers Python 3.{minor}, where mediapipe is missing")
    if not any(Version(f"3.{minor}") in offered for minor in range(8, 20)) or "uv" not in packages:
        found.append("conda offers no Python or no uv")
    return found


@pytest.fixture(scope="module")
def files() -> tuple[str, str, str]:
    return tuple((ROOT / name).read_text() for name in ("pyproject.toml", "requirements.lock", "environment.yml"))


def test_the_three_files_agree(files):
    assert disagreements(*files) == []


@pytest.mark.parametrize(
    ("which", "before", "after", "complaint"),
    [
        (0, '"tqdm>=', '"no-such-package", "tqdm>=', "no-such-package is not locked"),
        (0, "torch==2.12.1", "torch==2.13.0", "torch==2.12.1 is locked"),
        (0, "opencv-contrib-python<5", "opencv-contrib-python<4", "is asked"),
        (0, '">=3.11"', '">=3.12"', "conda offers Python 3.11"),
        (1, "torch==2.12.1", "torch==2.11.0", "torch==2.11.0 is locked"),
        (1, "absl-py==", "--index-url https://example.invalid\nabsl-py==", "an address stands in the lock"),
        (1, "absl-py==", "bare==1.0\nabsl-py==", "no hash: bare==1.0"),
        (2, "<3.13", "<3.14", "where mediapipe is missing"),
        (2, "- git", "- numpy", "numpy comes from conda and from the lock"),
        (2, "- uv", "- curl", "no uv"),
    ],
)
def test_a_broken_copy_is_noticed(files, which, before, after, complaint):
    assert before in files[which]
    broken = list(files)
    broken[which] = files[which].replace(before, after, 1)
    assert any(complaint in line for line in disagreements(*broken))


def test_torch_and_torchvision_are_the_matching_pair(files):
    """torchvision 0.N+15 goes with torch 2.N: each torchvision wheel asks for exactly one torch."""
    from importlib.metadata import requires

    locked = pins(files[1])
    asked = [Requirement(line) for line in requires("torchvision") if Requirement(line).name == "torch"]
    assert all(locked["torch"][0] in one.specifier for one in asked) and asked


def test_the_installed_environment_is_the_locked_one(files):
    from importlib.metadata import version

    locked = pins(files[1])
    for name in ("torch", "numpy", "pandas", "papermill", "snakemake", "nbconvert"):
        assert Version(version(name).split("+")[0]) in locked[name]


def test_make_alone_lists_what_a_reader_can_do():
    described = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(f"make {target}" in described for target in ("reproduce", "test", "lab", "folds", "london", "bench"))


def test_a_python_that_is_too_old_is_named_in_one_line(tmp_path):
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.8.1" || exit 1\n')
    old.chmod(0o755)
    done = subprocess.run(
        [ROOT / ".ci" / "environment", tmp_path / "env"],
        env={"PYTHON": str(old), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1 and not (tmp_path / "env").exists()
    assert done.stderr.count("\n") == 1 and "Python >= 3.11" in done.stderr and "3.8.1" in done.stderr
