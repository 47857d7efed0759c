"""IAM: who may do what, by the policies of roles, sessions and resources of one account."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sightline_local.deploy.iam import ROLE
from sightline_local.deploy.stack import check
from sightline_local.errors import DeployError, TemplateError
from sightline_local.template.scope import StackIdentity
from sightline_local.template.template import load_template

Client = Callable[[str], Any]
Refusal = Callable[..., ClientError]
ClientWith = Callable[..., Client]
GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
EVALUATION = pytest.mark.source(GUIDE + "reference_policies_evaluation-logic_policy-eval-denyallow.html")
OPERATORS = pytest.mark.source(GUIDE + "reference_policies_elements_condition_operators.html")
SETS = pytest.mark.source(GUIDE + "reference_policies_condition-single-vs-multi-valued-context-keys.html")
VARIABLES = pytest.mark.source(GUIDE + "reference_policies_variables.html")
KEYS = pytest.mark.source(GUIDE + "reference_policies_condition-keys.html")
GRAMMAR = pytest.mark.source(GUIDE + "reference_policies_grammar.html")
ACCOUNT, REGION = "123456789012", "us-east-1"

_numbers = count()


def arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def message_of(error: ClientError) -> str:
    return str(error.response["Error"]["Message"])


class Queue:
    """A queue of one test; its policy is what the test says."""

    def __init__(self, sqs: Any) -> None:
        self._sqs = sqs
        name = f"queue-{next(_numbers)}"
        self.url = str(sqs.create_queue(QueueName=name)["QueueUrl"])
        self.arn = arn("sqs", name)

    def allow(self, principal: Any, **more: Any) -> None:
        self.set(allow("sqs:SendMessage", self.arn, Principal=principal, **more))

    def set(self, *statements: dict[str, Any]) -> None:
        self._sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": document(*statements)})

    def bodies(self) -> list[str]:
        answer = self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
        return [message["Body"] for message in answer.get("Messages", [])]


@pytest.fixture
def queue(client: Client) -> Queue:
    return Queue(client("sqs"))


@pytest.fixture
def bucket(client: Client) -> Iterator[str]:
    name = f"bucket-{next(_numbers)}"
    client("s3").create_bucket(Bucket=name)
    client("s3").put_object(Bucket=name, Key="there", Body=b"x")
    yield name
    client("s3").delete_bucket_policy(Bucket=name)


# ------------------------------------------------------------------ one account


@EVALUATION
def test_nothing_is_allowed_that_no_policy_allows(
    client_with: ClientWith, queue: Queue, refusal: Refusal
) -> None:
    sqs = client_with(allow("sqs:ReceiveMessage", queue.arn))("sqs")

    error = refusal(sqs.send_message, QueueUrl=queue.url, MessageBody="x")

    assert message_of(error).endswith(
        f"is not authorized to perform: sqs:SendMessage on resource: {queue.arn} "
        "because no identity-based policy allows the sqs:SendMessage action"
    )


@EVALUATION
def test_within_an_account_the_policy_of_the_resource_alone_may_allow(
    role_with: Callable[..., str], keys_of: Callable[..., Client], queue: Queue
) -> None:
    role = role_with()
    queue.allow({"AWS": role})

    assert keys_of(role)("sqs").send_message(QueueUrl=queue.url, MessageBody="x")["MessageId"]


@pytest.mark.source(GUIDE + "reference_policies_elements_principal.html#principal-accounts")
def test_an_account_as_principal_only_delegates_to_its_identity_policies(
    client_with: ClientWith, queue: Queue, refusal: Refusal
) -> None:
    queue.allow({"AWS": ACCOUNT})

    refusal(client_with()("sqs").send_message, QueueUrl=queue.url, MessageBody="x")
    allowed = client_with(allow("sqs:SendMessage", queue.arn))("sqs")
    assert allowed.send_message(QueueUrl=queue.url, MessageBody="x")["MessageId"]


@EVALUATION
def test_an_explicit_deny_of_the_resource_wins_over_every_allow(
    client_with: ClientWith, queue: Queue, refusal: Refusal
) -> None:
    queue.set(deny("sqs:SendMessage", queue.arn, Principal="*"))
    sqs = client_with(allow("sqs:*"))("sqs")

    error = refusal(sqs.send_message, QueueUrl=queue.url, MessageBody="x")

    assert message_of(error).endswith("with an explicit deny in a resource-based policy")


@EVALUATION
def test_an_explicit_deny_of_the_identity_wins_over_the_resources_allow(
    role_with: Callable[..., str], keys_of: Callable[..., Client], queue: Queue, refusal: Refusal
) -> None:
    role = role_with(deny("sqs:SendMessage"))
    queue.allow({"AWS": role})

    error = refusal(keys_of(role)("sqs").send_message, QueueUrl=queue.url, MessageBody="x")

    assert message_of(error).endswith("with an explicit deny in an identity-based policy")


@pytest.mark.source(GUIDE + "access_policies.html#policies_session")
def test_a_session_policy_narrows_what_a_resource_policy_gives_the_role_and_not_what_it_gives_the_session(
    role_with: Callable[..., str], keys_of: Callable[..., Client], queue: Queue, refusal: Refusal
) -> None:
    role = role_with()
    narrowed = keys_of(role, Policy=document(allow("sns:Publish")))("sqs")

    queue.allow({"AWS": role})
    error = refusal(narrowed.send_message, QueueUrl=queue.url, MessageBody="x")
    queue.allow({"AWS": role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/session"})

    assert message_of(error).endswith("because no session policy allows the sqs:SendMessage action")
    assert narrowed.send_message(QueueUrl=queue.url, MessageBody="x")["MessageId"]


@EVALUATION
def test_a_change_of_a_policy_counts_for_the_next_request(
    client: Client,
    role_with: Callable[..., str],
    keys_of: Callable[..., Client],
    queue: Queue,
    refusal: Refusal,
) -> None:
    role = role_with(allow("sqs:SendMessage"))
    sqs, name = keys_of(role)("sqs"), role.rpartition("/")[2]
    sqs.send_message(QueueUrl=queue.url, MessageBody="x")

    client("iam").put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(deny("sqs:*")))
    refusal(sqs.send_message, QueueUrl=queue.url, MessageBody="x")
    client("iam").delete_role_policy(RoleName=name, PolicyName="own")
    refusal(sqs.send_message, QueueUrl=queue.url, MessageBody="x")
    queue.allow({"AWS": role})
    sqs.send_message(QueueUrl=queue.url, MessageBody="x")


# ------------------------------------------------------------------ services


@pytest.mark.source("https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html")
def test_sns_reaches_a_queue_only_if_the_queue_lets_it_for_this_topic(
    client: Client, queue: Queue, until: Callable[..., Any]
) -> None:
    sns = client("sns")
    topic = sns.create_topic(Name=f"topic-{next(_numbers)}")["TopicArn"]
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"}
    )
    sns_may = {"Service": "sns.amazonaws.com"}

    sns.publish(TopicArn=topic, Message="without a policy")
    queue.allow(sns_may, Condition={"ArnEquals": {"aws:SourceArn": topic + "-other"}})
    sns.publish(TopicArn=topic, Message="for another topic")
    queue.allow(sns_may, Condition={"ArnEquals": {"aws:SourceArn": topic}})
    sns.publish(TopicArn=topic, Message="for this one")
    queue.allow(sns_may, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}})
    sns.publish(TopicArn=topic, Message="for this account")

    assert until(queue.bodies) == ["for this one", "for this account"]


@pytest.mark.source("https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html")
def test_what_a_queue_does_not_let_in_goes_to_the_subscriptions_dead_letter_queue(
    client: Client, queue: Queue, until: Callable[..., Any]
) -> None:
    sns, dead = client("sns"), Queue(client("sqs"))
    dead.allow({"Service": "sns.amazonaws.com"})
    topic = sns.create_topic(Name=f"topic-{next(_numbers)}")["TopicArn"]
    redrive = json.dumps({"deadLetterTargetArn": dead.arn})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RedrivePolicy": redrive})

    sns.publish(TopicArn=topic, Message="refused")

    (body,) = until(dead.bodies)
    assert json.loads(body)["Message"] == "refused"


@pytest.mark.source("https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html")
def test_a_topic_begins_with_a_policy_that_lets_no_role_in(
    client: Client, role_with: Callable[..., str], keys_of: Callable[..., Client], refusal: Refusal
) -> None:
    role = role_with()
    topic = client("sns").create_topic(Name=f"topic-{next(_numbers)}")["TopicArn"]
    sns = keys_of(role)("sns")

    error = refusal(sns.publish, TopicArn=topic, Message="x")
    policy = document(allow("sns:Publish", topic, Principal={"AWS": role}))
    client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)

    assert error.response["Error"]["Code"] == "AuthorizationError"
    assert sns.publish(TopicArn=topic, Message="x")["MessageId"]


# ------------------------------------------------------------------ roles


@pytest.mark.source("https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html")
def test_a_trust_policy_that_names_the_role_itself_is_enough_and_one_that_names_the_account_is_not(
    role_with: Callable[..., str], keys_of: Callable[..., Client], refusal: Refusal
) -> None:
    caller = role_with()
    sts = keys_of(caller)("sts")
    by_role, by_account = role_with(trust={"Principal": {"AWS": caller}}), role_with()

    error = refusal(sts.assume_role, RoleArn=by_account, RoleSessionName="session")

    assert "because no identity-based policy allows the sts:AssumeRole action" in message_of(error)
    assert sts.assume_role(RoleArn=by_role, RoleSessionName="session")["Credentials"]


@pytest.mark.source(GUIDE + "confused-deputy.html")
def test_a_trust_policy_may_ask_for_whom_a_service_acts(
    client: Client, refusal: Refusal, until: Callable[..., Any]
) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnLike": {"aws:SourceArn": arn("states", "stateMachine:ours-*")}},
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": statement})
    role = client("iam").create_role(RoleName="deputy", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    definition = json.dumps(
        {
            "StartAt": "Ask",
            "States": {
                "Ask": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::aws-sdk:sts:getCallerIdentity",
                    "End": True,
                }
            },
        }
    )
    machines = client("stepfunctions")

    wanted = {"definition": definition, "roleArn": role}
    error = refusal(machines.create_state_machine, name="theirs-1", **wanted)
    made = machines.create_state_machine(name="ours-1", **wanted)["stateMachineArn"]
    run = machines.start_execution(stateMachineArn=made)["executionArn"]
    ended = until(lambda: _ended(machines.describe_execution(executionArn=run)))

    assert error.response["Error"]["Code"] == "AccessDeniedException"
    assert ended["status"] == "SUCCEEDED"


@pytest.mark.source(GUIDE + "id_roles_use_passrole.html")
def test_handing_a_role_to_a_service_needs_pass_role_for_that_service(
    role_with: Callable[..., str], client_with: ClientWith, refusal: Refusal
) -> None:
    role = role_with(trust={"Principal": {"Service": "states.amazonaws.com"}})
    create = allow("states:CreateStateMachine")
    definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})

    def made_by(*statements: dict[str, Any]) -> Callable[..., Any]:
        client = client_with(create, *statements)("stepfunctions")
        return lambda: client.create_state_machine(
            name=f"machine-{next(_numbers)}", definition=definition, roleArn=role
        )

    to_lambda = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    to_states = {"StringEquals": {"iam:PassedToService": "states.amazonaws.com"}}

    assert "perform: iam:PassRole on resource: " + role in message_of(refusal(made_by()))
    refusal(made_by(allow("iam:PassRole", role, Condition=to_lambda)))
    assert made_by(allow("iam:PassRole", role, Condition=to_states))()["stateMachineArn"]


# ------------------------------------------------------------------ conditions and variables


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"StringEquals": {"s3:prefix": "a/"}}, True),
        ({"StringEquals": {"s3:prefix": ["b/", "a/"]}}, True),
        ({"StringNotEquals": {"s3:prefix": ["b/", "a/"]}}, False),
        ({"StringLike": {"s3:prefix": "a*"}}, True),
        ({"StringEquals": {"s3:prefix": "a*"}}, False),
        ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, True),
        ({"NumericGreaterThan": {"s3:max-keys": "10"}}, False),
        ({"StringEquals": {"s3:delimiter": "/"}}, False),
        ({"StringNotEquals": {"s3:delimiter": "/"}}, True),
        ({"StringEqualsIfExists": {"s3:delimiter": "/"}}, True),
        ({"Null": {"s3:delimiter": "true"}}, True),
        ({"Null": {"s3:prefix": "true"}}, False),
        ({"StringEquals": {"s3:prefix": "a/", "s3:delimiter": "/"}}, False),
        ({"StringEquals": {"s3:prefix": "a/"}, "Null": {"s3:delimiter": "true"}}, True),
    ],
)
@OPERATORS
def test_values_are_alternatives_keys_and_operators_add_up_and_a_missing_key_fails_unless_negated(
    condition: dict[str, Any], allowed: bool, client_with: ClientWith, bucket: str
) -> None:
    s3 = client_with(allow("s3:ListBucket", f"arn:aws:s3:::{bucket}", Condition=condition))("s3")

    assert _may(lambda: s3.list_objects_v2(Bucket=bucket, Prefix="a/", MaxKeys=10)) is allowed


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, True),
        ({"DateLessThan": {"aws:EpochTime": "1577836800"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"Bool": {"aws:PrincipalIsAWSService": "true"}}, False),
        ({"StringEquals": {"aws:PrincipalAccount": ACCOUNT, "aws:RequestedRegion": REGION}}, True),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*"}}, False),
        ({"StringLike": {"aws:userid": "AROA*:session", "aws:UserAgent": "Boto3*"}}, True),
        ({"StringEquals": {"aws:ResourceAccount": "210987654321"}}, False),
        ({"Null": {"aws:SourceArn": "true"}}, True),
    ],
)
@KEYS
def test_every_request_has_the_keys_of_its_principal_its_network_and_its_time(
    condition: dict[str, Any], allowed: bool, client_with: ClientWith
) -> None:
    sqs = client_with(allow("sqs:ListQueues", Condition=condition))("sqs")

    assert _may(sqs.list_queues) is allowed


@SETS
def test_for_all_values_holds_of_no_value_and_for_any_value_does_not(client_with: ClientWith) -> None:
    def may(word: str) -> bool:
        condition = {f"{word}:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}}
        return _may(client_with(allow("sqs:ListQueues", Condition=condition))("sqs").list_queues)

    assert (may("ForAllValues"), may("ForAnyValue")) == (True, False)


@VARIABLES
def test_a_variable_is_the_value_of_the_request_and_without_one_nothing_matches(
    role_with: Callable[..., str], keys_of: Callable[..., Client], bucket: str
) -> None:
    def may(resource: str, key: str) -> bool:
        s3 = keys_of(role_with(allow("s3:PutObject", f"arn:aws:s3:::{bucket}/{resource}")))("s3")
        return _may(lambda: s3.put_object(Bucket=bucket, Key=key, Body=b"x"))

    assert may("${aws:PrincipalAccount}/*", f"{ACCOUNT}/a")
    assert not may("${aws:PrincipalAccount}/*", "210987654321/a")
    assert not may("${aws:username}/*", "/a")
    assert may("${aws:username, 'nobody'}/*", "nobody/a")
    assert may("${*}/a", "*/a")
    assert not may("${*}/a", "b/a")


@pytest.mark.source(GUIDE + "reference_policies_elements_resource.html")
def test_a_wildcard_stays_within_its_part_of_the_arn(client_with: ClientWith, queue: Queue) -> None:
    def may(resource: str) -> bool:
        sqs = client_with(allow("sqs:SendMessage", resource))("sqs")
        return _may(lambda: sqs.send_message(QueueUrl=queue.url, MessageBody="x"))

    assert may("arn:aws:sqs:*:*:queue-*")
    assert not may("arn:aws:sqs:*")


# ------------------------------------------------------------------ S3


@pytest.mark.source("https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html")
def test_a_missing_object_is_a_404_only_for_who_may_list_the_bucket(
    client_with: ClientWith, bucket: str, refusal: Refusal
) -> None:
    read, listed = allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"), allow("s3:ListBucket")

    blind, seeing = client_with(read)("s3"), client_with(read, listed)("s3")

    assert refusal(blind.get_object, Bucket=bucket, Key="gone").response["Error"]["Code"] == "AccessDenied"
    assert refusal(seeing.get_object, Bucket=bucket, Key="gone").response["Error"]["Code"] == "NoSuchKey"
    assert refusal(blind.head_object, Bucket=bucket, Key="gone").response["Error"]["Code"] == "403"
    assert refusal(seeing.head_object, Bucket=bucket, Key="gone").response["Error"]["Code"] == "404"
    assert blind.get_object(Bucket=bucket, Key="there")["Body"].read() == b"x"


@pytest.mark.source("https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html")
def test_a_bucket_may_refuse_what_does_not_come_over_tls(
    client: Client, client_with: ClientWith, bucket: str
) -> None:
    objects = f"arn:aws:s3:::{bucket}/*"
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    policy = document(deny("s3:*", [f"arn:aws:s3:::{bucket}", objects], Principal="*", Condition=plain))
    client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
    s3 = client_with(allow("s3:GetObject", objects))("s3")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "there"})

    assert s3.get_object(Bucket=bucket, Key="there")["Body"].read() == b"x"
    with urllib.request.urlopen(url) as answer:
        assert answer.status == 200
    # The loopback counts as TLS; who says that it was plain HTTP before a proxy is believed.
    request = urllib.request.Request(url, headers={"X-Forwarded-Proto": "http"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request)


# ------------------------------------------------------------------ what needs more than one permission


@pytest.mark.source("https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html")
def test_tags_of_a_new_stream_need_the_permission_to_add_tags(
    client_with: ClientWith, refusal: Refusal
) -> None:
    def create(*statements: dict[str, Any]) -> Callable[..., Any]:
        kinesis = client_with(*statements)("kinesis")
        return lambda **more: kinesis.create_stream(
            StreamName=f"stream-{next(_numbers)}", ShardCount=1, **more
        )

    may_create = allow("kinesis:CreateStream")

    create(may_create)()
    assert "kinesis:AddTagsToStream" in message_of(refusal(create(may_create), Tags={"a": "b"}))
    create(may_create, allow("kinesis:AddTagsToStream"))(Tags={"a": "b"})


# ------------------------------------------------------------------ documents


@pytest.mark.parametrize(
    ("properties", "line", "said"),
    [
        ("Action: sqs:SendMessage, Resource: '*', Principal: '*'", 9, "an identity policy has no Principal"),
        ("Action: SendMessage, Resource: '*'", 9, "an action is written service:Name"),
        ("Action: sqs:SendMessage, Resource: orders", 9, "a resource is an ARN or *"),
        ("Action: sqs:SendMessage", 9, "either Resource or NotResource"),
        ("Action: sqs:SendMessage, Resource: '*', Condition: {StringIs: {a: b}}", 9, "operator StringIs"),
    ],
)
@GRAMMAR
def test_a_role_whose_document_is_no_policy_is_not_made(
    properties: str, line: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "template.yaml").write_text(
        f"""\
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: own
          PolicyDocument:
            Statement:
              - {{Effect: Allow, {properties}}}
      AssumeRolePolicyDocument:
        Statement: {{Effect: Allow, Action: sts:AssumeRole, Principal: {{Service: lambda.amazonaws.com}}}}
