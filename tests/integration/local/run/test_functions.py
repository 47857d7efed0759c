"""Functions in processes of their own: what they see, how they fail, what is written down."""

import base64
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sightline_local.functions.spec import FunctionNotFound, InvokeResult
from sightline_local.iam import TrustDenied

ECHO = "def handle(event, context): return event\n"


def answer(result: InvokeResult) -> Any:
    return json.loads(result.payload)


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists() if Path("/proc").exists() else _signalled(pid)


def _signalled(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_the_handler_returns_is_the_answer(cloud: Any) -> None:
    cloud.function("echo", ECHO)

    result = cloud.functions.invoke("echo", b'{"a": [1, "\xc3\xbc"]}')

    assert (answer(result), result.error) == ({"a": [1, "ü"]}, False)


def test_a_function_answers_by_name_and_by_every_form_of_its_arn(cloud: Any) -> None:
    arn = cloud.function("echo", ECHO)

    for name in ("echo", arn, f"{arn}:$LATEST", "123456789012:function:echo"):
        assert answer(cloud.functions.invoke(name, b"1")) == 1


def test_a_function_that_nobody_deployed_is_not_found(cloud: Any) -> None:
    with pytest.raises(FunctionNotFound):
        cloud.functions.invoke("nobody", b"{}")


def test_a_role_that_does_not_trust_lambda_is_refused_at_once(cloud: Any) -> None:
    cloud.role(name="shy-role", trust={"Principal": {"Service": "states.amazonaws.com"}})

    with pytest.raises(TrustDenied):
        cloud.function("shy", ECHO)


SURROUNDINGS = """
import json, os, sys, time
def handle(event, context):
    return {
        "environment": dict(os.environ), "cwd": os.getcwd(), "zone": time.strftime("%Z"),
        "path": sys.path[:3],
        "id": context.aws_request_id, "name": context.function_name, "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb, "left": context.get_remaining_time_in_millis(),
    }
"""


def test_a_function_sees_what_it_would_see_on_lambda(cloud: Any) -> None:
    layer = cloud.folder / "layer"
    (layer / "python").mkdir(parents=True)
    environment = {"TABLE": "t", "AWS_REGION": "cannot be replaced"}
    arn = cloud.function("look", SURROUNDINGS, environment=environment, layer_dirs=(layer,))

    result = cloud.functions.invoke("look", b"{}")

    seen = answer(result)
    variables = seen.pop("environment")
    assert 0 < seen.pop("left") <= 5000
    assert seen == {
        "cwd": str(cloud.folder / "look"),
        "zone": "UTC",
        "path": [str(cloud.folder / "look"), str(layer / "python"), seen["path"][2]],
        "id": result.request_id,
        "name": "look",
        "arn": arn,
        "memory": "256",
    }
    assert variables["TABLE"] == "t"
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "us-east-1"
    assert variables["AWS_ENDPOINT_URL"] == cloud.clients.endpoint_url
    assert variables["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert variables["_HANDLER"] == "handler.handle"
    assert variables["LAMBDA_TASK_ROOT"] == seen["cwd"]
    assert variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert not [name for name in variables if name.startswith("PYTEST")]


def test_a_function_acts_with_its_own_role(cloud: Any) -> None:
    source = "import boto3\ndef handle(e, c): return boto3.client('sts').get_caller_identity()['Arn']\n"
    cloud.function("who", source)

    assert answer(cloud.functions.invoke("who", b"{}")) == (
        "arn:aws:sts::123456789012:assumed-role/who-role/who"
    )


def test_a_function_is_denied_what_its_role_does_not_allow(cloud: Any) -> None:
    cloud.function("list", "import boto3\ndef handle(e, c): boto3.client('dynamodb').list_tables()\n")

    result = cloud.functions.invoke("list", b"{}")

    assert result.error
    assert (
        "assumed-role/list-role/list is not authorized to perform: dynamodb:ListTables"
        in (answer(result)["errorMessage"])
    )


def test_an_exception_is_the_error_object_of_lambda(cloud: Any) -> None:
    cloud.function("bad", "def handle(event, context): raise ValueError('no such thing')\n")

    result = cloud.functions.invoke("bad", b"{}")

    error = answer(result)
    assert result.error
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no such thing")
    assert error["requestId"] == result.request_id
    assert any("handler.py" in line for line in error["stackTrace"])


@pytest.mark.parametrize(
    ("source", "error_type", "message"),
    [
        ("import nothing_like_it\n", "Runtime.ImportModuleError", "nothing_like_it"),
        ("def other(): ...\n", "Runtime.HandlerNotFound", "Handler 'handle' missing"),
        ("def handle(:\n", "Runtime.UserCodeSyntaxError", "Syntax error"),
        ("raise RuntimeError('at import')\n", "RuntimeError", "at import"),
        ("def handle(e, c): return object()\n", "Runtime.MarshalError", "not JSON serializable"),
        ("import os\ndef handle(e, c): os._exit(3)\n", "Runtime.ExitError", "exit status 3"),
        ("import sys\ndef handle(e, c): sys.exit(0)\n", "Runtime.ExitError", "without providing a reason"),
        (
            "import os\ndef handle(e, c): os.kill(os.getpid(), 9)\n",
            "Runtime.ExitError",
            "signal: killed",
        ),
        (
            "def handle(e, c): return 'x' * 7_000_000\n",
            "Function.ResponseSizeTooLarge",
            "exceeded maximum allowed payload size",
        ),
    ],
    ids=["import", "no handler", "syntax", "init", "marshal", "exit 3", "exit 0", "killed", "too large"],
)
def test_every_failure_has_the_error_type_of_lambda(
    cloud: Any, source: str, error_type: str, message: str
) -> None:
    cloud.function("bad", source)

    result = cloud.functions.invoke("bad", b"{}")

    assert result.error
    assert answer(result)["errorType"] == error_type
    assert message in answer(result)["errorMessage"]


def test_a_function_that_failed_serves_the_next_invocation(cloud: Any) -> None:
    source = "import os\ndef handle(e, c): return os._exit(1) if e == 'die' else os.getpid()\n"
    cloud.function("mortal", source)

    assert cloud.functions.invoke("mortal", b'"die"').error
    assert answer(cloud.functions.invoke("mortal", b"1")) == answer(cloud.functions.invoke("mortal", b"2"))


SLOW = """
import subprocess, sys, time
def handle(event, context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with open("pids", "w") as file: file.write(f"{__import__('os').getpid()} {child.pid}")
    time.sleep(60)
"""


def test_a_timeout_ends_the_function_and_all_that_it_started(cloud: Any, until: Callable[..., Any]) -> None:
    cloud.function("slow", SLOW, timeout_seconds=1)

    began = time.monotonic()
    result = cloud.functions.invoke("slow", b"{}")

    assert time.monotonic() - began < 5
    assert answer(result) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {result.request_id} Error: Task timed out after 1.00 seconds",
    }
    pids = [int(pid) for pid in (cloud.folder / "slow" / "pids").read_text().split()]
    until(lambda: not any(map(alive, pids)))


def test_the_log_has_the_lines_of_lambda_around_what_the_function_says(cloud: Any) -> None:
    cloud.function("talk", "import sys\ndef handle(e, c): print('out'); print('err', file=sys.stderr)\n")

    first = cloud.functions.invoke("talk", b"{}")
    second = cloud.functions.invoke("talk", b"{}")

    lines = cloud.functions.log_path("talk").read_text().splitlines()
    log = "".join(line.split(" ", 2)[2] + "\n" for line in lines)
    pattern = (
        r"START RequestId: {0} Version: \$LATEST\nout\nerr\nEND RequestId: {0}\n"
        r"REPORT RequestId: {0}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB\t"
        r"Max Memory Used: \d+ MB"
    )
    init = r"INIT_START Runtime Version: python:3\.\d+\.local\tRuntime Version ARN: arn:aws:lambda:\S+\n"
    cold = init + pattern.format(first.request_id) + r"\tInit Duration: [\d.]+ ms\n"
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32} "
    assert all(re.match(stamp, line) for line in lines)
    assert re.fullmatch(cold + pattern.format(second.request_id) + "\n", log)
    assert second.log_tail.decode() in log


