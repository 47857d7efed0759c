"""The resource policies of functions: which service may invoke which function, for which source."""

from threading import Lock
from typing import Any

from sightline_local.functions.spec import InvocationRefused
from sightline_local.iam.policy import Decision, Request, evaluate, parse_document


class Permissions:
    """Statements by function ARN and statement id."""

    def __init__(self) -> None:
        self._statements: dict[str, dict[str, dict[str, Any]]] = {}
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
            self._statements.setdefault(function_arn, {})[statement_id] = statement
        return statement

    def remove(self, function_arn: str, statement_id: str) -> bool:
        """Whether there was such a statement."""
        with self._lock:
            return self._statements.get(function_arn, {}).pop(statement_id, None) is not None

    def has(self, function_arn: str, statement_id: str) -> bool:
        return statement_id in self._statements.get(function_arn, {})

    def policy(self, function_arn: str) -> dict[str, Any] | None:
        """The policy document, or None when nobody has a permission."""
        statements = list(self._statements.get(function_arn, {}).values())
        return {"Version": "2012-10-17", "Id": "default", "Statement": statements} if statements else None

    def check(self, function_arn: str, service: str, source_arn: str | None) -> None:
        """Raise InvocationRefused unless a statement lets the service invoke the function for this source."""
        context = {} if source_arn is None else {"aws:sourcearn": source_arn}
        if source_arn is not None:
            context["aws:sourceaccount"] = source_arn.split(":")[4]
        request = Request("lambda:InvokeFunction", function_arn, context, {"Service": (service,)})
        policy = self.policy(function_arn)
        if policy is None or evaluate([parse_document(policy)], request) is not Decision.ALLOW:
            raise InvocationRefused(
                f"{service} may not invoke {function_arn} for {source_arn}: "
                "no permission of the function allows it"
            )
