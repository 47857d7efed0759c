"""From the parameters of a request to the ARN of what it touches."""

from base64 import b64decode
from binascii import Error as NotBase64Error
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the resources of one local runtime live."""

    account: str
    region: str

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"

    def global_arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}::{self.account}:{rest}"


@dataclass(frozen=True, slots=True)
class Need:
    """One permission that a request needs."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


Rule = Callable[[Place, Params], Iterable["str | Need"]]  # a plain string needs the request's own action


def anything(_place: Place, _params: Params) -> list[str]:
    """AWS knows no resource for the action: a policy must say `*`."""
    return ["*"]


def nothing(_place: Place, _params: Params) -> list[str]:
    """AWS asks for no permission."""
    return []


def given(*names: str) -> Rule:
    """The first of these parameters that is there is the ARN."""
    return lambda _place, params: [next((str(params[n]) for n in names if params.get(n)), "*")]


def named(service: str, kind: str, *names: str) -> Rule:
    """The first of these parameters that is there is a name, or an ARN already."""

    def rule(place: Place, params: Params) -> list[str]:
        value = next((str(params[name]) for name in names if params.get(name)), None)
        if value is None:
            return ["*"]
        return [value if value.startswith("arn:") else place.arn(service, f"{kind}{value}")]

    return rule


def every(*rules: Rule) -> Rule:
    return lambda place, params: [need for rule in rules for need in rule(place, params)]


def passes_role(parameter: str, service: str) -> Rule:
    """Handing a role to a service needs iam:PassRole on it."""
    context = {"iam:PassedToService": service}
    return lambda _place, params: (
        [Need("iam:PassRole", params[parameter], context)] if params.get(parameter) else []
    )


table = named("dynamodb", "table/", "TableName")


def table_or_index(place: Place, params: Params) -> list[str]:
    index = f"/index/{params['IndexName']}" if params.get("IndexName") else ""
    return [f"{arn}{index}" for arn in table(place, params)]  # type: ignore[str-bytes-safe]


def tables_of_batch(place: Place, params: Params) -> list[str]:
    return [str(arn) for name in params.get("RequestItems", {}) for arn in table(place, {"TableName": name})]


def tables_of_transaction(place: Place, params: Params) -> list[Need]:
    """A transaction needs the action of each of its parts."""
    actions = {"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
    return [
        Need(f"dynamodb:{actions.get(verb, 'ConditionCheckItem')}", str(arn))
        for item in params.get("TransactItems", [])
        for verb, part in item.items()
        for arn in table(place, part)
    ]


def data_stream(place: Place, params: Params) -> list[str]:
    if iterator := params.get("ShardIterator"):
        return [place.arn("kinesis", f"stream/{_stream_of_iterator(iterator)}")]
    return [str(arn) for arn in named("kinesis", "stream/", "StreamARN", "StreamName")(place, params)]


def _stream_of_iterator(iterator: str) -> str:
    try:
        return b64decode(iterator).decode().split(":")[0]  # moto writes stream:shard:position:…
    except (NotBase64Error, UnicodeDecodeError):
        return ""


def video_stream(place: Place, params: Params) -> list[str]:
    """`stream/NAME/CREATED`; before the stream exists (or when its time is unknown) CREATED is a star."""
    if arn := params.get("StreamARN") or params.get("ResourceARN"):
        return [str(arn)]
    return (
        [place.arn("kinesisvideo", f"stream/{params['StreamName']}/*")] if params.get("StreamName") else ["*"]
    )


def queue(place: Place, params: Params) -> list[str]:
    name = params.get("QueueName") or str(params.get("QueueUrl", "")).rstrip("/").rsplit("/", 1)[-1]
    return [place.arn("sqs", name)]


def topic(place: Place, params: Params) -> list[str]:
    if subscription := params.get("SubscriptionArn"):
        return [str(subscription).rsplit(":", 1)[0]]
    return [str(arn) for arn in given("TopicArn", "TargetArn", "ResourceArn")(place, params)]


def schedule(place: Place, params: Params) -> list[str]:
    group = params.get("GroupName", "default")
    return [place.arn("scheduler", f"schedule/{group}/{params.get('Name', '*')}")]


def role_of_schedule(_place: Place, params: Params) -> list[Need]:
    role_arn = params.get("Target", {}).get("RoleArn")
    context = {"iam:PassedToService": "scheduler.amazonaws.com"}
    return [Need("iam:PassRole", role_arn, context)] if role_arn else []


def bucket(_place: Place, params: Params) -> list[str]:
    return [f"arn:aws:s3:::{params['Bucket']}"]


def bucket_object(_place: Place, params: Params) -> list[str]:
    return [f"arn:aws:s3:::{params['Bucket']}/{params['Key']}"]


def bucket_objects(_place: Place, params: Params) -> list[str]:
    return [f"arn:aws:s3:::{params['Bucket']}/{item['Key']}" for item in params["Delete"]["Objects"]]


def copied_object(place: Place, params: Params) -> list[str | Need]:
    source = str(params["CopySource"]).lstrip("/").partition("?")[0]
    return [Need("s3:GetObject", f"arn:aws:s3:::{source}"), *bucket_object(place, params)]


def function(place: Place, params: Params) -> list[str]:
    """Name, partial ARN or ARN, each with or without a qualifier."""
    text = str(params.get("FunctionName", ""))
    name = (text.partition(":function:")[2] or text).split(":")[0]
    return [place.arn("lambda", f"function:{name}")]


def any_mapping(place: Place, params: Params) -> list[Need]:
    """Its ARN does not exist yet; lambda:FunctionArn names the function that it will feed."""
    context = {"lambda:FunctionArn": function(place, params)[0]}
    return [Need("lambda:CreateEventSourceMapping", "*", context)]


def event_source_mapping(action: str) -> Rule:
    def rule(place: Place, params: Params) -> list[Need]:
        # The Lambda service resolves the UUID to the mapped function's ARN before this runs.
        context = {"lambda:FunctionArn": params["MappedFunctionArn"]} if "MappedFunctionArn" in params else {}
        return [Need(action, place.arn("lambda", f"event-source-mapping:{params['UUID']}"), context)]

    return rule


def role(place: Place, params: Params) -> list[str]:
    return [place.global_arn("iam", f"role/{params.get('RoleName', '*')}")]


def log_stream(place: Place, params: Params) -> list[str]:
    stream = params.get("logStreamName")
    group = place.arn("logs", f"log-group:{params.get('logGroupName', '*')}")
    return [f"{group}:log-stream:{stream}" if stream else f"{group}:*"]


def stack(place: Place, params: Params) -> list[str]:
    name = str(params.get("StackName", "*"))
    return [name if name.startswith("arn:") else place.arn("cloudformation", f"stack/{name}/*")]
