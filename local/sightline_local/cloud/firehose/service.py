"""The API of Firehose: delivery streams to S3 and Redshift, from a data stream or from PutRecord."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import RLock
from typing import Any

from sightline_local.clock import Clock
from sightline_local.cloud.clients import Clients
from sightline_local.cloud.constraints import check_input
from sightline_local.cloud.firehose.delivery_stream import DeliveryStream
from sightline_local.cloud.firehose.description import describe
from sightline_local.cloud.firehose.making import Maker
from sightline_local.cloud.firehose.refusals import invalid
from sightline_local.cloud.firehose.settings import read_settings
from sightline_local.cloud.firehose.sources import POSITIONS, RECORDS, DirectSource
from sightline_local.cloud.firehose.warehouse import Warehouse
from sightline_local.cloud.kinesis import DataStreams
from sightline_local.cloud.service import ServiceError, unknown_operation
from sightline_local.iam import Authorizer, Caller, Sessions
from sightline_local.state import Facts

_logger = logging.getLogger(__name__)
_STREAMS = "firehose.stream"  # those that were made at run time: name → the request
_BATCH_LIMIT_BYTES = 4 << 20
_PAGE = 10
_SLOW_DOWN = ("ServiceUnavailableException", "Slow down.")


@dataclass(frozen=True, slots=True)
class _Made:
    arn: str
    params: dict[str, Any]
    created_at: datetime
    stream: DeliveryStream


class FirehoseService:
    """A `Service` for the gateway, and a keeper of facts."""

    def __init__(
        self,
        region: str,
        account: str,
        sessions: Sessions,
        authorizer: Authorizer,
        clients: Clients,
        *,
        streams: DataStreams,
        clock: Clock,
        facts: Facts | None = None,
        warehouse: Warehouse | None = None,
    ) -> None:
        self._account = account
        self._prefix = f"arn:aws:firehose:{region}:{account}:deliverystream/"
        self._facts = facts or Facts.none()
        self._maker = Maker(sessions, authorizer, clients, streams, clock, self._facts, warehouse)
        self._streams: dict[str, _Made] = {}
        self._lock = RLock()
        self._begun = False
        clock.tell(self._wake_all)
        streams.listeners.append(self.wake)
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "CreateDeliveryStream": self._create,
            "DeleteDeliveryStream": self._delete,
            "DescribeDeliveryStream": self._describe,
            "ListDeliveryStreams": self._list,
            "PutRecord": self._put_record,
            "PutRecordBatch": self._put_record_batch,
        }

    def handle(self, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any]:  # noqa: ARG002
        if operation not in self._operations:
            raise unknown_operation("firehose", operation)
        check_input("firehose", operation, params, error="InvalidArgumentException")
        return self._operations[operation](params)

    def restore(self) -> list[str]:
        """Those made at run time, then how far each was; the names of those that the template lost."""
        with self._lock:
            for name, text in self._facts.all(_STREAMS):
                if name not in self._streams:
                    self._remake(name, text)
            for made in self._streams.values():
                made.stream.source.restore()
            kept = [key for kind in (POSITIONS, RECORDS) for key, _ in self._facts.all(kind)]
        names = {key.partition("/")[0] for key in kept}
        return sorted(f"delivery stream {name}" for name in names - self._streams.keys())

    def _remake(self, name: str, request: bytes) -> None:
        try:
            self._streams[name] = self._made(json.loads(request))
        except ServiceError as error:  # its role or its source went with the template
            _logger.warning("the delivery stream %s does not come back: %s", name, error.message)

    def begin(self) -> None:
        """Let every delivery stream run, and later ones at once."""
        with self._lock:
            self._begun = True
            for made in self._streams.values():
                made.stream.begin()

    def wake(self, stream_name: str) -> None:
        """Records were put into a data stream."""
        for made in list(self._streams.values()):
            if (made.stream.settings.source_arn or "").endswith(f":stream/{stream_name}"):
                made.stream.wake()

    def close(self) -> None:
        """End every thread; what is not delivered stays kept."""
        streams = [made.stream for made in list(self._streams.values())]
        for stream in streams:
            stream.stop()
        for stream in streams:
            stream.join()

    def _wake_all(self) -> None:
        for made in list(self._streams.values()):
            made.stream.wake()

    def _create(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["DeliveryStreamName"]
        with self._lock:
            if name in self._streams:
                message = f"Firehose {name} under accountId {self._account} already exists"
                raise ServiceError("ResourceInUseException", message)
            made = self._made(params)
            if self._begun:
                self._facts.put(_STREAMS, name, json.dumps(params).encode())
            self._streams[name] = made
            if self._begun:
                made.stream.begin()
        return {"DeliveryStreamARN": made.arn}

    def _made(self, params: dict[str, Any]) -> _Made:
        settings = read_settings(params)
        arn = f"{self._prefix}{settings.name}"
        return _Made(arn, params, datetime.now(UTC), self._maker.make(arn, settings))

    def _delete(self, params: dict[str, Any]) -> dict[str, Any]:
        """What is not delivered yet goes with it, as AWS warns."""
        with self._lock:
            made = self._find(params)
            del self._streams[params["DeliveryStreamName"]]
            made.stream.stop()
            made.stream.join()
            made.stream.source.forget()
            self._facts.delete(_STREAMS, [params["DeliveryStreamName"]])
        return {}

    def _describe(self, params: dict[str, Any]) -> dict[str, Any]:
        made = self._find(params)
        shown = describe(made.arn, made.stream.settings, made.params, made.created_at)
        return {"DeliveryStreamDescription": shown}

    def _list(self, params: dict[str, Any]) -> dict[str, Any]:
        after, kind = params.get("ExclusiveStartDeliveryStreamName", ""), params.get("DeliveryStreamType")
        names = [
            name
            for name, made in sorted(self._streams.items())
            if name > after and kind in (None, made.params.get("DeliveryStreamType", "DirectPut"))
        ]
        limit = params.get("Limit", _PAGE)
        return {"DeliveryStreamNames": names[:limit], "HasMoreDeliveryStreams": len(names) > limit}

    def _put_record(self, params: dict[str, Any]) -> dict[str, Any]:
        records = self._put(params, [params["Record"]["Data"]])
        if not records:
            raise ServiceError(*_SLOW_DOWN, status=503)
        return {"RecordId": records[0], "Encrypted": False}

    def _put_record_batch(self, params: dict[str, Any]) -> dict[str, Any]:
        data = [each["Data"] for each in params["Records"]]
        if sum(len(each) for each in data) > _BATCH_LIMIT_BYTES:
            raise invalid("Records size exceeds 4 MB limit")
        ids = self._put(params, data)
        if not ids:
            failed = dict(zip(("ErrorCode", "ErrorMessage"), _SLOW_DOWN, strict=True))
            return {"FailedPutCount": len(data), "Encrypted": False, "RequestResponses": [failed] * len(data)}
        answers = [{"RecordId": each} for each in ids]
        return {"FailedPutCount": 0, "Encrypted": False, "RequestResponses": answers}

    def _put(self, params: dict[str, Any], data: list[bytes]) -> list[str]:
        """The records' ids; none when too much waits already."""
        made = self._find(params)
        source = made.stream.source
        if not isinstance(source, DirectSource):
            raise invalid("This operation is not permitted on KinesisStreamAsSource delivery stream type.")
        records = source.put(data)
        made.stream.wake()
        return [record.id for record in records]

    def _find(self, params: dict[str, Any]) -> _Made:
        name = params["DeliveryStreamName"]
        made = self._streams.get(name)
        if made is None:
            message = f"Firehose {name} under account {self._account} not found."
            raise ServiceError("ResourceNotFoundException", message)
        return made
