"""One test per patch of moto: that moto still needs it, and that it does what it is for.

After an upgrade of moto: where the part "moto alone" fails, the patch can go; where the rest fails, its
hook moved.
"""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from moto.cognitoidp.models import cognitoidp_backends
from moto.cognitoidp.responses import CognitoIdpJsonWebKeyResponse
from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.iam.access_control import PermissionResult
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.s3 import models as s3_models
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_aws_sdk,
    state_task_service_sqs,
)
from moto.stepfunctions.parser.asl.eval import variable_store
from moto.stepfunctions.parser.asl.jsonata import jsonata as moto_jsonata
from moto.stepfunctions.parser.models import StepFunctionsParserBackend, stepfunctions_parser_backends

from sightline_local.cloud import patches
from sightline_local.cloud.cognito import TokenKeys, UnknownIssuerError
from sightline_local.cloud.patches import buckets, calls, executions, expressions, roles
from tests.fakes.aws_clients import FakeAws

ACCOUNT, REGION = "123456789012", "us-east-1"
LAMBDA_LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
Run = Callable[[dict[str, Any]], Any]


@pytest.fixture(autouse=True)
def _moto_as_it_came() -> Iterator[None]:
    patches.undo()
    BackendDict.reset()
    yield
    patches.undo()
    BackendDict.reset()


@pytest.fixture
def aws() -> FakeAws:
    aws = FakeAws()
    calls.call_services_under_the_role(lambda service, role_arn, machine_arn: aws.client(service))
    return aws


@pytest.fixture
def run() -> Run:
    """Run a machine of one state to its end."""

    def run(state: dict[str, Any]) -> Any:
        backend = stepfunctions_parser_backends[ACCOUNT][REGION]
        states = {"Only": {"End": True, **state}, "Caught": {"Type": "Succeed"}}
        definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": "Only", "States": states})
        machine = backend.create_state_machine(
            "m", definition, "arn:aws:iam::123456789012:role/r", sm_type="STANDARD"
        )
        execution = backend.start_execution(machine.arn, "e", '{"text": "say \\"no\\""}')
        for _ in range(500):
            if execution.stop_date is not None:
                break
            threading.Event().wait(0.01)
        return execution

    return run


