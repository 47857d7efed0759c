"""Makes delivery streams out of their settings; roles, source, table and warehouse are looked at first."""

from dataclasses import dataclass

from botocore.exceptions import ClientError

from sightline_local.clock import Clock
from sightline_local.cloud.clients import Clients
from sightline_local.cloud.firehose.access import RoleAccess
from sightline_local.cloud.firehose.bucket_writer import BucketWriter
from sightline_local.cloud.firehose.conversion import ToParquet
from sightline_local.cloud.firehose.copies import Copies
from sightline_local.cloud.firehose.delivery_stream import DeliveryStream
from sightline_local.cloud.firehose.error_log import ErrorLog
from sightline_local.cloud.firehose.hive_types import UnknownType
from sightline_local.cloud.firehose.partitions import compiled
from sightline_local.cloud.firehose.refusals import invalid, not_emulated
from sightline_local.cloud.firehose.settings import Settings
from sightline_local.cloud.firehose.sources import DirectSource, KinesisSource
from sightline_local.cloud.firehose.transform import Transformer
from sightline_local.cloud.firehose.warehouse import Warehouse
from sightline_local.cloud.kinesis import DataStreams, StreamGone
from sightline_local.iam import AccessDenied, Authorizer, Sessions, TrustDenied
from sightline_local.state import Facts

_READ_ACTIONS = ("kinesis:DescribeStream", "kinesis:GetShardIterator", "kinesis:GetRecords")


@dataclass(frozen=True, slots=True)
class Maker:
    """What every delivery stream needs of the runtime."""

    sessions: Sessions
    authorizer: Authorizer
    clients: Clients
    streams: DataStreams
    clock: Clock
    facts: Facts
    warehouse: Warehouse | None

    def make(self, arn: str, settings: Settings) -> DeliveryStream:
        """Idle; ServiceError InvalidArgumentException when a role, stream or table is not as it must be."""
        accesses = {role: self._access(role, arn) for role in settings.role_arns()}
        if settings.processing.query is not None:
            compiled(settings.processing.query)
        bucket = accesses[settings.bucket.role_arn]
        access = accesses[settings.copying.role_arn] if settings.copying else bucket
        now, destination = self.clock.now, f"arn:aws:s3:::{settings.bucket.name}"
        log = ErrorLog(arn, destination, settings.destination_log, access.client, now)
        writer = BucketWriter(settings.name, settings.bucket, bucket)
        return DeliveryStream(
            settings,
            self._source(settings, accesses),
            writer,
            now,
            bucket_log=ErrorLog(arn, destination, settings.bucket_log, bucket.client, now),
            log=log,
            transformer=_transformer(arn, settings, access),
            converter=self._converter(settings, accesses),
            copies=self._copies(settings, accesses, writer, log),
        )

    def _access(self, role_arn: str, stream_arn: str) -> RoleAccess:
        access = RoleAccess(role_arn, stream_arn, self.sessions, self.authorizer, self.clients)
        try:
            access.credentials()
        except TrustDenied as error:
            raise invalid(
                f"Firehose is unable to assume role {role_arn}. Please check the role provided."
            ) from error
        return access

    def _source(self, settings: Settings, accesses: dict[str, RoleAccess]) -> KinesisSource | DirectSource:
        if settings.source_arn is None or settings.source_role_arn is None:
            return DirectSource(settings.name, self.facts, self.clock.now)
        access = accesses[settings.source_role_arn]
        try:
            for action in _READ_ACTIONS:
                access.authorize(action, settings.source_arn)
            return KinesisSource(settings.name, settings.source_arn, access, self.streams, self.facts)
        except AccessDenied as error:
            raise invalid(
                f"Role {access.role_arn} is not authorized to perform: {action} on resource "
                f"{settings.source_arn}."
            ) from error
        except StreamGone as error:
            raise invalid(f"Kinesis stream {settings.source_arn} not found.") from error

    def _converter(self, settings: Settings, accesses: dict[str, RoleAccess]) -> ToParquet | None:
        conversion = settings.conversion
        if conversion is None:
            return None
        if conversion.region not in (None, self.clients.region):
            raise not_emulated(f"a Glue table of the region {conversion.region}")
        access = accesses[conversion.role_arn]
        converter = ToParquet(conversion, lambda: access.client("glue"), self.clock.now)
        _check_schema(converter)
        return converter

    def _copies(
        self, settings: Settings, accesses: dict[str, RoleAccess], writer: BucketWriter, log: ErrorLog
    ) -> Copies | None:
        copying = settings.copying
        if copying is None:
            return None
        if self.warehouse is None:
            raise not_emulated("RedshiftDestinationConfiguration")
        secret = accesses[copying.secret_role_arn] if copying.secret_role_arn else None
        return Copies(
            copying,
            self.warehouse,
            writer=writer,
            access=accesses[copying.role_arn],
            secret_access=secret,
            log=log,
        )


def _transformer(arn: str, settings: Settings, access: RoleAccess) -> Transformer | None:
    if settings.processing.transform is None:
        return None
    return Transformer(
        settings.processing.transform, arn, settings.source_arn, lambda: access.client("lambda")
    )


def _check_schema(converter: ToParquet) -> None:
    """https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-glue"""
    try:
        schema = converter.schema()
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if code == "AccessDeniedException":
            raise invalid(
                "Access was denied when calling Glue. Please ensure that the role specified in the data "
                f"format conversion configuration has the necessary permissions. ({message})"
            ) from error
        raise invalid(f"The schema is invalid. {message}") from error
    except UnknownType as error:
        raise not_emulated(f"{error} of a Glue column in the data format conversion") from error
    if not schema.columns:
        raise invalid("The schema is invalid. The specified table has no columns.")
