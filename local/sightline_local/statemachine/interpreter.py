"""Step Functions: moto's interpreter of Amazon States Language, made to behave as AWS does."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from moto.stepfunctions.parser.utils import TMP_THREADS

from sightline_local.cloud import patches
from sightline_local.iam import Credentials, Sessions

_PRINCIPAL = "states.amazonaws.com"
# A new session well before the old one ends.
_SESSION_SECONDS = 3600.0


class Interpreter:
    """Runs state machines, each under its own role. One per process: moto's state is global."""

    def __init__(self, sessions: Sessions, client: Callable[[str, Credentials], Any]) -> None:
        self._sessions = sessions
        self._client = client
        self._lent: dict[str, tuple[Credentials, float]] = {}
        self._lock = threading.Lock()

    def install(self) -> None:
        """Patch moto; before anything asks it for a state machine."""
        # Its error logs repeat whole state machines and payloads; the execution's error and cause say it all.
        logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
        patches.run_state_machines()
        patches.call_services_under_the_role(self.client_for)
        patches.write_fields_as_step_functions_does()
        patches.name_errors_as_step_functions_does()
        patches.evaluate_jsonata()
        patches.quote_jsonata_values()
        patches.report_jsonata_errors()
        patches.read_negative_integers()
        patches.start_executions_as_step_functions_does()

    def client_for(self, service: str, role_arn: str) -> Any:
        """A boto3 client of the emulated cloud with keys of the state machine's role."""
        with self._lock:
            credentials, until = self._lent.get(role_arn, (None, 0.0))
            if credentials is None or time.monotonic() > until:
                credentials = self._sessions.assume(role_arn, "state-machine", service_principal=_PRINCIPAL)
                self._lent[role_arn] = credentials, time.monotonic() + _SESSION_SECONDS
        return self._client(service, credentials)


def stop_executions(deadline_seconds: float = 2.0) -> None:
    """Abort what still runs and give it a moment; its threads are daemons and never hold up the exit."""
    for backends in stepfunctions_parser_backends.values():
        for backend in backends.values():
            for machine in backend.state_machines:
                for execution in machine.executions:
                    _abort(execution)
    deadline = time.monotonic() + deadline_seconds
    for thread in list(TMP_THREADS):
        thread.join(timeout=max(0.0, deadline - time.monotonic()))
    TMP_THREADS[:] = [thread for thread in TMP_THREADS if thread.is_alive()]


def _abort(execution: Any) -> None:
    worker = execution.exec_worker
    if worker is not None and worker.env is not None and execution.stop_date is None:
        worker.env.set_stop(stop_date=execution.start_date, cause="The local runtime stops", error=None)