def task(resource: str, **arguments: object) -> dict[str, Any]:
    return {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:{resource}", "Arguments": arguments}


def test_moto_must_be_told_to_run_state_machines() -> None:
    default_user_config.pop("stepfunctions", None)
    calls.run_state_machines()
    assert default_user_config["stepfunctions"] == {"execute_state_machine": True}


def test_tasks_call_as_the_role_of_their_state_machine(run: Run) -> None:
    asked: list[tuple[str, str, str]] = []
    aws = FakeAws()
    assert not hasattr(state_task_service_sqs.boto_client_for, "__wrapped__")

    def client_for(service: str, role_arn: str, machine_arn: str) -> Any:
        asked.append((service, role_arn, machine_arn))
        return aws.client(service)

    calls.call_services_under_the_role(client_for)
    run(task("kinesis:createStream", StreamName="s"))
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
    assert asked == [("kinesis", "arn:aws:iam::123456789012:role/r", machine)]


def test_every_integration_of_moto_takes_the_patched_client(aws: FakeAws) -> None:
    patched = {owner.__name__.rsplit(".", 1)[-1] for owner, name, _ in patches._originals.values()}
    assert patched >= {
        "lambda_eval_utils",
        "state_task_service_aws_sdk",
        "state_task_service_dynamodb",
        "state_task_service_sns",
        "state_task_service_sqs",
    }


def test_fields_are_cased_as_step_functions_cases_them(run: Run, aws: FakeAws) -> None:
    aws.answers["kinesisvideo", "DescribeStream"] = {"StreamInfo": {"StreamARN": "arn:video"}}
    state = task("kinesisvideo:describeStream", StreamArn="arn:video")

    run(state)
    assert aws.parameters("kinesisvideo", "DescribeStream") == {"StreamArn": "arn:video"}  # moto alone

    BackendDict.reset()
    calls.write_fields_as_step_functions_does()
    execution = run(state)
    assert aws.parameters("kinesisvideo", "DescribeStream") == {"StreamARN": "arn:video"}
    assert execution.output == {"StreamInfo": {"StreamArn": "arn:video"}}


def test_moments_in_an_answer_are_texts(run: Run, aws: FakeAws) -> None:
    at = datetime(2026, 11, 22, 20, 0, 0, 5000, UTC)
    aws.answers["kinesisvideo", "DescribeStream"] = {"StreamInfo": {"CreationTime": at}}
    calls.write_fields_as_step_functions_does()
    execution = run(task("kinesisvideo:describeStream"))
    assert execution.output == {"StreamInfo": {"CreationTime": "2026-11-22T20:00:00.005Z"}}


def test_services_with_a_hyphen_are_found(run: Run, aws: FakeAws) -> None:
    state = task("redshiftdata:describeStatement", Id="x")
    run(state)
    assert aws.names() == []  # moto alone asks boto3 for a service that is not there

    BackendDict.reset()
    calls.find_services_as_step_functions_does()
    run(state)
    assert aws.names() == ["redshift-data:DescribeStatement"]


def test_negative_integers_stay_integers(run: Run, aws: FakeAws) -> None:
    state = task("lambda:createEventSourceMapping", MaximumRetryAttempts=-1, MaximumRecordAgeInSeconds=-1.5)

    def retries() -> Any:
        run(state)
        given = aws.parameters("lambda", "CreateEventSourceMapping")
        assert isinstance(given["MaximumRecordAgeInSeconds"], float)
        return given["MaximumRetryAttempts"]

    assert isinstance(retries(), float)  # moto alone
    BackendDict.reset()
    expressions.read_negative_integers()
    assert isinstance(retries(), int)


@pytest.mark.parametrize(
    ("service", "prefix"),
    [
        ("kinesisvideo", "KinesisVideo"),
        ("rekognition", "Rekognition"),
        ("kinesis", "Kinesis"),
        ("lambda", "Lambda"),
    ],
)
def test_errors_are_named_as_step_functions_names_them(service: str, prefix: str) -> None:
    name = state_task_service_aws_sdk.StateTaskServiceAwsSdk._normalise_service_error_name
    assert name(service) == service  # moto alone
    calls.name_errors_as_step_functions_does()
    assert name(service) == prefix
    assert name("dynamodb") == "DynamoDb"


def test_jsonata_is_evaluated() -> None:
    assert moto_jsonata._eval_jsonata is None  # moto alone
    expressions.evaluate_jsonata()
    assert moto_jsonata.eval_jsonata_expression('($a:={"b":[1,2]};$a.b[1] + 1)') == 3


@pytest.mark.parametrize(
    "value",
    ['say "no"', "two\nlines", "back\\slash", "grüße 😀\u2028", {"a": ['"']}, None, -1.5],
)
def test_values_survive_the_way_into_an_expression(value: object) -> None:
    expressions.evaluate_jsonata()
    expressions.quote_jsonata_values()
    declare = variable_store.encode_jsonata_variable_declarations
    assert moto_jsonata.eval_jsonata_expression(f"({declare({'$v': value})}$v)") == value


def test_moto_alone_breaks_on_a_quote() -> None:
    expressions.evaluate_jsonata()
    declared = moto_jsonata.encode_jsonata_variable_declarations({"$v": 'say "no"'})
    with pytest.raises(moto_jsonata.JSONataException):
        moto_jsonata.eval_jsonata_expression(f"({declared}$v)")


def test_an_expression_that_cannot_be_evaluated_can_be_caught(run: Run) -> None:
    state = {
        "Type": "Pass",
        "Output": "{% $number($states.input.text) %}",
    }
    expressions.evaluate_jsonata()
    expressions.quote_jsonata_values()
    assert run(state).error == "States.Runtime"  # moto alone

    BackendDict.reset()
    expressions.report_jsonata_errors()
    assert run(state).error == "States.QueryEvaluationError"


def test_two_requests_at_once_start_one_execution() -> None:
    executions.start_executions_as_step_functions_does()
    backend = stepfunctions_parser_backends[ACCOUNT][REGION]
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 1, "End": True}}})
    machine = backend.create_state_machine(
        "m", definition, "arn:aws:iam::123456789012:role/r", sm_type="STANDARD"
    )
    gate = threading.Barrier(8)

    def start() -> None:
        gate.wait()
        backend.start_execution(machine.arn, "same", "{}")

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(machine.executions) == 1


