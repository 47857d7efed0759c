"""The operations of redshift-serverless: namespaces hold data, workgroups answer for them."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from sightline_local.cloud.constraints import check_input
from sightline_local.cloud.redshift.passwords import problem_of
from sightline_local.cloud.redshift.warehouses import Redshift, Warehouse
from sightline_local.cloud.service import ServiceError, unknown_operation
from sightline_local.iam import Caller
from sightline_local.iam.arns import Place

_PORT = 5439


class ServerlessService:
    """A `Service` for the gateway; what is made is there at once."""

    def __init__(self, redshift: Redshift, place: Place) -> None:
        self._redshift = redshift
        self._place = place
        self._lock = Lock()
        self._namespaces: dict[str, dict[str, Any]] = {}
        self._workgroups: dict[str, dict[str, Any]] = {}
        self._passwords: dict[str, str] = {}
        self._operations: dict[str, Callable[[dict[str, Any], Caller], dict[str, Any]]] = {
            "CreateNamespace": lambda params, _caller: self._create_namespace(params),
            "GetNamespace": lambda params, _caller: {"namespace": self._namespace(params["namespaceName"])},
            "ListNamespaces": lambda _params, _caller: {"namespaces": list(self._namespaces.values())},
            "CreateWorkgroup": lambda params, _caller: self._create_workgroup(params),
            "GetWorkgroup": lambda params, _caller: {"workgroup": self._workgroup(params["workgroupName"])},
            "ListWorkgroups": lambda _params, _caller: {"workgroups": list(self._workgroups.values())},
            "GetCredentials": self._get_credentials,
        }
        redshift.find.append(self._warehouse)
        redshift.storages.append(lambda: [f"namespace-{name}" for name in self._namespaces])

    def handle(self, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        if operation not in self._operations:
            raise unknown_operation("redshift-serverless", operation)
        check_input("redshift-serverless", operation, params, error="ValidationException")
        with self._lock:
            return self._operations[operation](params, caller)

    def resolve(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """For IAM: ARNs hold ids, not names."""
        name = params.get("workgroupName")
        if name in self._workgroups:
            return {"ResourceArn": self._workgroups[name]["workgroupArn"]}
        name = params.get("namespaceName")
        if name in self._namespaces:
            return {"ResourceArn": self._namespaces[name]["namespaceArn"]}
        return {}

    def _create_namespace(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["namespaceName"]
        if name in self._namespaces:
            raise ServiceError("ConflictException", f"Namespace {name} already exists")
        password = params.get("adminUserPassword", "")
        if password and (problem := problem_of(password)):
            raise ServiceError("ValidationException", f"adminUserPassword: {problem}")
        identity = self._id("namespace", name)
        roles = params.get("iamRoles", [])
        default = params.get("defaultIamRoleArn")
        if default and default not in roles:
            raise ServiceError("ValidationException", "The default IAM role must be one of the IAM roles")
        namespace = {
            "namespaceName": name,
            "namespaceId": identity,
            "namespaceArn": self._place.arn("redshift-serverless", f"namespace/{identity}"),
            "adminUsername": params.get("adminUsername", "admin"),
            "dbName": params.get("dbName", "dev"),
            "defaultIamRoleArn": default,
            "iamRoles": roles,
            "status": "AVAILABLE",
            "creationDate": datetime.now(UTC),
        }
        self._namespaces[name] = {key: value for key, value in namespace.items() if value is not None}
        self._passwords[name] = password
        return {"namespace": self._namespaces[name]}

    def _create_workgroup(self, params: dict[str, Any]) -> dict[str, Any]:
        name, namespace = params["workgroupName"], params["namespaceName"]
        if name in self._workgroups:
            raise ServiceError("ConflictException", f"Workgroup {name} already exists")
        self._namespace(namespace)
        if any(each["namespaceName"] == namespace for each in self._workgroups.values()):
            raise ServiceError("ConflictException", f"Namespace {namespace} already has a workgroup")
        identity = self._id("workgroup", name)
        host = f"{name}.{self._place.account}.{self._place.region}.redshift-serverless.amazonaws.com"
        self._workgroups[name] = {
            "workgroupName": name,
            "workgroupId": identity,
            "workgroupArn": self._place.arn("redshift-serverless", f"workgroup/{identity}"),
            "namespaceName": namespace,
            "baseCapacity": params.get("baseCapacity", 128),
            "publiclyAccessible": params.get("publiclyAccessible", False),
            "port": params.get("port", _PORT),
            "endpoint": {"address": host, "port": params.get("port", _PORT)},
            "status": "AVAILABLE",
            "creationDate": datetime.now(UTC),
        }
        return {"workgroup": self._workgroups[name]}

    def _get_credentials(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        workgroup = self._workgroup(params.get("workgroupName", ""))
        warehouse = self._warehouse(workgroup["workgroupName"], is_serverless=True)
        if warehouse is None:
            raise ServiceError("InternalServerException", "the workgroup is gone")
        user, password = self._redshift.lend(warehouse, caller)
        end = datetime.now(UTC) + timedelta(seconds=params.get("durationSeconds", 900))
        return {"dbUser": user, "dbPassword": password, "expiration": end}

    def _warehouse(self, name: str, is_serverless: bool) -> Warehouse | None:
        workgroup = self._workgroups.get(name) if is_serverless else None
        if workgroup is None:
            return None
        namespace = self._namespaces[workgroup["namespaceName"]]
        return Warehouse(
            name=name,
            arn=workgroup["workgroupArn"],
            host=workgroup["endpoint"]["address"],
            port=workgroup["endpoint"]["port"],
            storage=f"namespace-{namespace['namespaceName']}",
            database=namespace["dbName"],
            admin=namespace["adminUsername"],
            password=self._passwords[namespace["namespaceName"]],
            roles=tuple(namespace["iamRoles"]),
            default_role=namespace.get("defaultIamRoleArn"),
            is_public=workgroup["publiclyAccessible"],
        )

    def _namespace(self, name: str) -> dict[str, Any]:
        if name not in self._namespaces:
            raise ServiceError("ResourceNotFoundException", f"Namespace {name} not found")
        return self._namespaces[name]

    def _workgroup(self, name: str) -> dict[str, Any]:
        if name not in self._workgroups:
            raise ServiceError("ResourceNotFoundException", f"Workgroup {name} not found")
        return self._workgroups[name]

    def _id(self, kind: str, name: str) -> str:
        """The same at every start, as policies name it."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self._place.arn("redshift-serverless", f"{kind}/{name}")))
