"""What Lambda writes into a log around what a function says.

https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""

import math
import sys
from datetime import UTC, datetime

from sightline_local.functions.spec import FunctionSpec


def init_start(spec: FunctionSpec) -> str:
    version = "python:{}.{}".format(*sys.version_info)
    region = spec.arn.split(":")[3]
    return (
        f"INIT_START Runtime Version: {version}.local\t"
        f"Runtime Version ARN: arn:aws:lambda:{region}::runtime:local\n"
    )


def init_failed(seconds: float, error_type: str) -> str:
    took = f"{seconds * 1000:.2f} ms"
    return f"INIT_REPORT Init Duration: {took}\tPhase: init\tStatus: error\tError Type: {error_type}\n"


def start(request_id: str) -> str:
    return f"START RequestId: {request_id} Version: $LATEST\n"


def end(request_id: str, spec: FunctionSpec, seconds: float, *, peak_mb: int, init: float | None) -> str:
    """`init`: the seconds of a cold start, which are billed, too. The line is not ended: a status follows."""
    cold = "" if init is None else f"\tInit Duration: {init * 1000:.2f} ms"
    return (
        f"END RequestId: {request_id}\n"
        f"REPORT RequestId: {request_id}\tDuration: {seconds * 1000:.2f} ms\t"
        f"Billed Duration: {math.ceil((seconds + (init or 0)) * 1000)} ms\tMemory Size: {spec.memory_mb} MB\t"
        f"Max Memory Used: {min(peak_mb, spec.memory_mb)} MB{cold}"
    )


def timed_out(request_id: str, said: str) -> str:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{now} {request_id} {said}\n\n"


def exited(request_id: str, said: str, error_type: str) -> str:
    return f"RequestId: {request_id} Error: {said}\n{error_type}\n"
