"""Step Functions: moto's interpreter of Amazon States Language, made to behave as AWS does."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from moto.stepfunctions.parser.utils import TMP_THREADS

from sightline_local.clock import Clock
from sightline_local.cloud.patches import calls, executions, expressions, language, queries, waiting
from sightline_local.iam import Credentials, Sessions, TrustDenied
from sightline_local.iam.lending import LentRole

_PRINCIPAL = "states.amazonaws.com"


class Interpreter:
    """Runs state machines, each under its own role. One per process: moto's state is global."""

    def __init__(
        self, sessions: Sessions, client: Callable[[str, Credentials], Any], clock: Clock | None = None
    ) -> None:
        self._sessions = sessions
        self._client = client
        self._clock = clock or Clock()
        self._lent: dict[tuple[str, str], LentRole] = {}
        self._lock = threading.Lock()

    def install(self) -> None:
        """Patch moto; before anything asks it for a state machine."""
        # Its error logs repeat whole state machines and payloads; the execution's error and cause say it all.
        logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
        calls.run_state_machines()
        calls.call_services_under_the_role(self.client_for)
        calls.write_fields_as_step_functions_does()
        calls.find_services_as_step_functions_does()
        calls.name_errors_as_step_functions_does()
        queries.run_queries_of_athena(self.client_for)
        expressions.evaluate_jsonata()
        expressions.quote_jsonata_values()
        expressions.report_jsonata_errors()
        expressions.read_negative_integers()
        executions.start_executions_as_step_functions_does()
        language.assign_when_a_state_ends()
        language.name_what_a_choice_fails_with()
        language.keep_the_runtimes_errors_from_all()
        language.pass_the_languages_errors_on()
        language.run_forty_items_at_once()
        executions.stop_at_once()
        executions.say_why()
        executions.ask_those_that_run()
        executions.check_machines(self._trusted)
        executions.describe_as_step_functions_does()
        waiting.wait_by(self._clock)
        waiting.date_by(self._clock)

    def client_for(self, service: str, role_arn: str, machine_arn: str) -> Any:
        """A boto3 client of the emulated cloud with keys of the state machine's role."""
        return self._client(service, self._lend(role_arn, machine_arn).credentials())

    def _trusted(self, role_arn: str, machine_arn: str) -> bool:
        try:
            self._lend(role_arn, machine_arn).credentials()
        except TrustDenied:
            return False
        return True

    def _lend(self, role_arn: str, machine_arn: str) -> LentRole:
        key = role_arn, machine_arn
        with self._lock:
            if key not in self._lent:
                self._lent[key] = LentRole(
                    self._sessions, role_arn, "state-machine", service=_PRINCIPAL, source_arn=machine_arn
                )
            return self._lent[key]


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
