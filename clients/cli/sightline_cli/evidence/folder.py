"""Evidence in a folder: is every file what the manifest says it was?"""

import json
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

from sightline_cli.errors import CliError

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Finding:
    """One file: `ok`, `changed`, `missing`, `unlisted` or `not collected`, and why."""

    name: str
    verdict: str
    detail: str = ""

    @property
    def is_bad(self) -> bool:
        return self.verdict in {"changed", "missing"}


@dataclass(frozen=True, slots=True)
class Verified:
    """What a folder proved to be."""

    alert_id: str
    status: str
    manifest_sha256: str
    findings: tuple[Finding, ...]

    @property
    def is_ok(self) -> bool:
        return not any(each.is_bad for each in self.findings)


def verify(folder: Path) -> Verified:
    """Recompute the hash of every file; CliError when there is no manifest that can be read."""
    manifest = read_manifest(folder / MANIFEST)
    listed = [_check(folder, each) for each in manifest["files"]]
    names = {MANIFEST, *(each.name for each in listed)}
    unlisted = [
        Finding(path.name, "unlisted", "the manifest does not know it")
        for path in sorted(folder.iterdir())
        if path.name not in names
    ]
    absent = [Finding(name, "not collected", str(why)) for name, why in sorted(manifest["missing"].items())]
    return Verified(
        str(manifest["alert_id"]),
        str(manifest["status"]),
        _sha256(folder / MANIFEST),
        (*listed, *absent, *unlisted),
    )


def read_manifest(path: Path) -> dict[str, Any]:
    """A manifest of a version that is known here."""
    if not path.is_file():
        raise CliError(f"{path.parent} has no {MANIFEST}: it is no folder of evidence")
    try:
        manifest = json.loads(path.read_bytes())
        named = {"alert_id", "status", "files", "missing"} <= manifest.keys()
        names = [each["name"] for each in manifest["files"]] if named else []
        _ = [(each["sha256"], each["size_bytes"]) for each in manifest["files"]] if named else []
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CliError(f"{path} is no manifest that can be read") from error
    if not named or manifest.get("schema_version") != 1:
        raise CliError(f"{path} is no manifest of evidence in schema version 1")
    # A manifest comes from elsewhere: it may not send us to files outside of its folder.
    if strange := [name for name in names if Path(str(name)).name != name]:
        raise CliError(f"{path} names a file outside of its folder: {strange[0]}")
    return dict(manifest)


def _check(folder: Path, listed: dict[str, Any]) -> Finding:
    name, path = listed["name"], folder / listed["name"]
    if not path.is_file():
        return Finding(name, "missing", "the manifest lists it, the folder does not have it")
    size = path.stat().st_size
    if size != listed["size_bytes"]:
        return Finding(name, "changed", f"it has {size} bytes, the manifest says {listed['size_bytes']}")
    if (found := _sha256(path)) != listed["sha256"]:
        return Finding(name, "changed", f"its SHA-256 is {found}, the manifest says {listed['sha256']}")
    return Finding(name, "ok")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
