"""What must never happen, tried through the functions' doors: an alert that is lost, or sent twice."""

import importlib.util
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.builders import SEEN_AT, a_face_record, a_kinesis_event, a_match
from tests.fakes.devices import FakeClock

FUNCTIONS = Path(__file__).parents[3] / "functions"
ADA = a_match("ada", face_id="ed1b560f-d6af-5158-989a-ff586c931545")
GRACE = a_match("grace", face_id="1f0e7a52-6c1c-4b7e-9a55-0d3a0f2c9b11")
ONE_FRAME = a_kinesis_event(a_face_record(0, [ADA]))
CALLS = ["BatchGetItem", "TransactWriteItems", "Publish", "TransactWriteItems", "PutRecords"]

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")


class Crash(BaseException):
    """The process ends here."""


class Process:
    """A cold process of a function, with a clock of its own making and hooks around its calls to AWS."""

    def __init__(self, function: str, clock: FakeClock) -> None:
        spec = importlib.util.spec_from_file_location(function, FUNCTIONS / function / "handler.py")
        assert spec is not None
        assert spec.loader is not None
        self.module: ModuleType = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self.clock = clock
        self.calls: list[str] = []
        self.before: Callable[[str, int], None] = lambda _name, _number: None
        self.after: Callable[[str, int], None] = lambda _name, _number: None
        self.module.utc_now = clock  # type: ignore[attr-defined]
        make_client = self.module.client  # type: ignore[attr-defined]
        self.module.client = lambda service: self._hooked(make_client(service))  # type: ignore[attr-defined]

    def consume(self, event: dict[str, Any]) -> list[str]:
        answer = self.module.lambda_handler(event, None)  # type: ignore[attr-defined]
        return [each["itemIdentifier"] for each in answer["batchItemFailures"]]

    def sweep(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.module.lambda_handler({}, None)  # type: ignore[attr-defined]
        return answer

    def _hooked(self, client: Any) -> Any:
        client.meta.events.register("before-call", lambda model, **_: self._begins(model.name))
        client.meta.events.register("after-call", lambda model, **_: self.after(model.name, len(self.calls)))
        return client

    def _begins(self, name: str) -> None:
        self.calls.append(name)
        self.before(name, len(self.calls))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(SEEN_AT)


@pytest.fixture
def start(aws: Any, clock: FakeClock) -> Callable[..., Process]:
    del aws
    return lambda function="consume_face_records": Process(function, clock)


def alerts(aws: Any) -> list[dict[str, Any]]:
    return [json.loads(each["Message"]) for each in aws.alerts()]


def refuse(times: int) -> Callable[[str, int], None]:
    left = [times]

    def before(name: str, _number: int) -> None:
        if name == "Publish" and left[0]:
            left[0] -= 1
            raise EndpointConnectionError(endpoint_url="https://sns")

    return before


@pytest.mark.parametrize("same_process", [False, True], ids=["new process", "same process"])
@pytest.mark.parametrize(
    "where", [(n, when) for n in range(1, len(CALLS) + 1) for when in ("before", "after")], ids=str
)
def test_a_crash_around_any_call_loses_nothing(
    aws: Any, start: Any, clock: FakeClock, where: tuple[int, str], same_process: bool
) -> None:
    process = start()
    number, when = where

    def crash(_name: str, at: int) -> None:
        if at == number:
            raise Crash

    setattr(process, when, crash)
    with pytest.raises(Crash):
        process.consume(ONE_FRAME)
    assert process.calls == CALLS[:number]

    clock.move(seconds=31)
    process.before = process.after = lambda _name, _number: None
    failed = (process if same_process else start()).consume(ONE_FRAME)

    sent = alerts(aws)
    assert failed == []
    assert len({each["alert_id"] for each in sent}) == 1
    # Only a crash between the publish and its mark may send it again, under the same id.
    is_unmarked = where == (3, "after") or (where == (4, "before") and not same_process)
    assert len(sent) == 1 + is_unmarked
    assert {row["visit_id"] for row in aws.rows()} == {sent[0]["visit_id"]}
    assert len({row["sighting_id"] for row in aws.rows()}) == 1
    assert aws.visit()["alert_state"] == {"S": "sent"}


@pytest.mark.parametrize("number", [2, 3])
def test_what_nobody_comes_back_for_the_sweeper_sends(
    aws: Any, start: Any, clock: FakeClock, number: int
) -> None:
    process = start()

    def crash(_name: str, at: int) -> None:
        if at == number + 1:
            raise Crash

    process.before = crash
    with pytest.raises(Crash):
        process.consume(ONE_FRAME)
    before = len(alerts(aws))

    clock.move(seconds=60)
    swept = [start("sweep_alerts").sweep() for _ in range(2)]

    assert swept == [{"pending": 1, "sent": 1}, {"pending": 0, "sent": 0}]
    assert (before, len(alerts(aws))) == (number - 2, 1)
    assert start().consume(ONE_FRAME) == []
    assert alerts(aws) == []


def test_the_sweeper_reports_the_age_that_the_alarm_watches(
    aws: Any, start: Any, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    process = start()
    process.before = refuse(99)
    process.consume(ONE_FRAME)
    clock.move(seconds=400)
    sweeper = start("sweep_alerts")
    sweeper.before = refuse(99)
    capsys.readouterr()

    swept = sweeper.sweep()

    written = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert swept == {"pending": 1, "sent": 0}
    assert written[0]["PendingAlertAge"] == [400.0]
    assert alerts(aws) == []


@pytest.mark.parametrize("refusals", [1, 2, 600], ids=["once", "twice", "for ten minutes"])
def test_while_the_topic_refuses_the_batch_comes_again_and_then_alerts_once(
    aws: Any, start: Any, clock: FakeClock, refusals: int
) -> None:
    process = start()
    process.before = refuse(refusals)
    event = a_kinesis_event(a_face_record(0, [ADA]), b"no json")

    rounds = 0
    while process.consume(event):
        clock.move(seconds=1)
        rounds += 1

    assert rounds == refusals
    assert len(alerts(aws)) == 1
    assert len(aws.parked()) == 1
    assert len(aws.rows()) == 1


def test_two_batches_of_one_visit_at_the_same_moment_are_one_alert(aws: Any, start: Any) -> None:
    first, second = start(), start()
    answers = []

    def meanwhile(name: str, _number: int) -> None:
        if name == "Publish":
            answers.append(second.consume(a_kinesis_event(a_face_record(1, [ADA]), first=2)))

    first.before = meanwhile
    answers.append(first.consume(ONE_FRAME))

    assert answers == [[], []]
    assert len(alerts(aws)) == 1
    assert len({row["visit_id"] for row in aws.rows()}) == 1


def test_a_subject_without_a_name_stands_beside_one_with(aws: Any, start: Any) -> None:
    nameless = {**GRACE, "Face": {k: v for k, v in GRACE["Face"].items() if k != "ExternalImageId"}}

    assert start().consume(a_kinesis_event(a_face_record(0, [ADA], [nameless]))) == []

    assert sorted(each["person"]["name"] for each in alerts(aws)) == ["Ada Lovelace", "Grace Hopper"]


def test_records_out_of_order_are_one_visit_and_one_alert(aws: Any, start: Any) -> None:
    process = start()

    for n, second in enumerate((20, 5, 50, 0, 35)):
        assert process.consume(a_kinesis_event(a_face_record(second, [ADA]), first=n)) == []

    assert len(alerts(aws)) == 1
    assert len({row["visit_id"] for row in aws.rows()}) == 1


@pytest.mark.parametrize("hours", [-1, 1])
def test_an_hour_of_clock_skew_is_another_visit_and_no_silence(aws: Any, start: Any, hours: int) -> None:
    process = start()

    for n, second in enumerate((7_200, 7_201, 7_200 + 3_600 * hours, 7_201 + 3_600 * hours)):
        assert process.consume(a_kinesis_event(a_face_record(second, [ADA]), first=n)) == []

    assert len(alerts(aws)) == 2
    assert len({row["visit_id"] for row in aws.rows()}) == 2


def test_a_person_removed_between_match_and_alert_has_the_alert_that_was_raised(
    aws: Any, start: Any, clock: FakeClock
) -> None:
    process = start()
    process.before = refuse(1)
    assert process.consume(ONE_FRAME) != []
    aws.dynamodb.delete_item(TableName="faces", Key={"face_id": {"S": ADA["Face"]["FaceId"]}})

    clock.now += timedelta(seconds=61)
    again = process.consume(ONE_FRAME)
    start("sweep_alerts").sweep()

    assert again == []
    assert len(alerts(aws)) == 1


def test_people_get_words_and_programs_get_json(aws: Any, start: Any) -> None:
    process = start()
    sent: list[dict[str, Any]] = []
    client = process.module.consumer().visitors.sink.client  # type: ignore[attr-defined]
    client.meta.events.register(
        "provide-client-params.sns.Publish", lambda params, **_: sent.append(dict(params))
    )

    process.consume(ONE_FRAME)

    (call,) = sent
    texts = json.loads(call["Message"])
    assert call["MessageStructure"] == "json"
    assert json.loads(texts["default"]) == alerts(aws)[0]
    assert texts["sms"] == call["Subject"] == "Ada Lovelace (Watchlist) seen at Gate 3, 14:02:07"
    assert "Ada Lovelace was seen at Gate 3." in texts["email"]
    assert "Watchlist:  Watchlist (block, severity high)" in texts["email"]
