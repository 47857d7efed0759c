"""What every kind of test shares: the repository, the sample events, the real media."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
MEDIA = REPOSITORY.parent / "shared" / "media"


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def media() -> Path:
    """The real videos and photos, no part of the project: a test without them skips, and says so."""
    if not (MEDIA / "manifest.json").is_file():
        pytest.skip("real media not found at ../shared/media")
    return MEDIA


@pytest.fixture(scope="session")
def event() -> Callable[[str], dict[str, Any]]:
    """Read `events/<function>/<case>.json`."""

    def read(name: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((REPOSITORY / "events" / f"{name}.json").read_text())
        return loaded

    return read


@pytest.fixture(autouse=True, scope="session")
def _no_real_account() -> None:
    """No test may ever use the credentials of whoever runs it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_EC2_METADATA_DISABLED="true",
        POWERTOOLS_METRICS_NAMESPACE="Sightline",
        POWERTOOLS_DEV="false",
    )