def test_invocations_at_the_same_time_run_in_different_processes(cloud: Any) -> None:
    source = "import os, time\ndef handle(e, c):\n    time.sleep(0.3)\n    return os.getpid()\n"
    cloud.function("sleepy", source)

    with ThreadPoolExecutor(4) as threads:
        began = time.monotonic()
        pids = list(threads.map(lambda _: answer(cloud.functions.invoke("sleepy", b"{}")), range(4)))

    assert len(set(pids)) == 4
    assert time.monotonic() - began < 3


def test_a_process_serves_one_invocation_at_a_time(cloud: Any) -> None:
    source = """
import time
running = 0
def handle(event, context):
    global running
    running += 1
    seen = running
    time.sleep(0.02)
    running -= 1
    return seen
"""
    cloud.function("single", source)

    with ThreadPoolExecutor(12) as threads:
        seen = list(threads.map(lambda _: answer(cloud.functions.invoke("single", b"{}")), range(24)))

    assert seen == [1] * 24


def test_a_function_that_is_deployed_again_runs_the_new_code(cloud: Any) -> None:
    cloud.function("change", "def handle(e, c): return 1\n")
    cloud.functions.invoke("change", b"{}")

    cloud.function("change", "def handle(e, c): return 2  # longer than before\n")

    assert answer(cloud.functions.invoke("change", b"{}")) == 2


