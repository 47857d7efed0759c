"""A folder of evidence is what it was, or the program says what is not."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sightline_cli.app import main
from sightline_cli.errors import CliError, MisuseError
from sightline_cli.evidence.fetch import fetch

FILES = {"frame.jpg": b"a picture", "clip.mp4": b"a clip"}
SHA = hashlib.sha256


def a_manifest(**changes: Any) -> bytes:
    files = [
        {"name": name, "sha256": SHA(content).hexdigest(), "size_bytes": len(content)}
        for name, content in FILES.items()
    ]
    manifest = {"schema_version": 1, "alert_id": "al-1", "status": "complete", "files": files, "missing": {}}
    return json.dumps(manifest | changes).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in {**FILES, "manifest.json": a_manifest()}.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def verified(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    code = main(["evidence", "verify", str(folder)])
    return code, capsys.readouterr().out.splitlines()


def test_evidence_that_nobody_touched_is_said_to_be_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = verified(folder, capsys)

    assert code == 0
    assert lines[:3] == ["ok  frame.jpg", "ok  clip.mp4", "al-1: 2 files, all as collected (complete)"]
    assert SHA(a_manifest()).hexdigest() in lines[3]


@pytest.mark.parametrize("content", [b"a Picture", b"a longer picture"])
def test_a_changed_file_is_named(folder: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    (folder / "frame.jpg").write_bytes(content)

    code, lines = verified(folder, capsys)

    assert code == 1
    assert lines[0].startswith("changed  frame.jpg: ")
    assert lines[2] == "al-1: NOT as collected, 1 of 2 files changed or missing"


def test_a_missing_file_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "clip.mp4").unlink()

    code, lines = verified(folder, capsys)

    assert code == 1
    assert lines[1].startswith("missing  clip.mp4")


def test_what_was_never_collected_and_what_came_later_is_said_and_no_error(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "manifest.json").write_bytes(a_manifest(missing={"thumbnail.jpg": "no video"}))
    (folder / "notes.txt").write_text("mine")

    code, lines = verified(folder, capsys)

    assert code == 0
    assert "not collected  thumbnail.jpg: no video" in lines
    assert "unlisted       notes.txt: the manifest does not know it" in lines


@pytest.mark.parametrize(
    "manifest",
    [
        None,
        b"{",
        b"[]",
        b"{}",
        a_manifest(schema_version=2),
        a_manifest(files=[{}]),
        a_manifest(files=[{"name": "../secret", "sha256": "0", "size_bytes": 1}]),
    ],
)
def test_a_folder_without_a_good_manifest_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], manifest: bytes | None
) -> None:
    (folder / "manifest.json").unlink()
    if manifest is not None:
        (folder / "manifest.json").write_bytes(manifest)

    assert main(["evidence", "verify", str(folder)]) == 1

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("sightline: ")
    assert said.err.count("\n") == 1


def test_json_has_a_line_for_each_file_and_a_summary(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "clip.mp4").unlink()

    assert main(["evidence", "verify", str(folder), "--json"]) == 1

    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["name"], each["verdict"]) for each in events[:-1]] == [
        ("frame.jpg", "ok"),
        ("clip.mp4", "missing"),
    ]
    assert events[-1]["event"] == "summary"
    assert events[-1]["ok"] is False


class FakeStack:
    """A bucket with the evidence of alert al-1."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects

    def client(self, _service: str) -> Any:
        return self

    def output(self, name: str) -> str:
        assert name == "EvidenceBucketName"
        return "evidence"

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803  as boto3 spells them
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": ""}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}


def in_bucket(**more: bytes) -> Any:
    files = {**FILES, "manifest.json": a_manifest(), **more}
    return FakeStack({f"alerts/al-1/{name}": content for name, content in files.items()})


def test_evidence_is_fetched_into_a_folder_that_verifies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = fetch(in_bucket(), "al-1", tmp_path)

    assert folder == tmp_path / "al-1"
    assert verified(folder, capsys)[0] == 0


def test_evidence_that_is_not_there_yet_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="up to a minute after the alert"):
        fetch(in_bucket(), "al-2", tmp_path)
    with pytest.raises(MisuseError):
        fetch(in_bucket(), "../al-1", tmp_path)

    assert list(tmp_path.iterdir()) == []
