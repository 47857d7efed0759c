"""How far a stream processor has come, so that after a restart no frame is analysed twice or left out."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sightline_local.state import Facts, FactsNotKeptError

_log = logging.getLogger(__name__)
_KIND = "rekognition.position"
_CLOCKS_DIFFER = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Position:
    """The last frame whose record was written, and when; before the first one, when the video was opened."""

    moment: datetime
    fragment_number: str | None = None
    offset_seconds: float = 0.0

    def has(self, fragment_number: str | None, offset_seconds: float) -> bool:
        """Whether a frame of this fragment, or of a later one, is behind us."""
        return fragment_number == self.fragment_number and offset_seconds <= self.offset_seconds


class Positions:
    """Of every processor, by its name."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def get(self, name: str) -> Position | None:
        kept = self._facts.get(_KIND, name)
        if kept is None:
            return None
        moment, fragment_number, offset_seconds = json.loads(kept)
        return Position(datetime.fromisoformat(moment), fragment_number, offset_seconds)

    def keep(self, name: str, position: Position) -> None:
        """What cannot be kept is found again in the face stream."""
        value = [position.moment.isoformat(), position.fragment_number, position.offset_seconds]
        try:
            self._facts.put(_KIND, name, json.dumps(value).encode())
        except FactsNotKeptError as error:
            _log.error("%s: its position is not kept: %s", name, error)

    def forget(self, name: str) -> None:
        self._facts.delete(_KIND, [name])


def advanced(position: Position, kinesis: Any, face_stream_arn: str, video_stream_arn: str) -> Position:
    """The position behind the last record in the face stream: the runtime may have ended right after it."""
    places = [(position.fragment_number or "0", position.offset_seconds)]
    try:
        places += _written_since(position.moment - _CLOCKS_DIFFER, kinesis, face_stream_arn, video_stream_arn)
    except (ClientError, BotoCoreError) as error:
        _log.warning("%s cannot be read: %s", face_stream_arn, error)  # the run itself will say what is wrong
    number, offset = max(places, key=lambda place: (int(place[0]), place[1]))
    return replace(position, fragment_number=number if number != "0" else None, offset_seconds=offset)


def _written_since(
    moment: datetime, kinesis: Any, face_stream_arn: str, video_stream_arn: str
) -> Iterator[tuple[str, float]]:
    for shard in kinesis.list_shards(StreamARN=face_stream_arn)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamARN=face_stream_arn,
            ShardId=shard["ShardId"],
            ShardIteratorType="AT_TIMESTAMP",
            Timestamp=moment,
        )["ShardIterator"]
        while iterator:
            answer = kinesis.get_records(ShardIterator=iterator)
            for record in answer["Records"]:
                place = json.loads(record["Data"])["InputInformation"]["KinesisVideo"]
                if place["StreamArn"] == video_stream_arn:
                    yield place["FragmentNumber"], place["FrameOffsetInSeconds"]
            iterator = answer.get("NextShardIterator") if answer["Records"] else None
