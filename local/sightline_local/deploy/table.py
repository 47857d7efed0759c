"""Every type of resource that the runtime can make."""

from collections.abc import Mapping

from sightline_local.deploy import (
    apigatewayv2,
    cloudwatch,
    cognito,
    dynamodb,
    iam,
    kinesis,
    lambda_,
    logs,
    rekognition,
    s3,
    schedules,
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
        cloudwatch.ALARM,
        cognito.USER_POOL,
        cognito.USER_POOL_CLIENT,
        dynamodb.TABLE,
        iam.ROLE,
        kinesis.STREAM,
        lambda_.EVENT_INVOKE_CONFIG,
        lambda_.EVENT_SOURCE_MAPPING,
        lambda_.FUNCTION,
        lambda_.LAYER_VERSION,
        lambda_.PERMISSION,
        logs.LOG_GROUP,
        rekognition.COLLECTION,
        s3.BUCKET,
        schedules.RULE,
        schedules.SCHEDULE,
        sns.SUBSCRIPTION,
        sns.TOPIC,
        sqs.QUEUE,
        sqs.QUEUE_POLICY,
        stepfunctions.STATE_MACHINE,
    )
}
