"""The made-up ten minutes of `sightline flink-demo`, and the words for what the SQL says of them."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sightline_cli.downstream.flink_demo import WORDS
from sightline_cli.downstream.flink_story import LATE_BY, MINUTES, story

BEGIN = datetime(2026, 11, 22, 8, tzinfo=UTC)
SQL = Path(__file__).parents[3] / "analytics" / "flink" / "sql"


def test_it_is_the_same_every_time() -> None:
    assert list(story(BEGIN)) == list(story(BEGIN))


def test_some_come_twice_some_too_late_and_one_is_broken() -> None:
    sent = [record for records in story(BEGIN) for record in records]
    readable = [record for record in sent if record.endswith(b"}")]
    newest, late = BEGIN, 0
    for record in readable:
        at = datetime.fromisoformat(json.loads(record)["seen_at"])
        late += at <= newest - LATE_BY
        newest = max(newest, at)

    assert len(sent) - len(readable) == 1
    assert max(Counter(readable).values()) == 2
    assert late > 5
    assert newest < BEGIN + timedelta(minutes=MINUTES)


def test_every_query_has_words() -> None:
    names = {file.stem[4:] for file in SQL.glob("1*.sql")}

    assert names == WORDS.keys()
