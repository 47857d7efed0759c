"""`sightline evidence`: what is said about a folder of evidence."""

import json
from pathlib import Path

from sightline_cli.errors import FAILED
from sightline_cli.evidence.fetch import fetch
from sightline_cli.evidence.folder import Verified, verify
from sightline_cli.stack import Stack


def run_verify(folder: Path, *, as_json: bool) -> int:
    """1 when a file was changed or is missing."""
    verified = verify(folder)
    if as_json:
        _print_json(verified)
    else:
        _print_lines(verified)
    return 0 if verified.is_ok else FAILED


def run_fetch(stack: Stack, *, alert_id: str, to: Path, as_json: bool) -> int:
    """Fetch, and verify what came."""
    folder = fetch(stack, alert_id, to)
    if not as_json:
        print(folder)
    return run_verify(folder, as_json=as_json)


def _print_lines(verified: Verified) -> None:
    width = max((len(each.verdict) for each in verified.findings), default=0)
    for each in verified.findings:
        print(f"{each.verdict:{width}}  {each.name}" + (f": {each.detail}" if each.detail else ""))
    bad = sum(each.is_bad for each in verified.findings)
    good = sum(each.verdict == "ok" for each in verified.findings)
    if bad:
        print(f"{verified.alert_id}: NOT as collected, {bad} of {bad + good} files changed or missing")
    else:
        print(f"{verified.alert_id}: {good} files, all as collected ({verified.status})")
    print(f"manifest.json itself has the SHA-256 {verified.manifest_sha256}")


def _print_json(verified: Verified) -> None:
    for each in verified.findings:
        about = {"name": each.name, "verdict": each.verdict.replace(" ", "_"), "detail": each.detail}
        print(json.dumps({"event": "file", **about}))
    summary = {
        "alert_id": verified.alert_id,
        "status": verified.status,
        "manifest_sha256": verified.manifest_sha256,
        "ok": verified.is_ok,
    }
    print(json.dumps({"event": "summary", **summary}))
