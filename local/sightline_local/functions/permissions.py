"""The resource policies of functions: which service may invoke which function, for which source."""

import json
from threading import Lock
from typing import Any

from sightline_local.functions.spec import InvocationRefused
from sightline_local.iam.policy import Decision, Request, evaluate, parse
from sightline_local.state import Facts

_KIND = "lambda.permission"


class Permissions:
    """Statements by function ARN and statement id; those that were added at run time are kept."""

    def __init__(self, facts: Facts | None = None) -> None:
        self._facts = facts or Facts.none()
        self._began = False
        self._statements: dict[str, dict[str, dict[str, Any]]] = {}
        self._texts: dict[str, str] = {}  # of the policies, as long as they are as they were
        self._lock = Lock()

    def add(
        self,
        function_arn: str,
        statement_id: str,
        *,
        action: str,
        principal: str,
        source_arn: str | None = None,
        source_account: str | None = None,
    ) -> dict[str, Any]:
        """Let a service (`apigateway.amazonaws.com`) act on the function; return the statement."""
        conditions: dict[str, dict[str, str]] = {}
        if source_arn:
            conditions["ArnLike"] = {"AWS:SourceArn": source_arn}
        if source_account:
            conditions["StringEquals"] = {"AWS:SourceAccount": source_account}
        statement = {
            "Sid": statement_id,
            "Effect": "Allow",
            "Principal": {"Service": principal}
            if principal.endswith(".amazonaws.com")
            else {"AWS": principal},
            "Action": action,
            "Resource": function_arn,
            **({"Condition": conditions} if conditions else {}),
        }
        with self._lock:
            if self._began:
                self._facts.put(_KIND, f"{function_arn}/{statement_id}", json.dumps(statement).encode())
            self._set(function_arn, statement_id, statement)
        return statement

    def _set(self, function_arn: str, statement_id: str, statement: dict[str, Any]) -> None:
        self._statements.setdefault(function_arn, {})[statement_id] = statement
        self._texts.pop(function_arn, None)

    def remove(self, function_arn: str, statement_id: str) -> bool:
        """Whether there was such a statement."""
        with self._lock:
            self._facts.delete(_KIND, [f"{function_arn}/{statement_id}"])
            self._texts.pop(function_arn, None)
            return self._statements.get(function_arn, {}).pop(statement_id, None) is not None

    def restore(self) -> list[str]:
        """Add what was added at run time; the template's own statements are there already."""
        for key, statement in self._facts.all(_KIND):
            function_arn, _, statement_id = key.rpartition("/")
            if not self.has(function_arn, statement_id):
                self._set(function_arn, statement_id, json.loads(statement))
        return []

    def begin(self) -> None:
        self._began = True

    def has(self, function_arn: str, statement_id: str) -> bool:
        return statement_id in self._statements.get(function_arn, {})

    def policy(self, function_arn: str) -> dict[str, Any] | None:
        """The policy document, or None when nobody has a permission."""
        statements = list(self._statements.get(function_arn, {}).values())
        return {"Version": "2012-10-17", "Id": "default", "Statement": statements} if statements else None

    def text(self, function_arn: str) -> str | None:
        """The same as JSON."""
        with self._lock:
            if function_arn not in self._texts and (policy := self.policy(function_arn)):
                self._texts[function_arn] = json.dumps(policy)
            return self._texts.get(function_arn)

    def check(self, function_arn: str, service: str, source_arn: str | None) -> None:
        """Raise InvocationRefused unless a statement lets the service invoke the function for this source."""
        context = {} if source_arn is None else {"aws:sourcearn": source_arn}
        if source_arn is not None:
            context["aws:sourceaccount"] = source_arn.split(":")[4]
        request = Request("lambda:InvokeFunction", function_arn, context, {"Service": (service,)})
        policy = self.text(function_arn)
        if policy is None or evaluate([parse(policy)], request) is not Decision.ALLOW:
            raise InvocationRefused(
                f"{service} may not invoke {function_arn} for {source_arn}: "
                "no permission of the function allows it"
            )
