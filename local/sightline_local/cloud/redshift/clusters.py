"""The operations of redshift: provisioned clusters, as far as somebody connects to them."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sightline_local.cloud.redshift.passwords import problem_of
from sightline_local.cloud.redshift.warehouses import Redshift, Warehouse
from sightline_local.cloud.service import ServiceError, unknown_operation
from sightline_local.iam import Caller
from sightline_local.iam.arns import Place

_PORT = 5439


class ClusterService:
    """A `Service` for the gateway; a cluster is available at once."""

    def __init__(self, redshift: Redshift, place: Place) -> None:
        self._redshift = redshift
        self._place = place
        self._clusters: dict[str, dict[str, Any]] = {}
        self._passwords: dict[str, str] = {}
        self._operations: dict[str, Callable[[dict[str, Any], Caller], dict[str, Any]]] = {
            "CreateCluster": lambda params, _caller: self._create(params),
            "DescribeClusters": lambda params, _caller: self._describe(params),
            "GetClusterCredentials": lambda params, _caller: self._credentials(params),
            "GetClusterCredentialsWithIAM": self._credentials_with_iam,
        }
        redshift.find.append(self._warehouse)
        redshift.storages.append(lambda: [f"cluster-{name}" for name in self._clusters])

    def handle(self, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        if operation not in self._operations:
            raise unknown_operation("redshift", operation)
        return self._operations[operation](params, caller)

    def resolve(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """For IAM: credentials are asked for a user or a database of a cluster, the rest for the cluster."""
        name = params.get("ClusterIdentifier", "*")
        kind = f"cluster:{name}"
        if operation == "GetClusterCredentials":
            kind = f"dbuser:{name}/{params.get('DbUser')}"
        elif operation == "GetClusterCredentialsWithIAM":
            kind = f"dbname:{name}/{params.get('DbName')}"
        return {"ResourceArn": self._place.arn("redshift", kind)}

    def _create(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["ClusterIdentifier"]
        if name in self._clusters:
            raise ServiceError("ClusterAlreadyExists", "Cluster already exists")
        password = params.get("MasterUserPassword", "")
        if problem := problem_of(password):
            raise ServiceError("InvalidParameterValue", f"MasterUserPassword: {problem}")
        place, port = self._place, int(params.get("Port", _PORT))
        unique = uuid.uuid5(uuid.NAMESPACE_URL, place.arn("redshift", f"cluster:{name}"))
        self._passwords[name] = password
        self._clusters[name] = {
            "ClusterIdentifier": name,
            "NodeType": params["NodeType"],
            "NumberOfNodes": params.get("NumberOfNodes", 1),
            "ClusterStatus": "available",
            "ClusterAvailabilityStatus": "Available",
            "MasterUsername": params["MasterUsername"],
            "DBName": params.get("DBName", "dev"),
            "Endpoint": {
                "Address": f"{name}.{unique.hex[:12]}.{place.region}.redshift.amazonaws.com",
                "Port": port,
            },
            "ClusterCreateTime": datetime.now(UTC),
            "PubliclyAccessible": params.get("PubliclyAccessible", False),
            "Encrypted": params.get("Encrypted", True),
            "IamRoles": [
                {"IamRoleArn": role, "ApplyStatus": "in-sync"} for role in params.get("IamRoles", [])
            ],
            "DefaultIamRoleArn": params.get("DefaultIamRoleArn", ""),
            "ClusterNamespaceArn": place.arn("redshift", f"namespace:{unique}"),
        }
        return {"Cluster": self._clusters[name]}

    def _describe(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params.get("ClusterIdentifier")
        return {"Clusters": [self._cluster(name)] if name else list(self._clusters.values())}

    def _credentials(self, params: dict[str, Any]) -> dict[str, Any]:
        """For the master user, or for one that IAM makes (AutoCreate)."""
        warehouse = self._known(params)
        wanted = params["DbUser"]
        is_new = wanted != warehouse.admin
        if is_new and not params.get("AutoCreate"):
            raise ServiceError("InvalidParameterValue", f"user {wanted} does not exist")
        user, password = self._redshift.lend_as(warehouse, f"IAM{'A' if is_new else ''}:{wanted}")
        return {"DbUser": user, "DbPassword": password, "Expiration": _end(params)}

    def _credentials_with_iam(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        user, password = self._redshift.lend(self._known(params), caller)
        return {"DbUser": user, "DbPassword": password, "Expiration": _end(params)}

    def _known(self, params: dict[str, Any]) -> Warehouse:
        cluster = self._cluster(params.get("ClusterIdentifier", ""))
        warehouse = self._warehouse(cluster["ClusterIdentifier"], is_serverless=False)
        if warehouse is None:
            raise ServiceError("ClusterNotFound", "the cluster is gone", status=404)
        return warehouse

    def _warehouse(self, name: str, is_serverless: bool) -> Warehouse | None:
        cluster = None if is_serverless else self._clusters.get(name)
        if cluster is None:
            return None
        return Warehouse(
            name=name,
            arn=self._place.arn("redshift", f"cluster:{name}"),
            host=cluster["Endpoint"]["Address"],
            port=cluster["Endpoint"]["Port"],
            storage=f"cluster-{name}",
            database=cluster["DBName"],
            admin=cluster["MasterUsername"],
            password=self._passwords[name],
            roles=tuple(role["IamRoleArn"] for role in cluster["IamRoles"]),
            default_role=cluster["DefaultIamRoleArn"] or None,
            is_public=cluster["PubliclyAccessible"],
            is_serverless=False,
        )

    def _cluster(self, name: str) -> dict[str, Any]:
        if name not in self._clusters:
            raise ServiceError("ClusterNotFound", f"Cluster {name} not found.", status=404)
        return self._clusters[name]


def _end(params: dict[str, Any]) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=int(params.get("DurationSeconds", 900)))