def test_executions_without_a_name_get_one_each(run: Run) -> None:
    backend = stepfunctions_parser_backends[ACCOUNT][REGION]
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    role = "arn:aws:iam::123456789012:role/r"
    machine = backend.create_state_machine("m", definition, role, sm_type="STANDARD")
    assert backend.start_execution(machine.arn).exec_arn.endswith(":m:None")  # moto alone

    executions.start_executions_as_step_functions_does()
    first, second = (backend.start_execution(machine.arn).name for _ in range(2))
    assert len(first) == 36
    assert first != second


def test_moto_looks_and_adds_without_a_lock() -> None:
    source = StepFunctionsParserBackend.start_execution.__code__.co_names
    assert "_handle_name_input_idempotency" in source
    assert "Lock" not in source
    assert "lock" not in source


def test_tokens_are_signed_with_the_key_of_this_start() -> None:
    keys = TokenKeys()
    keys.install()
    pool = cognitoidp_backends[ACCOUNT][REGION].create_user_pool("pool", {})
    pool._get_user = lambda username: type("User", (), {"id": "u-1"})  # type: ignore[method-assign]
    token, _ = pool.create_jwt("client", "someone", "access")

    issuer = f"https://cognito-idp.{REGION}.amazonaws.com/{pool.id}"
    claims = jwt.decode(token, KeySet.import_key_set(keys.jwks(issuer))).claims
    assert claims["iss"] == issuer
    assert json.loads(CognitoIdpJsonWebKeyResponse.json_web_key) == keys.public
    assert "d" not in keys.public["keys"][0]


def test_moto_alone_signs_with_a_key_from_its_source() -> None:
    pool = cognitoidp_backends[ACCOUNT][REGION].create_user_pool("pool", {})
    other = cognitoidp_backends[ACCOUNT][REGION].create_user_pool("other", {})
    assert isinstance(pool.json_web_key, RSAKey)
    assert pool.json_web_key.as_dict(private=True) == other.json_web_key.as_dict(private=True)


def test_the_issuer_of_another_pool_has_no_keys_here() -> None:
    with pytest.raises(UnknownIssuerError):
        TokenKeys().jwks(f"https://cognito-idp.{REGION}.amazonaws.com/us-east-1_other")


def test_a_managed_policy_is_known_once_it_is_attached() -> None:
    iam = iam_backends[ACCOUNT]["aws"]
    iam.create_role("r", "{}", "/", None, None, [], "3600")
    with pytest.raises(NotFoundException):
        iam.attach_role_policy(LAMBDA_LOGS, "r")  # moto alone

    roles.know_managed_policies_when_attached()
    iam.attach_role_policy(LAMBDA_LOGS, "r")
    assert "logs:PutLogEvents" in iam.get_role("r").managed_policies[LAMBDA_LOGS].versions[0].document
    with pytest.raises(NotFoundException):
        iam.attach_role_policy("arn:aws:iam::aws:policy/NoSuchPolicy", "r")


DENY_PLAIN = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "arn:aws:s3:::photos/*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def bucket_that_denies_what_is_not_tls() -> Any:
    bucket = s3_models.FakeBucket("photos", "123456789012", "us-east-1")
    del s3_models.s3_backends.bucket_accounts["photos"]  # or the next test would look for it there
    bucket.policy = json.dumps({"Version": "2012-10-17", "Statement": [DENY_PLAIN]}).encode()
    return bucket


def test_the_policy_of_a_bucket_is_the_gateways_business() -> None:
    buckets.leave_bucket_policies_to_the_gateway()

    verdict = bucket_that_denies_what_is_not_tls().get_permission("s3:GetObject", "arn:aws:s3:::photos/a")

    assert verdict is PermissionResult.NEUTRAL


def test_moto_alone_overlooks_the_condition_of_a_bucket_policy() -> None:
    verdict = bucket_that_denies_what_is_not_tls().get_permission("s3:GetObject", "arn:aws:s3:::photos/a")

    assert verdict is PermissionResult.DENIED