def test_closing_ends_every_process_and_what_is_under_way(cloud: Any, until: Callable[..., Any]) -> None:
    cloud.function("slow", SLOW, timeout_seconds=60)
    with ThreadPoolExecutor(1) as threads:
        under_way = threads.submit(cloud.functions.invoke, "slow", b"{}")
        until((cloud.folder / "slow" / "pids").exists)
        until(lambda: " " in (cloud.folder / "slow" / "pids").read_text())
        pid = int((cloud.folder / "slow" / "pids").read_text().split()[0])

        began = time.monotonic()
        cloud.functions.close()

        assert under_way.result(timeout=5).error
        assert time.monotonic() - began < 3
    until(lambda: not alive(pid))


# ---------------------------------------------------------------- the API


def test_invoke_of_the_api_gives_payload_version_and_log(cloud: Any) -> None:
    cloud.function("talk", "def handle(e, c):\n    print('hello')\n    return e\n")

    response = cloud.client("lambda").invoke(FunctionName="talk", Payload=b'{"a": 1}', LogType="Tail")

    assert json.loads(response["Payload"].read()) == {"a": 1}
    assert (response["StatusCode"], response["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in response
    assert b"hello" in base64.b64decode(response["LogResult"])


def test_invoke_of_the_api_says_that_the_function_failed(cloud: Any) -> None:
    cloud.function("bad", "def handle(e, c): raise ValueError('no')\n")

    response = cloud.client("lambda").invoke(FunctionName="bad")

    assert (response["StatusCode"], response["FunctionError"]) == (200, "Unhandled")
    assert json.loads(response["Payload"].read())["errorMessage"] == "no"


def test_an_event_is_accepted_and_runs_later(cloud: Any, until: Callable[..., Any]) -> None:
    cloud.function("write", "def handle(e, c): open('done', 'w').write(str(e))\n")

    response = cloud.client("lambda").invoke(FunctionName="write", InvocationType="Event", Payload=b"7")

    assert response["StatusCode"] == 202
    until((cloud.folder / "write" / "done").exists)


def test_a_dry_run_runs_nothing(cloud: Any) -> None:
    cloud.function("write", "def handle(e, c): open('done', 'w')\n")

    response = cloud.client("lambda").invoke(FunctionName="write", InvocationType="DryRun")

    assert response["StatusCode"] == 204
    assert not (cloud.folder / "write" / "done").exists()


@pytest.mark.parametrize(
    ("name", "payload", "code"),
    [
        ("nobody", b"{}", "ResourceNotFoundException"),
        ("echo:7", b"{}", "ResourceNotFoundException"),
        ("echo", b"{", "InvalidRequestContentException"),
    ],
)
def test_an_invocation_that_cannot_be_is_refused(cloud: Any, name: str, payload: bytes, code: str) -> None:
    cloud.function("echo", ECHO)
    qualifier = {"Qualifier": name.partition(":")[2]} if ":" in name else {}

    with pytest.raises(cloud.client("lambda").exceptions.ClientError, match=code):
        cloud.client("lambda").invoke(FunctionName=name.partition(":")[0], Payload=payload, **qualifier)


def test_functions_are_described_as_they_were_deployed(cloud: Any) -> None:
    arn = cloud.function("echo", ECHO, environment={"A": "1"}, description="says it again")
    client = cloud.client("lambda")

    described = client.get_function(FunctionName="echo")["Configuration"]

    assert (described["FunctionArn"], described["Timeout"], described["MemorySize"]) == (arn, 5, 256)
    assert described["Environment"] == {"Variables": {"A": "1"}}
    assert described["State"] == "Active"
    assert [each["FunctionName"] for each in client.list_functions()["Functions"]] == ["echo"]


def test_an_operation_of_lambda_that_is_not_emulated_says_so(cloud: Any) -> None:
    with pytest.raises(
        cloud.client("lambda").exceptions.ClientError, match=r"does not emulate lambda:ListLayers"
    ):
        cloud.client("lambda").list_layers()


def test_permissions_are_added_shown_and_removed(cloud: Any) -> None:
    client = cloud.client("lambda")
    arn = cloud.function("echo", ECHO)
    permission = {"Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}

    added = client.add_permission(FunctionName="echo", StatementId="s", **permission)

    assert json.loads(added["Statement"])["Resource"] == arn
    with pytest.raises(client.exceptions.ResourceConflictException):
        client.add_permission(FunctionName="echo", StatementId="s", **permission)
    assert len(json.loads(client.get_policy(FunctionName="echo")["Policy"])["Statement"]) == 1
    client.remove_permission(FunctionName="echo", StatementId="s")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_policy(FunctionName="echo")


def test_a_process_that_dies_between_two_invocations_is_replaced(
    cloud: Any, until: Callable[..., Any]
) -> None:
    cloud.function("pid", "import os\ndef handle(e, c): return os.getpid()\n")
    pid = answer(cloud.functions.invoke("pid", b"{}"))

    os.kill(pid, 9)
    until(lambda: not alive(pid))

    result = cloud.functions.invoke("pid", b"{}")
    assert (result.error, answer(result) != pid) == (False, True)


PARENT = """
import os, subprocess, sys
def handle(event, context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    return [os.getpid(), child.pid]
"""
RUNTIME = """
import sys, time
from pathlib import Path
from moto.iam.models import iam_backends
from sightline_local.functions.invoker import Functions
from sightline_local.functions.spec import FunctionSpec
from sightline_local.iam import Sessions
folder = Path(sys.argv[1])
trust = '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}'
iam_backends["123456789012"]["aws"].create_role("r", trust, "/", None, "", [], None)
functions = Functions("http://127.0.0.1:1", "us-east-1", Sessions("123456789012", "us-east-1"), folder)
role = "arn:aws:iam::123456789012:role/r"
arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
functions.register(FunctionSpec("f", arn, "handler.handle", folder, (), {}, role))
print(functions.invoke("f", b"{}").payload.decode(), functions._parent._process.pid, flush=True)
time.sleep(60)
"""


def test_no_process_outlives_a_runtime_that_is_killed(tmp_path: Path, until: Callable[..., Any]) -> None:
    (tmp_path / "handler.py").write_text(PARENT)
    command = [sys.executable, "-c", RUNTIME, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as runtime:
        assert runtime.stdout is not None
        pids = [int(pid) for pid in re.findall(r"\d+", runtime.stdout.readline())]
        assert len(pids) == 3
        assert all(map(alive, pids))

        runtime.kill()

    until(lambda: not any(map(alive, pids)))
