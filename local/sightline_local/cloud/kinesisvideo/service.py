"""The control plane: streams come, change and go, and tell where their media is to be sent."""

from collections.abc import Callable
from typing import Any, cast

from sightline_local.cloud.constraints import check_input
from sightline_local.cloud.kinesisvideo.store import FragmentStore
from sightline_local.cloud.kinesisvideo.video_stream import MAX_RETENTION_HOURS, VideoStream
from sightline_local.cloud.paging import page
from sightline_local.cloud.service import ServiceError, unknown_operation
from sightline_local.iam.callers import Caller

SERVED_APIS = (
    "PUT_MEDIA",
    "GET_MEDIA",
    "LIST_FRAGMENTS",
    "GET_MEDIA_FOR_FRAGMENT_LIST",
    "GET_CLIP",
    "GET_IMAGES",
)
MAX_TAGS = 50

Operation = Callable[[dict[str, Any]], dict[str, Any]]


class KinesisVideoService:
    """`media_url` tells where the media server listens; it is asked with every GetDataEndpoint."""

    def __init__(self, region: str, account: str, media_url: Callable[[], str], store: FragmentStore) -> None:
        self._region = region
        self._account = account
        self._media_url = media_url
        self._store = store
        self._operations: dict[str, Operation] = {
            "CreateStream": self._create_stream,
            "DescribeStream": self._describe_stream,
            "ListStreams": self._list_streams,
            "DeleteStream": self._delete_stream,
            "GetDataEndpoint": self._get_data_endpoint,
            "UpdateDataRetention": self._update_data_retention,
            "TagStream": self._tag_stream,
            "UntagStream": self._untag_stream,
            "ListTagsForStream": self._list_tags,
        }

    def handle(self, operation: str, params: dict[str, Any], _caller: Caller) -> dict[str, Any]:
        perform = self._operations.get(operation)
        if perform is None:
            raise unknown_operation("kinesisvideo", operation)
        check_input("kinesisvideo", operation, params, error="InvalidArgumentException")
        return perform(params)

    def resolve(self, _operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """For IAM: policies know a stream by its ARN, callers mostly by its name."""
        name = params.get("StreamName")
        return {"StreamARN": self.stream_arn(name)} if name and not params.get("StreamARN") else {}

    def stream_arn(self, name: str) -> str:
        """The ARN that policies are asked about: the stream's, or one like it if there is no such stream."""
        stream = self._store.named(name)
        return stream.arn if stream else f"{self._arn_prefix}{name}/0"

    @property
    def _arn_prefix(self) -> str:
        return f"arn:aws:kinesisvideo:{self._region}:{self._account}:stream/"

    # ------------------------------------------------------------------ life of a stream

    def _create_stream(self, params: dict[str, Any]) -> dict[str, Any]:
        _refuse_what_is_not_emulated(params)
        retention = params.get("DataRetentionInHours", 0)
        _check_retention(retention)
        now = self._store.now()
        name = params["StreamName"]
        stream = VideoStream(
            arn=f"{self._arn_prefix}{name}/{int(now.timestamp() * 1000)}",
            name=name,
            created_at=now,
            media_type=params.get("MediaType"),
            retention_hours=retention,
            device_name=params.get("DeviceName"),
            tags=dict(params.get("Tags", {})),
        )
        if not self._store.add(stream):
            raise ServiceError("ResourceInUseException", f"The stream {name} already exists.")
        return {"StreamARN": stream.arn}

    def _delete_stream(self, params: dict[str, Any]) -> dict[str, Any]:
        stream = self._active(params)
        _check_version(stream, params.get("CurrentVersion", stream.version))
        self._store.replace(stream.deleted(self._store.now()))
        return {}

    def _update_data_retention(self, params: dict[str, Any]) -> dict[str, Any]:
        stream = self._active(params)
        _check_version(stream, params["CurrentVersion"])
        change = params["DataRetentionChangeInHours"]
        grows = params["Operation"] == "INCREASE_DATA_RETENTION"
        hours = stream.retention_hours + (change if grows else -change)
        _check_retention(hours)
        self._store.replace(stream.retaining(hours))
        return {}

    # ------------------------------------------------------------------ what there is

    def _describe_stream(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"StreamInfo": self._stream_info(self._known(params))}

    def _list_streams(self, params: dict[str, Any]) -> dict[str, Any]:
        prefix = params.get("StreamNameCondition", {}).get("ComparisonValue", "")
        names = [stream.name for stream in self._store.streams() if stream.name.startswith(prefix)]
        chosen, token = page(names, params.get("NextToken"), params.get("MaxResults", 10_000))
        streams = [stream for name in chosen if (stream := self._store.named(name))]
        listed: dict[str, Any] = {"StreamInfoList": [self._stream_info(stream) for stream in streams]}
        return listed | ({"NextToken": token} if token else {})

    def _get_data_endpoint(self, params: dict[str, Any]) -> dict[str, Any]:
        api = params["APIName"]
        if api not in SERVED_APIS:
            raise ServiceError(
                "InvalidArgumentException", f"The local runtime serves {', '.join(SERVED_APIS)}, not {api}."
            )
        self._known(params)
        return {"DataEndpoint": self._media_url()}

    def _stream_info(self, stream: VideoStream) -> dict[str, Any]:
        info = {
            "DeviceName": stream.device_name,
            "StreamName": stream.name,
            "StreamARN": stream.arn,
            "MediaType": stream.media_type,
            "KmsKeyId": f"arn:aws:kms:{self._region}:{self._account}:alias/aws/kinesisvideo",
            "Version": stream.version,
            "Status": stream.status(self._store.now()),
            "CreationTime": stream.created_at,
            "DataRetentionInHours": stream.retention_hours,
        }
        return {name: value for name, value in info.items() if value is not None}

    # ------------------------------------------------------------------ tags

    def _tag_stream(self, params: dict[str, Any]) -> dict[str, Any]:
        stream = self._known(params)
        tags = stream.tags | params["Tags"]
        if len(tags) > MAX_TAGS:
            raise ServiceError(
                "TagsPerResourceExceededLimitException", f"A stream has at most {MAX_TAGS} tags."
            )
        self._store.replace(stream.tagged(tags))
        return {}

    def _untag_stream(self, params: dict[str, Any]) -> dict[str, Any]:
        stream = self._known(params)
        gone = set(params["TagKeyList"])
        self._store.replace(stream.tagged({key: tag for key, tag in stream.tags.items() if key not in gone}))
        return {}

    def _list_tags(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": self._known(params).tags}

    # ------------------------------------------------------------------ which stream is meant

    def _known(self, params: dict[str, Any]) -> VideoStream:
        return find_stream(self._store, params)

    def _active(self, params: dict[str, Any]) -> VideoStream:
        stream = self._known(params)
        status = stream.status(self._store.now())
        if status != "ACTIVE":
            raise ServiceError("ResourceInUseException", f"The stream {stream.name} is {status}, not ACTIVE.")
        return stream


def find_stream(store: FragmentStore, params: dict[str, Any]) -> VideoStream:
    """The stream that StreamName or StreamARN means; ServiceError when neither or no stream is meant."""
    name, arn = params.get("StreamName"), params.get("StreamARN")
    if not name and not arn:
        raise ServiceError("InvalidArgumentException", "Either StreamName or StreamARN must be given.")
    stream = store.with_arn(cast("str", arn)) if arn else store.named(cast("str", name))
    if stream is None or (name and stream.name != name):
        raise ServiceError(
            "ResourceNotFoundException", "The requested stream is not found or not active.", status=404
        )
    return stream


def _refuse_what_is_not_emulated(params: dict[str, Any]) -> None:
    key = params.get("KmsKeyId", "alias/aws/kinesisvideo")
    if not key.endswith("alias/aws/kinesisvideo"):
        raise ServiceError(
            "InvalidArgumentException", "The local runtime does not emulate KmsKeyId of a stream."
        )
    tier = params.get("StreamStorageConfiguration", {}).get("DefaultStorageTier", "HOT")
    if tier != "HOT":
        raise ServiceError(
            "InvalidArgumentException", f"The local runtime does not emulate the storage tier {tier}."
        )
    if len(params.get("Tags", {})) > MAX_TAGS:
        raise ServiceError("TagsPerResourceExceededLimitException", f"A stream has at most {MAX_TAGS} tags.")


def _check_retention(hours: int) -> None:
    if not 0 <= hours <= MAX_RETENTION_HOURS:
        raise ServiceError(
            "InvalidArgumentException",
            f"A retention of {hours} hours is not within 0 to {MAX_RETENTION_HOURS}.",
        )


def _check_version(stream: VideoStream, version: str) -> None:
    if version != stream.version:
        raise ServiceError("VersionMismatchException", f"The version of {stream.name} is {stream.version}.")
