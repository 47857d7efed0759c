"""Every type of resource that the runtime can make."""

from collections.abc import Mapping

from sightline_local.deploy import (
    apigatewayv2,
    athena,
    cloudwatch,
    cognito,
    custom_resource,
    dynamodb,
    firehose,
    glue,
    iam,
    kinesis,
    lambda_,
    logs,
    redshift,
    rekognition,
    s3,
    schedules,
    secretsmanager,
    sns,
    sqs,
    stepfunctions,
)
from sightline_local.deploy.resource_type import ResourceType

RESOURCE_TYPES: Mapping[str, ResourceType] = {
    kind.name: kind
    for kind in (
        apigatewayv2.API,
        apigatewayv2.STAGE,
        athena.NAMED_QUERY,
        athena.WORK_GROUP,
        cloudwatch.ALARM,
        cognito.USER_POOL,
        cognito.USER_POOL_CLIENT,
        custom_resource.CUSTOM_RESOURCE,
        dynamodb.TABLE,
        firehose.DELIVERY_STREAM,
        glue.DATABASE,
        glue.TABLE,
        iam.ROLE,
        kinesis.STREAM,
        lambda_.EVENT_INVOKE_CONFIG,
        lambda_.EVENT_SOURCE_MAPPING,
        lambda_.FUNCTION,
        lambda_.LAYER_VERSION,
        lambda_.PERMISSION,
        logs.LOG_GROUP,
        logs.LOG_STREAM,
        redshift.CLUSTER,
        redshift.NAMESPACE,
        redshift.SECURITY_GROUP,
        redshift.SUBNET_GROUP,
        redshift.WORKGROUP,
        rekognition.COLLECTION,
        s3.BUCKET,
        s3.BUCKET_POLICY,
        schedules.RULE,
        schedules.SCHEDULE,
        secretsmanager.SECRET,
        sns.SUBSCRIPTION,
        sns.TOPIC,
        sns.TOPIC_POLICY,
        sqs.QUEUE,
        sqs.QUEUE_POLICY,
        stepfunctions.STATE_MACHINE,
    )
}


def kind_of(name: str, kinds: Mapping[str, ResourceType] = RESOURCE_TYPES) -> ResourceType | None:
    """The type of this name; whatever begins with `Custom::` is a custom resource."""
    return kinds.get(custom_resource.CUSTOM_RESOURCE.name if name.startswith("Custom::") else name)
