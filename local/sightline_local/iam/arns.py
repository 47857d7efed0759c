"""From the parameters of a request to the ARN of what it touches."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends

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
    """Kinesis itself knows which stream an iterator is of, and says so as StreamARN."""
    return [str(arn) for arn in named("kinesis", "stream/", "StreamARN", "StreamName")(place, params)]


def new_stream(place: Place, params: Params) -> list[str | Need]:
    """Tags of a new stream need the permission to add them, too."""
    arns = data_stream(place, params)
    return [*arns, *(Need("kinesis:AddTagsToStream", arn) for arn in arns if params.get("Tags"))]


def stream_consumer(place: Place, params: Params) -> list[str]:
    """`stream/NAME/consumer/CONSUMER:CREATED`; a request by names leaves CREATED open."""
    if arn := params.get("ConsumerARN"):
        return [str(arn)]
    return [f"{arn}/consumer/{params.get('ConsumerName', '*')}:*" for arn in data_stream(place, params)]


def video_stream(place: Place, params: Params) -> list[str]:
    """`stream/NAME/CREATED`; before the stream exists (or when its time is unknown) CREATED is a star."""
    if arn := params.get("StreamARN") or params.get("ResourceARN"):
        return [str(arn)]
    return (
        [place.arn("kinesisvideo", f"stream/{params['StreamName']}/*")] if params.get("StreamName") else ["*"]
    )


def new_video_stream(place: Place, params: Params) -> list[str | Need]:
    arns = video_stream(place, params)
    return [*arns, *(Need("kinesisvideo:TagStream", arn) for arn in arns if params.get("Tags"))]


def queue(place: Place, params: Params) -> list[str]:
    name = params.get("QueueName") or str(params.get("QueueUrl", "")).rstrip("/").rsplit("/", 1)[-1]
    return [place.arn("sqs", name)]


def topic(place: Place, params: Params) -> list[str]:
    if subscription := params.get("SubscriptionArn"):
        return [str(subscription).rsplit(":", 1)[0]]
    return [str(arn) for arn in given("TopicArn", "TargetArn", "ResourceArn")(place, params)]


def new_subscription(place: Place, params: Params) -> list[Need]:
    """Policies may ask what is to be told, and where."""
    context = {
        "sns:protocol": str(params.get("Protocol", "")),
        "sns:endpoint": str(params.get("Endpoint", "")),
    }
    return [Need("sns:Subscribe", arn, context) for arn in topic(place, params)]


def schedule(place: Place, params: Params) -> list[str]:
    group = params.get("GroupName", "default")
    return [place.arn("scheduler", f"schedule/{group}/{params.get('Name', '*')}")]


def role_of_schedule(_place: Place, params: Params) -> list[Need]:
    role_arn = params.get("Target", {}).get("RoleArn")
    context = {"iam:PassedToService": "scheduler.amazonaws.com"}
    return [Need("iam:PassRole", role_arn, context)] if role_arn else []


def bucket(_place: Place, params: Params) -> list[str]:
    return [f"arn:aws:s3:::{params['Bucket']}"]


def objects_of_bucket(_place: Place, params: Params) -> list[Need]:
    """Listing: policies may ask for what."""
    given = {"s3:prefix": "Prefix", "s3:delimiter": "Delimiter", "s3:max-keys": "MaxKeys"}
    context = {key: str(params[name]) for key, name in given.items() if params.get(name) is not None}
    return [Need("s3:ListBucket", f"arn:aws:s3:::{params['Bucket']}", context)]


def bucket_object(_place: Place, params: Params) -> list[str]:
    return [f"arn:aws:s3:::{params['Bucket']}/{params['Key']}"]


def read_object(place: Place, params: Params) -> list[str | Need]:
    """Whether an object is missing, S3 tells only those who may list the bucket (404 for them, 403 else)."""
    needs: list[str | Need] = [*bucket_object(place, params)]
    bucket = s3_backends[place.account]["aws"].buckets.get(params["Bucket"])
    if bucket is not None and params["Key"] not in bucket.keys:
        needs.append(Need("s3:ListBucket", f"arn:aws:s3:::{params['Bucket']}"))
    return needs


def bucket_objects(_place: Place, params: Params) -> list[str]:
    return [f"arn:aws:s3:::{params['Bucket']}/{item['Key']}" for item in params["Delete"]["Objects"]]


def copied_object(place: Place, params: Params) -> list[str | Need]:
    source = str(params["CopySource"]).lstrip("/").partition("?")[0]
    return [Need("s3:GetObject", f"arn:aws:s3:::{source}"), *bucket_object(place, params)]


def function(place: Place, params: Params) -> list[str]:
    """Name, partial ARN or ARN; who names a version or alias is asked for the permission on that."""
    text = str(params.get("FunctionName", ""))
    name, _, version = (text.partition(":function:")[2] or text).partition(":")
    qualifier = params.get("Qualifier") or version
    return [place.arn("lambda", f"function:{name}:{qualifier}" if qualifier else f"function:{name}")]


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


def assumed_role(_place: Place, params: Params) -> list[Need]:
    given = {"sts:externalid": "ExternalId", "sts:rolesessionname": "RoleSessionName"}
    context = {key: str(params[name]) for key, name in given.items() if params.get(name)}
    return [Need("sts:AssumeRole", str(params["RoleArn"]), context)]


def roles_of_delivery_stream(_place: Place, params: Params) -> list[Need]:
    """Source, destination, processors and backup may each name a role."""
    context = {"iam:PassedToService": "firehose.amazonaws.com"}
    return [Need("iam:PassRole", arn, context) for arn in sorted(set(_roles_in(params)))]


def _roles_in(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from [inner] if name == "RoleARN" and isinstance(inner, str) else _roles_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _roles_in(inner)


def workgroups(place: Place, params: Params) -> list[str]:
    """Athena itself knows of which workgroups a query is, and says so as WorkGroups."""
    return [place.arn("athena", f"workgroup/{name}") for name in params.get("WorkGroups", ["*"])]


def glue_database(place: Place, params: Params) -> list[str]:
    """Glue asks for the thing and for everything that it is in."""
    name = (
        params.get("DatabaseName") or params.get("Name") or params.get("DatabaseInput", {}).get("Name", "*")
    )
    return [place.arn("glue", "catalog"), place.arn("glue", f"database/{name}")]


def glue_table(place: Place, params: Params) -> list[str]:
    database = params.get("DatabaseName", "*")
    name = params.get("TableName") or params.get("Name") or params.get("TableInput", {}).get("Name", "*")
    around = [place.arn("glue", "catalog"), place.arn("glue", f"database/{database}")]
    return [*around, place.arn("glue", f"table/{database}/{name}")]


def secret(place: Place, params: Params) -> list[str]:
    """Callers may know a secret by its name; policies by its ARN, which has six letters more."""
    wanted = str(params.get("SecretId") or params.get("Name") or "*")
    known = secretsmanager_backends[place.account][place.region].secrets.get(wanted)
    if known is not None:
        return [str(known.arn)]
    return [wanted if wanted.startswith("arn:") else place.arn("secretsmanager", f"secret:{wanted}-??????")]


def log_stream(place: Place, params: Params) -> list[str]:
    stream = params.get("logStreamName")
    group = place.arn("logs", f"log-group:{params.get('logGroupName', '*')}")
    return [f"{group}:log-stream:{stream}" if stream else f"{group}:*"]


def stack(place: Place, params: Params) -> list[str]:
    name = str(params.get("StackName", "*"))
    return [name if name.startswith("arn:") else place.arn("cloudformation", f"stack/{name}/*")]
