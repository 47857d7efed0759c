"""Which permission on which resource every action needs: one table.

https://docs.aws.amazon.com/service-authorization/latest/reference/ lists the resource types per action. An
action that is not in this table is denied to every role: a permission that nobody checked must not look
like one that was.
"""

from collections.abc import Iterable

from sightline_local.iam import arns
from sightline_local.iam.arns import Need, Params, Place, Rule

_PROCESSOR = arns.named("rekognition", "streamprocessor/", "Name")
_COLLECTION = arns.named("rekognition", "collection/", "CollectionId")
_DELIVERY_STREAM = arns.named("firehose", "deliverystream/", "DeliveryStreamName")

# service prefix of IAM → "operations" → rule
_RULES: dict[str, dict[str, Rule]] = {
    "dynamodb": {
        "GetItem PutItem UpdateItem DeleteItem DescribeTable UpdateTable DeleteTable CreateTable"
        " DescribeTimeToLive UpdateTimeToLive DescribeContinuousBackups": arns.table,
        "Query Scan": arns.table_or_index,
        "BatchGetItem BatchWriteItem": arns.tables_of_batch,
        "TransactGetItems TransactWriteItems": arns.tables_of_transaction,
        "ListTables": arns.anything,
    },
    "kinesis": {
        "PutRecord PutRecords GetRecords GetShardIterator DescribeStream DescribeStreamSummary ListShards"
        " DeleteStream AddTagsToStream RemoveTagsFromStream ListTagsForStream UpdateShardCount"
        " IncreaseStreamRetentionPeriod DecreaseStreamRetentionPeriod StartStreamEncryption"
        " StopStreamEncryption SplitShard MergeShards UpdateStreamMode RegisterStreamConsumer"
        " ListStreamConsumers": arns.data_stream,
        "CreateStream": arns.new_stream,
        "DescribeStreamConsumer DeregisterStreamConsumer SubscribeToShard": arns.stream_consumer,
        "TagResource UntagResource ListTagsForResource": arns.given("ResourceARN"),
        "ListStreams DescribeLimits": arns.anything,
    },
    "kinesisvideo": {
        "CreateStream": arns.new_video_stream,
        "DescribeStream DeleteStream UpdateStream UpdateDataRetention GetDataEndpoint TagStream"
        " UntagStream ListTagsForStream PutMedia GetMedia ListFragments GetMediaForFragmentList GetClip"
        " GetImages GetHLSStreamingSessionURL GetDASHStreamingSessionURL": arns.video_stream,
        "ListStreams": arns.anything,
    },
    "rekognition": {
        "CreateCollection DeleteCollection DescribeCollection IndexFaces ListFaces DeleteFaces SearchFaces"
        " SearchFacesByImage": _COLLECTION,
        "CreateStreamProcessor": arns.every(
            _PROCESSOR,
            lambda place, params: _COLLECTION(place, params.get("Settings", {}).get("FaceSearch", {})),
            arns.passes_role("RoleArn", "rekognition.amazonaws.com"),
        ),
        "StartStreamProcessor StopStreamProcessor DescribeStreamProcessor DeleteStreamProcessor"
        " UpdateStreamProcessor": _PROCESSOR,
        "DetectFaces CompareFaces DetectLabels ListCollections ListStreamProcessors": arns.anything,
    },
    "scheduler": {
        "CreateSchedule UpdateSchedule": arns.every(arns.schedule, arns.role_of_schedule),
        "GetSchedule DeleteSchedule": arns.schedule,
        "ListSchedules": arns.anything,
    },
    "sns": {
        "Publish PublishBatch ConfirmSubscription Unsubscribe ListSubscriptionsByTopic"
        " GetTopicAttributes SetTopicAttributes DeleteTopic GetSubscriptionAttributes"
        " SetSubscriptionAttributes AddPermission RemovePermission": arns.topic,
        "Subscribe": arns.new_subscription,
        "CreateTopic": arns.named("sns", "", "Name"),
        "ListTopics ListSubscriptions": arns.anything,
    },
    "sqs": {
        "SendMessage ReceiveMessage DeleteMessage ChangeMessageVisibility GetQueueUrl GetQueueAttributes"
        " SetQueueAttributes CreateQueue DeleteQueue PurgeQueue SendMessageBatch DeleteMessageBatch"
        " ChangeMessageVisibilityBatch AddPermission RemovePermission ListQueueTags TagQueue UntagQueue"
        " ListDeadLetterSourceQueues": arns.queue,
        "ListQueues": arns.anything,
    },
    "s3": {
        "GetObject": arns.read_object,
        "PutObject DeleteObject GetObjectTagging PutObjectTagging AbortMultipartUpload"
        " ListMultipartUploadParts": arns.bucket_object,
        "DeleteObjects": arns.bucket_objects,
        "CopyObject": arns.copied_object,
        "ListBucket": arns.objects_of_bucket,
        "ListBucketMultipartUploads CreateBucket DeleteBucket GetBucketLocation GetBucketVersioning"
        " GetBucketNotification PutBucketNotification GetLifecycleConfiguration GetBucketPolicy"
        " PutBucketPolicy DeleteBucketPolicy": arns.bucket,
        "ListAllMyBuckets": arns.anything,
    },
    "lambda": {
        "InvokeFunction GetFunction GetFunctionConfiguration AddPermission RemovePermission"
        " GetPolicy": arns.function,
        "CreateEventSourceMapping": arns.any_mapping,
        "GetEventSourceMapping": arns.event_source_mapping("lambda:GetEventSourceMapping"),
        "UpdateEventSourceMapping": arns.event_source_mapping("lambda:UpdateEventSourceMapping"),
        "DeleteEventSourceMapping": arns.event_source_mapping("lambda:DeleteEventSourceMapping"),
        "ListEventSourceMappings ListFunctions": arns.anything,
    },
    "states": {
        "StartExecution StartSyncExecution DescribeStateMachine ListExecutions DeleteStateMachine"
        " UpdateStateMachine": arns.given("stateMachineArn"),
        "DescribeExecution StopExecution GetExecutionHistory DescribeStateMachineForExecution"
        " RedriveExecution": arns.given("executionArn"),
        "CreateStateMachine": arns.every(
            arns.named("states", "stateMachine:", "name"), arns.passes_role("roleArn", "states.amazonaws.com")
        ),
        "SendTaskSuccess SendTaskFailure SendTaskHeartbeat ListStateMachines": arns.anything,
    },
    "sts": {
        "AssumeRole": arns.assumed_role,
        "GetCallerIdentity": arns.nothing,
    },
    "firehose": {
        "PutRecord PutRecordBatch DescribeDeliveryStream DeleteDeliveryStream": _DELIVERY_STREAM,
        "CreateDeliveryStream UpdateDestination": arns.every(_DELIVERY_STREAM, arns.roles_of_delivery_stream),
        "ListDeliveryStreams": arns.anything,
    },
    "athena": {
        "StartQueryExecution GetQueryExecution BatchGetQueryExecution GetQueryResults ListQueryExecutions"
        " StopQueryExecution GetWorkGroup GetNamedQuery BatchGetNamedQuery ListNamedQueries": arns.workgroups,
        "GetDataCatalog": arns.named("athena", "datacatalog/", "Name"),
        "ListWorkGroups": arns.anything,
    },
    "glue": {
        "GetTable GetTables GetTableVersion GetTableVersions GetPartition GetPartitions CreateTable"
        " UpdateTable DeleteTable CreatePartition BatchCreatePartition": arns.glue_table,
        "GetDatabase CreateDatabase UpdateDatabase DeleteDatabase": arns.glue_database,
        "GetDatabases": lambda place, _params: [
            place.arn("glue", "catalog"),
            place.arn("glue", "database/*"),
        ],
    },
    # The services themselves resolve a workgroup or a cluster to its ARN.
    "redshift": {
        "DescribeClusters GetClusterCredentials GetClusterCredentialsWithIAM": arns.given("ResourceArn"),
    },
    "redshift-serverless": {
        "GetCredentials GetWorkgroup GetNamespace": arns.given("ResourceArn"),
        "ListWorkgroups ListNamespaces": arns.anything,
    },
    "redshift-data": {
        "ExecuteStatement BatchExecuteStatement ListDatabases ListSchemas ListTables"
        " DescribeTable": arns.given("ResourceArn"),
        "DescribeStatement GetStatementResult ListStatements CancelStatement": arns.anything,
    },
    "secretsmanager": {
        "GetSecretValue DescribeSecret PutSecretValue UpdateSecret DeleteSecret CreateSecret"
        " ListSecretVersionIds": arns.secret,
        "ListSecrets GetRandomPassword": arns.anything,
    },
    "iam": {
        "GetRole PassRole ListRolePolicies GetRolePolicy ListAttachedRolePolicies": arns.role,
        "ListRoles": arns.anything,
    },
    "logs": {
        "CreateLogGroup CreateLogStream PutLogEvents DescribeLogStreams FilterLogEvents"
        " GetLogEvents PutRetentionPolicy": arns.log_stream,
        "DescribeLogGroups": arns.anything,
    },
    "cloudwatch": {"PutMetricData": arns.anything},
    "cognito-idp": {
        "AdminCreateUser AdminSetUserPassword AdminInitiateAuth AdminGetUser AdminDeleteUser DescribeUserPool"
        " ListUsers ListUserPoolClients DescribeUserPoolClient": arns.named(
            "cognito-idp", "userpool/", "UserPoolId"
        ),
        "ListUserPools": arns.anything,
    },
    "cloudformation": {
        "DescribeStacks ListStackResources DescribeStackResources DescribeStackResource"
        " GetTemplate": arns.stack,
        "ListStacks": arns.anything,
    },
}
_RULE_OF: dict[str, Rule] = {
    f"{service}:{name}": rule
    for service, rules in _RULES.items()
    for names, rule in rules.items()
    for name in names.split()
}

