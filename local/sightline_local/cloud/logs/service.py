"""The operations that read the logs of functions; groups themselves, and other groups' events, are moto's."""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from moto.logs.models import logs_backends

from sightline_local.cloud.logs.filter_pattern import parse_pattern
from sightline_local.cloud.logs.log_events import LogEvent, events_after, moment_of, read_events
from sightline_local.cloud.paging import page
from sightline_local.cloud.service import ServiceError, unknown_operation
from sightline_local.functions.invoker import Functions
from sightline_local.functions.spec import FunctionNotFound
from sightline_local.iam import Caller

_PREFIX = "/aws/lambda/"
_MOST_EVENTS = 10_000
_MOST_BYTES = 1 << 20  # of the events of one answer
_NOTHING = "0" * 56  # the id before every event

Params = dict[str, Any]


class LogsService:
    """A `Service` for the gateway that shares its name with moto."""

    def __init__(self, region: str, account: str, functions: Functions) -> None:
        self._region = region
        self._account = account
        self._functions = functions
        self._operations: dict[str, Callable[[Params], Params]] = {
            "DescribeLogGroups": self._describe_groups,
            "DescribeLogStreams": self._describe_streams,
            "FilterLogEvents": self._filter,
            "GetLogEvents": self._get,
        }

    def serves(self, operation: str, params: Params) -> bool:
        if operation == "DescribeLogGroups":
            return True
        return operation in self._operations and self._file(_group_of(params)) is not None

    def handle(self, operation: str, params: Params, caller: Caller) -> Params:  # noqa: ARG002
        if operation not in self._operations:
            raise unknown_operation("logs", operation)
        return self._operations[operation](params)

    def resolve(self, operation: str, params: Params) -> Params:  # noqa: ARG002
        """For IAM: the group that is named by its ARN."""
        name = _group_of(params)
        return {"logGroupName": name} if name else {}

    def _describe_groups(self, params: Params) -> Params:
        groups = self._groups()
        prefix, part = params.get("logGroupNamePrefix", ""), params.get("logGroupNamePattern", "")
        names = sorted(name for name in groups if name.startswith(prefix) and part.lower() in name.lower())
        return _page(names, params, "logGroups", lambda name: groups[name])

    def _groups(self) -> dict[str, Params]:
        """Those that were made, and those that Lambda makes when a function first speaks."""
        groups = {name: group.to_describe_dict() for name, group in self._made().items()}
        for spec in self._functions.specs():
            name = f"{_PREFIX}{spec.name}"
            path = self._functions.log_path(spec.name)
            size = path.stat().st_size
            if name in groups:
                groups[name]["storedBytes"] = size
            elif first := next(read_events(path), None):
                groups[name] = {
                    "arn": f"{self._arn(name)}:*",
                    "logGroupArn": self._arn(name),
                    "logGroupName": name,
                    "creationTime": first.timestamp,
                    "metricFilterCount": 0,
                    "storedBytes": size,
                }
        return groups

    def _describe_streams(self, params: Params) -> Params:
        group = _group_of(params)
        streams: dict[str, Params] = {}
        for event in read_events(self._existing(group)):
            stream = streams.setdefault(
                event.stream,
                {
                    "logStreamName": event.stream,
                    "creationTime": event.timestamp,
                    "firstEventTimestamp": event.timestamp,
                    "arn": f"{self._arn(group)}:log-stream:{event.stream}",
                    "storedBytes": 0,
                },
            )
            stream["lastEventTimestamp"] = stream["lastIngestionTime"] = event.timestamp
        prefix = params.get("logStreamNamePrefix", "")
        if params.get("orderBy") == "LastEventTime":
            return self._streams_by_time(params, streams)
        names = sorted(name for name in streams if name.startswith(prefix))
        return _page(names, params, "logStreams", streams.__getitem__)

    def _streams_by_time(self, params: Params, streams: dict[str, Params]) -> Params:
        if "logStreamNamePrefix" in params:
            raise _invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
        keyed = {f"{stream['lastEventTimestamp']:014d}{name}": stream for name, stream in streams.items()}
        return _page(sorted(keyed), params, "logStreams", keyed.__getitem__)

    def _filter(self, params: Params) -> Params:
        path = self._existing(_group_of(params))
        matches = parse_pattern(params.get("filterPattern", ""))
        names, prefix = params.get("logStreamNames"), params.get("logStreamNamePrefix", "")
        if names and prefix:
            raise _invalid("logStreamNames and logStreamNamePrefix exclude each other.")
        events = (
            event
            for event in self._between(path, params, last=params.get("endTime"))
            if (not names or event.stream in names)
            and event.stream.startswith(prefix)
            and matches(event.message)
        )
        chosen, more = _fitting(events, params.get("limit", _MOST_EVENTS))
        answer: Params = {
            "events": [
                {**_described(event), "logStreamName": event.stream, "eventId": event.event_id}
                for event in chosen
            ],
            "searchedLogStreams": [],
        }
        return {**answer, "nextToken": chosen[-1].event_id} if more else answer

    def _between(self, path: Path, params: Params, *, last: int | None) -> Iterator[LogEvent]:
        token = params.get("nextToken")
        since = max(params.get("startTime", 0), _moment_of(token) if token else 0)
        events = read_events(path, since)
        for event in events_after(events, token) if token else events:
            if last is None or event.timestamp <= last:
                yield event

    def _get(self, params: Params) -> Params:
        path = self._existing(_group_of(params))
        name, end = params["logStreamName"], params.get("endTime")
        of_stream = [event for event in read_events(path) if event.stream == name]
        if not of_stream:
            raise _not_found("stream")
        start = params.get("startTime", 0)
        events = [e for e in of_stream if e.timestamp >= start and (end is None or e.timestamp < end)]
        return _window(events, params)

    def _existing(self, group: str) -> Path:
        path = self._file(group)
        if path is None or not (group in self._made() or path.stat().st_size):
            raise _not_found("group")
        return path

    def _arn(self, group: str) -> str:
        return f"arn:aws:logs:{self._region}:{self._account}:log-group:{group}"

    def _made(self) -> dict[str, Any]:
        groups: dict[str, Any] = logs_backends[self._account][self._region].groups
        return groups

    def _file(self, group: str) -> Path | None:
        try:
            return (
                self._functions.log_path(group.removeprefix(_PREFIX)) if group.startswith(_PREFIX) else None
            )
        except FunctionNotFound:
            return None