"""
    )
    stack = StackIdentity("conformance", REGION, ACCOUNT)
    template = load_template(tmp_path / "template.yaml", stack, {})

    with pytest.raises(TemplateError, match=f"^template.yaml:{line}: Role: .*{re.escape(said)}"):
        check(template)


LONG = ", ".join(f"'arn:aws:sqs:us-east-1:123456789012:a-queue-with-a-long-name-{n}'" for n in range(200))


@pytest.mark.parametrize(
    ("policies", "trusted", "said"),
    [
        (f"{{Effect: Allow, Action: sqs:SendMessage, Resource: [{LONG}]}}", ACCOUNT, "10240 are the most"),
        (
            "{Effect: Allow, Action: sqs:SendMessage, Resource: '*'}",
            f"arn:aws:iam::{ACCOUNT}:role/nobody",
            "invalid principal in policy",
        ),
    ],
    ids=["too long", "nobody"],
)
@pytest.mark.source(GUIDE + "reference_iam-quotas.html")
def test_the_documents_of_a_role_have_a_size_and_name_principals_that_there_are(
    policies: str, trusted: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "template.yaml").write_text(
        f"""\
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies: [{{PolicyName: own, PolicyDocument: {{Statement: [{policies}]}}}}]
      AssumeRolePolicyDocument:
        Statement: {{Effect: Allow, Action: sts:AssumeRole, Principal: {{AWS: '{trusted}'}}}}
"""
    )
    template = load_template(tmp_path / "template.yaml", StackIdentity("conformance", REGION, ACCOUNT), {})
    (role,) = template.resources
    site: Any = SimpleNamespace(stack=template.identity, physical_name=str)

    with pytest.raises(DeployError, match=said):
        ROLE.create(role, role.properties, site)


def _ended(execution: dict[str, Any]) -> dict[str, Any] | None:
    return None if execution["status"] == "RUNNING" else execution


def _may(call: Callable[[], Any]) -> bool:
    try:
        call()
    except ClientError as error:
        if "is not authorized to perform" in message_of(error):
            return False
        raise
    return True
