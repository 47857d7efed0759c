"""Inside a function's process: awslambdaric's bootstrap, fed from a channel instead of HTTP."""

import os
import resource
import socket
import sys
import time
from typing import Any, Never

from sightline_local.functions.channel import Channel, ChannelClosed


def run(order: dict[str, Any], descriptor: int) -> None:
    """Take the place of a fresh Lambda sandbox and serve invocations until the runtime hangs up."""
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    os.chdir(order["directory"])
    sys.path[:] = [*order["path"], *(entry for entry in sys.path if entry)]
    sys.argv = ["awslambdaric", order["handler"]]
    # Late: it reads its settings (AWS_LAMBDA_LOG_FORMAT) from the environment when it is imported.
    from awslambdaric import bootstrap  # noqa: PLC0415

    channel = Channel(socket.socket(fileno=descriptor))
    bootstrap.run(order["handler"], _client(channel, order["longest_answer"]))


def _client(channel: Channel, longest_answer: int) -> Any:
    from awslambdaric.lambda_runtime_client import BaseLambdaRuntimeClient, InvocationRequest  # noqa: PLC0415

    class ChannelClient(BaseLambdaRuntimeClient):
        """What bootstrap expects of a Runtime API client."""

        def wait_next_invocation(self) -> Any:
            try:
                channel.send({"kind": "next"})
                head, body = channel.receive()
            except ChannelClosed:
                raise SystemExit(0) from None
            return InvocationRequest(**head, event_body=body)

        def post_invocation_result(
            self, invoke_id: str, result_data: Any, content_type: str = "", *_rest: Any
        ) -> None:
            body = result_data if isinstance(result_data, bytes) else result_data.encode()
            if len(body) > longest_answer:
                channel.send({**_done("too_large", invoke_id, content_type), "size": len(body)})
            else:
                channel.send(_done("result", invoke_id, content_type), body)

        def post_invocation_error(self, invoke_id: str, error_response_data: str, *_rest: Any) -> None:
            channel.send(_done("error", invoke_id, "application/json"), error_response_data.encode())

        def post_init_error(self, error_response_data: Any, *_rest: Any) -> None:
            channel.send({"kind": "init_error", "error": error_response_data})

        def handle_init_error(self, exc: Exception) -> Never:
            raise exc

    return ChannelClient("local")


def _done(kind: str, invoke_id: str, content_type: str) -> dict[str, Any]:
    return {"kind": kind, "id": invoke_id, "type": content_type, "memory": _peak_memory_mb()}


def _peak_memory_mb() -> int:
    """The most that the process, or one that it started and waited for, ever held."""
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return int(peak // (1024 * 1024 if sys.platform == "darwin" else 1024))
