"""What a Task may call: https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html."""

import re
from dataclasses import dataclass
from functools import cache

from botocore.loaders import create_loader


@dataclass(frozen=True, slots=True)
class SdkService:
    """A service under `aws-sdk:`, what boto3 calls it, and what its errors begin with."""

    boto3: str
    errors: str


# The ARN has the SDK's package, an error the name of the SDK's client.
SDK_SERVICES = {
    "athena": SdkService("athena", "Athena"),
    "cognitoidentityprovider": SdkService("cognito-idp", "CognitoIdentityProvider"),
    "dynamodb": SdkService("dynamodb", "DynamoDb"),
    "firehose": SdkService("firehose", "Firehose"),
    "glue": SdkService("glue", "Glue"),
    "kinesis": SdkService("kinesis", "Kinesis"),
    "kinesisvideo": SdkService("kinesisvideo", "KinesisVideo"),
    "lambda": SdkService("lambda", "Lambda"),
    "redshiftdata": SdkService("redshift-data", "RedshiftData"),
    "redshiftserverless": SdkService("redshift-serverless", "RedshiftServerless"),
    "rekognition": SdkService("rekognition", "Rekognition"),
    "s3": SdkService("s3", "S3"),
    "scheduler": SdkService("scheduler", "Scheduler"),
    "secretsmanager": SdkService("secretsmanager", "SecretsManager"),
    "sfn": SdkService("stepfunctions", "Sfn"),
    "sns": SdkService("sns", "Sns"),
    "sqs": SdkService("sqs", "Sqs"),
    "sts": SdkService("sts", "Sts"),
}
_OPTIMISED = re.compile(
    r"arn:aws:states:::(?:(?:lambda:invoke|sqs:sendMessage|sns:publish)(?:\.waitForTaskToken)?"
    r"|dynamodb:(?:get|put|update|delete)Item"
    r"|athena:(?:startQueryExecution(?:\.sync)?|stopQueryExecution|getQueryExecution|getQueryResults))"
    r"|arn:aws:lambda:[^:]*:[^:]*:function:.+"
)
_SDK = re.compile(r"arn:aws:states:::aws-sdk:([^:.]+):([^:.]+)(?:\.waitForTaskToken)?")


def problem_of(resource: object) -> str | None:
    """Why a Task with this Resource cannot run here, if it cannot."""
    text = str(resource)
    if _OPTIMISED.fullmatch(text):
        return None
    sdk = _SDK.fullmatch(text)
    service = SDK_SERVICES.get(sdk[1]) if sdk else None
    if sdk is None or service is None:
        return f"the local runtime does not know the integration {resource}"
    if sdk[2][0].upper() + sdk[2][1:] not in _operations(service.boto3):
        return f"{sdk[1]} has no action {sdk[2]}"
    return None


@cache
def _operations(service: str) -> frozenset[str]:
    return frozenset(create_loader().load_service_model(service, "service-2")["operations"])