def _window(events: list[LogEvent], params: Params) -> Params:
    """A part of a stream, and the tokens that lead on from both of its ends."""
    limit = params.get("limit", _MOST_EVENTS)
    way, _, event_id = params.get("nextToken", "").partition("/")
    if way == "b":
        _moment_of(event_id)
        events = events[: next((n for n, e in enumerate(events) if e.event_id >= event_id), len(events))]
    elif way:
        _moment_of(event_id)
        events = list(events_after(events, event_id))
    forward = way == "f" or (not way and params.get("startFromHead", False))
    if not forward:
        events = events[-limit:]
    chosen, _ = _fitting(iter(events), limit)
    first, last = (chosen[0].event_id, chosen[-1].event_id) if chosen else (event_id, event_id)
    return {
        "events": [_described(event) for event in chosen],
        "nextForwardToken": f"f/{last or _NOTHING}",
        "nextBackwardToken": f"b/{first or _NOTHING}",
    }


def _fitting(events: Iterator[LogEvent], limit: int) -> tuple[list[LogEvent], bool]:
    """As many as one answer takes, and whether there are more."""
    chosen: list[LogEvent] = []
    size = 0
    for event in islice(events, limit):
        size += len(event.message) + 26  # as CloudWatch Logs counts
        if size > _MOST_BYTES and chosen:
            return chosen, True
        chosen.append(event)
    return chosen, next(events, None) is not None


def _described(event: LogEvent) -> Params:
    return {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.timestamp}


def _page(names: list[str], params: Params, member: str, described: Callable[[str], Params]) -> Params:
    if params.get("descending"):
        return {member: [described(name) for name in reversed(names)][: params.get("limit", 50)]}
    chosen, token = page(
        names, params.get("nextToken"), params.get("limit", 50), error="InvalidParameterException"
    )
    answer: Params = {member: [described(name) for name in chosen]}
    return {**answer, "nextToken": token} if token else answer


def _group_of(params: Params) -> str:
    """The name, or the one in the ARN."""
    given = str(params.get("logGroupName") or params.get("logGroupIdentifier") or "")
    return re.sub(r"^arn:[^:]*:logs:[^:]*:\d*:log-group:([^:]*).*$", r"\1", given)


def _moment_of(event_id: str) -> int:
    try:
        return moment_of(event_id)
    except ValueError as error:
        raise _invalid("The specified nextToken is invalid.") from error


def _not_found(what: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", f"The specified log {what} does not exist.")


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)