# Where the name of the API operation is not the name of the IAM action.
_ACTION_OF = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListParts": "s3:ListMultipartUploadParts",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
}
# Operations whose permission has another name than their rule's key.
_GRANTED_AS = {
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:CopyObject": "s3:PutObject",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sns:PublishBatch": "sns:Publish",
}
_PREFIX_OF_SIGNING_NAME = {"monitoring": "cloudwatch"}


def action_of(signing_name: str, operation: str) -> str:
    """`lambda`, `Invoke` → `lambda:InvokeFunction`."""
    action = f"{_PREFIX_OF_SIGNING_NAME.get(signing_name, signing_name)}:{operation}"
    return _ACTION_OF.get(action, action)


def has_rule(action: str) -> bool:
    """Whether roles can be allowed this action here."""
    return action in _RULE_OF or action in _GRANTED_AS.values()


def needs(place: Place, action: str, params: Params) -> list[Need] | None:
    """Every permission that the request needs; None when the table has no rule for the action."""
    rule = _RULE_OF.get(action)
    return None if rule is None else list(_completed(_GRANTED_AS.get(action, action), rule(place, params)))


def _completed(action: str, found: Iterable[str | Need]) -> Iterable[Need]:
    for need in found:
        yield Need(action, need) if isinstance(need, str) else need
