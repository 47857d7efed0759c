"""The tree says what it means, and the documents say what is true."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

PACKAGES = ["layers", "libs", "clients", "local", "functions", "containers", "benchmarks"]
SAYS_NOTHING = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "manager",
    "base",
    "misc",
    "core",
    "shared",
    "data",
}


def _modules(repository: Path) -> list[Path]:
    return [
        path
        for package in PACKAGES
        for path in (repository / package).rglob("*.py")
        if not {"build", ".aws-sam"} & set(path.relative_to(repository).parts)
    ]


def test_no_module_has_a_name_that_says_nothing(repository: Path) -> None:
    for path in _modules(repository):
        words = {part.removesuffix(".py") for part in path.relative_to(repository).parts}

        assert not SAYS_NOTHING & words, path


def test_no_module_is_longer_than_three_hundred_lines(repository: Path) -> None:
    long = {str(path): n for path in _modules(repository) if (n := len(path.read_text().splitlines())) > 300}

    assert long == {}


def test_every_module_says_what_it_is_for(repository: Path) -> None:
    texts = {str(path): path.read_text().strip() for path in _modules(repository)}

    silent = [path for path, text in texts.items() if text and not text.startswith('"""')]

    assert silent == []


def test_the_environment_is_read_in_settings_only(repository: Path) -> None:
    for root in ["layers/domain/sightline", "functions"]:
        for path in (repository / root).rglob("*.py"):
            if path.name != "settings.py":
                assert not re.search(r"os\.environ|getenv", path.read_text()), path


def test_every_sample_event_is_used_by_a_test(repository: Path) -> None:
    tests = "\n".join(path.read_text() for path in (repository / "tests").rglob("*.py"))

    unused = [str(path) for path in (repository / "events").rglob("*.json") if path.stem not in tests]

    assert unused == []


def test_the_readme_maps_every_folder(repository: Path) -> None:
    readme = (repository / "README.md").read_text()
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=repository, capture_output=True, text=True, check=False
    ).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")

    folders = {path.split("/")[0] for path in tracked if "/" in path and not path.startswith(".")}

    assert [folder for folder in sorted(folders) if f"[`{folder}/`]" not in readme] == []


def test_every_link_in_the_documents_leads_somewhere(repository: Path) -> None:
    for page in [*repository.glob("*.md"), *(repository / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_architecture_page_names_every_function(template: dict[str, Any], repository: Path) -> None:
    page = (repository / "docs" / "architecture.md").read_text()

    for name, resource in template["Resources"].items():
        if resource["Type"] in {"AWS::Serverless::Function", "AWS::Serverless::StateMachine"}:
            assert f"`{name}`" in page, name


def test_a_decision_fits_on_a_page(repository: Path) -> None:
    for path in (repository / "docs" / "decisions").glob("*.md"):
        text = path.read_text()

        assert len(text.splitlines()) <= 40, path.name
        for part in ["**Context.**", "**Decision.**", "**Consequences.**", "**Alternatives.**", "Date: "]:
            assert part in text, f"{path.name} lacks {part}"


def test_every_make_target_in_the_documents_exists(repository: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (repository / "Makefile").read_text(), re.MULTILINE))

    for page in [*repository.glob("*.md"), *(repository / "docs").rglob("*.md")]:
        for target in re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)`", page.read_text(), re.MULTILINE):
            assert set(target) - {""} <= targets, f"{page.name}: make {target}"
