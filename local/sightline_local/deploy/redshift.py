"""AWS::RedshiftServerless and AWS::Redshift: warehouses, and what surrounds them in a network."""

from collections.abc import Mapping
from typing import Any

from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, OneOf, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource


def _api_name(name: str) -> str:
    return name[0].lower() + name[1:]


def _flag(value: Any) -> bool:
    return str(value).lower() == "true"


def _make_namespace(_resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    settings = {_api_name(name): properties[name] for name in _NAMESPACE_SETTINGS if name in properties}
    namespace = site.client("redshift-serverless").create_namespace(**settings)["namespace"]
    attributes = {f"Namespace.{name[0].upper()}{name[1:]}": value for name, value in namespace.items()}
    return Made(namespace["namespaceName"], attributes)


_NAMESPACE_SETTINGS = (
    *("AdminUserPassword", "AdminUsername", "DbName", "DefaultIamRoleArn", "IamRoles", "NamespaceName"),
)
NAMESPACE = ResourceType(
    name="AWS::RedshiftServerless::Namespace",
    accepts={
        **dict.fromkeys(_NAMESPACE_SETTINGS, CARRIED),
        "FinalSnapshotName": WITHOUT_EFFECT,
        "FinalSnapshotRetentionPeriod": WITHOUT_EFFECT,
        "KmsKeyId": WITHOUT_EFFECT,
        "LogExports": WITHOUT_EFFECT,
        "ManageAdminPassword": OneOf((False,)),  # a secret of the template holds it
        "Tags": WITHOUT_EFFECT,
    },
    create=_make_namespace,
    attributes=frozenset(
        f"Namespace.{name}"
        for name in ("AdminUsername", "DbName", "NamespaceArn", "NamespaceId", "NamespaceName", "Status")
    ),
    required=frozenset({"NamespaceName"}),
)


def _make_workgroup(_resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    settings: dict[str, Any] = {
        "workgroupName": properties["WorkgroupName"],
        "namespaceName": properties["NamespaceName"],
        "publiclyAccessible": _flag(properties.get("PubliclyAccessible", False)),
        **{_api_name(key): int(properties[key]) for key in ("BaseCapacity", "Port") if key in properties},
    }
    workgroup = site.client("redshift-serverless").create_workgroup(**settings)["workgroup"]
    attributes = {
        "Workgroup.Endpoint.Address": workgroup["endpoint"]["address"],
        "Workgroup.Endpoint.Port": str(workgroup["endpoint"]["port"]),
        "Workgroup.NamespaceName": workgroup["namespaceName"],
        "Workgroup.WorkgroupArn": workgroup["workgroupArn"],
        "Workgroup.WorkgroupId": workgroup["workgroupId"],
        "Workgroup.WorkgroupName": workgroup["workgroupName"],
        "Workgroup.Status": workgroup["status"],
    }
    return Made(workgroup["workgroupName"], attributes)


WORKGROUP = ResourceType(
    name="AWS::RedshiftServerless::Workgroup",
    accepts={
        "BaseCapacity": CARRIED,
        "ConfigParameters": WITHOUT_EFFECT,
        "EnhancedVpcRouting": OneOf((False,)),  # Firehose could not deliver
        "MaxCapacity": WITHOUT_EFFECT,
        "NamespaceName": CARRIED,
        "Port": CARRIED,
        "PubliclyAccessible": CARRIED,
        "SecurityGroupIds": WITHOUT_EFFECT,
        "SubnetIds": WITHOUT_EFFECT,
        "Tags": WITHOUT_EFFECT,
        "WorkgroupName": CARRIED,
    },
    create=_make_workgroup,
    attributes=frozenset(
        f"Workgroup.{name}"
        for name in (
            *("Endpoint.Address", "Endpoint.Port", "NamespaceName", "Status"),
            *("WorkgroupArn", "WorkgroupId", "WorkgroupName"),
        )
    ),
    required=frozenset({"NamespaceName", "WorkgroupName"}),
)

_CLUSTER_SETTINGS = ("ClusterType", "DBName", "MasterUserPassword", "MasterUsername", "NodeType")


def _make_cluster(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    name = properties.get("ClusterIdentifier") or site.physical_name(resource.logical_id, longest=63).lower()
    settings: dict[str, Any] = {key: properties[key] for key in _CLUSTER_SETTINGS}
    settings |= {key: int(properties[key]) for key in ("NumberOfNodes", "Port") if key in properties}
    cluster = site.client("redshift").create_cluster(
        ClusterIdentifier=name,
        IamRoles=properties.get("IamRoles", []),
        PubliclyAccessible=_flag(properties.get("PubliclyAccessible", False)),
        **settings,
    )["Cluster"]
    attributes = {
        "ClusterNamespaceArn": cluster["ClusterNamespaceArn"],
        "Endpoint.Address": cluster["Endpoint"]["Address"],
        "Endpoint.Port": str(cluster["Endpoint"]["Port"]),
        "Id": name,
    }
    return Made(name, attributes)


CLUSTER = ResourceType(
    name="AWS::Redshift::Cluster",
    accepts={
        **dict.fromkeys(_CLUSTER_SETTINGS, CARRIED),
        "AutomatedSnapshotRetentionPeriod": WITHOUT_EFFECT,
        "ClusterIdentifier": CARRIED,
        "ClusterSubnetGroupName": WITHOUT_EFFECT,
        "Encrypted": WITHOUT_EFFECT,
        "IamRoles": CARRIED,
        "NumberOfNodes": CARRIED,
        "Port": CARRIED,
        "PubliclyAccessible": CARRIED,
        "Tags": WITHOUT_EFFECT,
        "VpcSecurityGroupIds": WITHOUT_EFFECT,
    },
    create=_make_cluster,
    attributes=frozenset({"ClusterNamespaceArn", "Endpoint.Address", "Endpoint.Port", "Id"}),
    required=frozenset(_CLUSTER_SETTINGS),
)


def _make_subnet_group(resource: Resource, _properties: Mapping[str, Any], site: Site) -> Made:
    return Made(site.physical_name(resource.logical_id, longest=255).lower())


SUBNET_GROUP = ResourceType(
    name="AWS::Redshift::ClusterSubnetGroup",
    accepts=dict.fromkeys(("Description", "SubnetIds", "Tags"), WITHOUT_EFFECT),  # there is no network
    create=_make_subnet_group,
    required=frozenset({"Description", "SubnetIds"}),
)


def _make_security_group(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    digest = site.physical_name(resource.logical_id).rpartition("-")[2].lower()
    group = f"sg-{digest.encode().hex()[:17]}"
    return Made(group, {"GroupId": group, "VpcId": properties.get("VpcId", "")})


SECURITY_GROUP = ResourceType(
    name="AWS::EC2::SecurityGroup",
    accepts=dict.fromkeys(  # there is no network
        ("GroupDescription", "GroupName", "SecurityGroupEgress", "SecurityGroupIngress", "Tags", "VpcId"),
        WITHOUT_EFFECT,
    ),
    create=_make_security_group,
    attributes=frozenset({"GroupId", "VpcId"}),
    required=frozenset({"GroupDescription"}),
)
