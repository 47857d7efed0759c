"""People of a table over the API: what is sent, what is refused, and doing it again."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sightline_cli.api import ApiError
from sightline_cli.enrol.enrolment import REQUEST_BYTES, UPLOAD_BYTES, Enroller, Note, Result
from sightline_cli.enrol.people_file import Row, WrongRow
from sightline_cli.enrol.report import EnrolReport, Totals
from sightline_cli.errors import CliError


@dataclass
class FakeApi:
    """People and faces as the API answers them; `problems` come first."""

    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    faces: set[tuple[str, str]] = field(default_factory=set)
    problems: dict[str, list[ApiError]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[dict[str, str]] = field(default_factory=list)

    def answer(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        self.calls.append((method, path))
        if self.problems.get(path):
            raise self.problems[path].pop(0)
        if path == "/people":
            assert body is not None
            blank = {"notes": None, "expires_at": None, "watchlist_ids": ["default"]}
            is_new = body["person_id"] not in self.people
            return 201 if is_new else 200, self.people.setdefault(body["person_id"], blank | body)
        person_id, _, what = path.removeprefix("/people/").partition("/")
        if method == "DELETE":
            del self.people[person_id]
            return 204, None
        if method == "PATCH":
            self.people[person_id] |= body or {}
            return 200, self.people[person_id]
        if what == "photos":
            return 201, {"photo_id": "photo-1", "upload_url": "http://bucket/photo-1"}
        face = (person_id, json.dumps(body))
        status = 200 if face in self.faces else 201
        self.faces.add(face)
        return status, {"face_id": "f", "warnings": self.warnings}


@dataclass
class Bench:
    folder: Path
    api: FakeApi = field(default_factory=FakeApi)
    uploaded: dict[str, int] = field(default_factory=dict)
    slept: list[float] = field(default_factory=list)

    def photo(self, name: str, content: bytes = b"jpeg") -> None:
        (self.folder / name).write_bytes(content)

    def enrol(self, *photos: str, **about: Any) -> Result:
        def put(url: str, content: bytes) -> None:
            self.uploaded[url] = len(content)

        enroller = Enroller(self.api, self.folder, put, self.slept.append)
        return enroller.enrol(Row(2, "ada", "Ada Lovelace", photos, about))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_person_is_enrolled_from_names_and_patterns_each_photo_once(bench: Bench) -> None:
    for name in ("ada-1.jpg", "ada-2.png", "grace.jpg"):
        bench.photo(name, name.encode())

    result = bench.enrol("ada-1.jpg", "ada-*", notes="Analyst", watchlist_ids=["vip"])

    assert (result.person_id, result.new_faces, result.refused) == ("ada", 2, [])
    assert bench.api.people["ada"]["watchlist_ids"] == ["vip"]
    sent = {base64.b64decode(json.loads(body)["image"]) for _, body in bench.api.faces}
    assert sent == {b"ada-1.jpg", b"ada-2.png"}


def test_doing_it_again_changes_nothing(bench: Bench) -> None:
    bench.photo("a.jpg")
    bench.enrol("a.jpg", notes="Analyst")
    people = dict(bench.api.people)

    result = bench.enrol("a.jpg", notes="Analyst")

    assert (result.new_faces, result.known_faces) == (0, 1)
    assert bench.api.people == people
    assert not any(method == "PATCH" for method, _ in bench.api.calls)


def test_what_the_table_says_anew_is_changed(bench: Bench) -> None:
    bench.photo("a.jpg")
    bench.enrol("a.jpg", notes="Analyst", expires_at="2026-12-31T23:59:59.000Z")

    bench.enrol("a.jpg", notes=None, expires_at="2027-12-31T23:59:59.000Z")

    assert bench.api.people["ada"]["notes"] is None
    assert bench.api.people["ada"]["expires_at"] == "2027-12-31T23:59:59.000Z"


def test_a_refused_photo_is_told_in_words_and_the_others_go_on(bench: Bench) -> None:
    bench.photo("a.jpg")
    bench.photo("b.jpg", b"other")
    bench.api.problems["/people/ada/faces"] = [ApiError(400, "Two faces are in the photo: crop it to one.")]

    result = bench.enrol("a.jpg", "b.jpg", "c*.jpg")

    assert result.new_faces == 1
    assert result.refused == [
        Note("c*.jpg", f"no such photo in {bench.folder}"),
        Note("a.jpg", "Two faces are in the photo: crop it to one."),
    ]


def test_a_refused_person_sends_no_photo(bench: Bench) -> None:
    bench.photo("a.jpg")
    bench.api.problems["/people"] = [ApiError(400, "there is no watchlist vip")]

    result = bench.enrol("a.jpg", watchlist_ids=["vip"])

    assert (result.person_id, result.refused) == (None, [Note(None, "there is no watchlist vip")])
    assert bench.api.calls == [("POST", "/people")]


def test_a_new_person_whose_every_photo_is_refused_is_not_left_behind(bench: Bench) -> None:
    bench.photo("a.jpg")
    bench.api.problems["/people/ada/faces"] = [ApiError(400, "No face is in the photo")]

    result = bench.enrol("a.jpg")

    assert (result.person_id, bench.api.people) == (None, {})


def test_a_person_who_was_there_stays_even_if_every_photo_is_refused(bench: Bench) -> None:
    bench.photo("a.jpg")
    bench.enrol("a.jpg")
    bench.api.problems["/people/ada/faces"] = [ApiError(400, "No face is in the photo")]

    result = bench.enrol("a.jpg")

    assert (result.person_id, list(bench.api.people)) == ("ada", ["ada"])


def test_a_person_without_any_photo_is_not_made(bench: Bench) -> None:
    result = bench.enrol("a.jpg")

    assert len(result.refused) == 1
    assert bench.api.people == {}


def test_a_photo_too_large_for_a_request_is_uploaded(bench: Bench) -> None:
    bench.photo("a.jpg", bytes(REQUEST_BYTES + 1))

    result = bench.enrol("a.jpg")

    assert result.new_faces == 1
    assert bench.uploaded == {"http://bucket/photo-1": REQUEST_BYTES + 1}
    assert bench.api.faces == {("ada", '{"photo_id": "photo-1"}')}


def test_a_photo_too_large_for_rekognition_is_not_even_sent(bench: Bench) -> None:
    bench.photo("a.jpg", bytes(UPLOAD_BYTES + 1))

    result = bench.enrol("a.jpg")

    assert result.refused == [Note("a.jpg", "the photo has 15.0 MB; 15 MB is the most")]


def test_a_busy_api_is_asked_again_and_then_told(bench: Bench) -> None:
    bench.photo("a.jpg")
    busy: Callable[[], ApiError] = lambda: ApiError(503, "Rekognition is busy")  # noqa: E731
    bench.api.problems["/people"] = [busy()]
    bench.api.problems["/people/ada/faces"] = [busy() for _ in range(5)]

    result = bench.enrol("a.jpg")

    assert result.refused == [Note("a.jpg", "Rekognition is busy")]
    assert bench.slept == [1.0, 1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize("error", [ApiError(401, "Unauthorized"), ApiError(500, "Internal Server Error")])
def test_what_is_no_fault_of_the_row_ends_it_all(bench: Bench, error: ApiError) -> None:
    bench.photo("a.jpg")
    bench.api.problems["/people"] = [error]

    with pytest.raises(CliError):
        bench.enrol("a.jpg")


def test_a_face_like_somebody_elses_is_a_warning(bench: Bench) -> None:
    bench.photo("a.jpg")
    bench.api.warnings = [{"detail": "The face resembles Grace Hopper (93.1 %): the same person?"}]

    result = bench.enrol("a.jpg")

    assert result.new_faces == 1
    assert [note.text for note in result.warnings] == [bench.api.warnings[0]["detail"]]


def test_a_wrong_row_asks_nothing_of_the_api(bench: Bench) -> None:
    enroller = Enroller(bench.api, bench.folder, lambda _url, _content: None)

    result = enroller.enrol(WrongRow(3, "Ada", "has no photos"))

    assert result.refused == [Note(None, "has no photos")]
    assert bench.api.calls == []


def a_result() -> Result:
    return Result(2, "Ada", "ada", 1, 2, [Note("b.jpg", "too dark")], [Note("a.jpg", "resembles Grace")])


def test_the_report_for_people_names_line_person_photo_and_reason(capsys: pytest.CaptureFixture[str]) -> None:
    report, totals = EnrolReport("people.csv", as_json=False), Totals()

    totals.add(a_result())
    report.row(a_result())
    report.summary(totals, 1.25)

    told = capsys.readouterr()
    assert told.err.splitlines() == [
        "people.csv:2: refused: Ada: b.jpg: too dark",
        "people.csv:2: warning: Ada: a.jpg: resembles Grace",
    ]
    assert told.out == "1 person, 1 new face and 2 known already, 1 refused, 1 warning (1.2 s)\n"


def test_the_report_for_programs_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    report, totals = EnrolReport("people.csv", as_json=True), Totals()

    totals.add(a_result())
    report.row(a_result())
    report.summary(totals, 1.25)

    person, summary = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert person["event"] == "person"
    assert person["refused"] == [{"photo": "b.jpg", "detail": "too dark"}]
    assert summary == {
        "event": "summary",
        "people": 1,
        "new_faces": 1,
        "known_faces": 2,
        "refused": 1,
        "warnings": 1,
        "seconds": 1.25,
        "ok": False,
    }
