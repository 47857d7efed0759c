"""docs/local.md says which test shows what: the tests must be there, and every type of resource in it."""

import re
from pathlib import Path

from sightline_local.deploy.table import RESOURCE_TYPES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/local.md").read_text()
FOLDERS = {"I": "integration/local", "U": "unit/local", "C": "contract/local", "A": "contract/aws"}


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"`([AIUC])/([^`]+\.py)`", PAGE)
    assert len(named) > 40
    missing = [path for folder, path in named if not (ROOT / "tests" / FOLDERS[folder] / path).is_file()]
    assert missing == []


def test_the_page_names_every_type_of_resource() -> None:
    missing = [name for name in RESOURCE_TYPES if f"`{name}`" not in PAGE and not _beside(name)]
    assert missing == []


def _beside(name: str) -> bool:
    """`AWS::SNS::Topic`, `Subscription`: what follows in the same row leaves its service out."""
    service, kind = name.rsplit("::", 1)
    return any(f"`{service}::" in row and f"`{kind}`" in row for row in PAGE.splitlines())
