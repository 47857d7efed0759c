"""Puts the parts of the runtime together, in the order in which they need each other."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sightline_faces import FacePool
from sightline_local.clock import Timetable
from sightline_local.cloud import gateway as gateways
from sightline_local.cloud import patches
from sightline_local.cloud.athena import AthenaService
from sightline_local.cloud.clients import Clients
from sightline_local.cloud.cloudformation import CloudFormationService
from sightline_local.cloud.cognito import TokenKeys
from sightline_local.cloud.firehose import FirehoseService
from sightline_local.cloud.gateway import Gateway
from sightline_local.cloud.kinesis import DataStreams, KinesisService
from sightline_local.cloud.kinesisvideo import FragmentStore, KinesisVideoService, MediaServer
from sightline_local.cloud.lambda_ import LambdaService
from sightline_local.cloud.logs import LogsService
from sightline_local.cloud.moto_server import forget_everything, make_moto_app
from sightline_local.cloud.patches import buckets, reads, roles, tables, topics
from sightline_local.cloud.redshift_data import WarehouseServices
from sightline_local.cloud.rekognition import RekognitionService
from sightline_local.cloud.scheduler import ScheduledRules, SchedulerService
from sightline_local.cloud.sns import Notifications, Signer
from sightline_local.cloud.sns.documents import Documents
from sightline_local.cloud.sns.endpoints import WebEndpoints
from sightline_local.deploy.site import Site
from sightline_local.deploy.stack import check, deploy
from sightline_local.functions.destinations import Destinations
from sightline_local.functions.invoker import Functions
from sightline_local.iam import Authorizer, Sessions
from sightline_local.iam.report import IamReport, report
from sightline_local.options import RuntimeOptions
from sightline_local.ports import check_free, listening
from sightline_local.state import Facts
from sightline_local.state.data_dir import kept_in
from sightline_local.state.keepers import Keepers
from sightline_local.state.moto_state import MotoState
from sightline_local.statemachine.interpreter import Interpreter, stop_executions
from sightline_local.template.parameters import read_samconfig
from sightline_local.template.scope import StackIdentity
from sightline_local.template.template import Template, load_template
from sightline_local.triggers.http_apis import HttpApis
from sightline_local.triggers.mappings import Mappings

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Running:
    """What a started runtime tells its user."""

    api_url: str
    aws_url: str
    outputs: dict[str, str]
    log_dir: Path
    iam_report: Callable[[], IamReport]
    kept_aside: tuple[str, ...]
    sessions: Sessions


def assemble(options: RuntimeOptions, account: str, closing: ExitStack, progress: Progress) -> Running:
    """Check, start and deploy; whatever is started is also put on `closing`."""
    identity = StackIdentity(options.stack_name, options.region, account)
    progress(f"reading {options.template.name}")
    given = {**read_samconfig(options.template), **options.parameters}
    template = load_template(options.template, identity, given)
    check(template)
    for port, option in ((options.api_port, "--port"), (options.aws_port, "--aws-port")):
        check_free(port, option)
    progress(f"{options.template.name}: {len(template.resources)} resources")
    facts = closing.enter_context(kept_in(options.data_dir, identity))
    log_dir = options.log_dir or Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="sightline-")))
    log_dir.mkdir(parents=True, exist_ok=True)
    cloud = _Cloud(options, identity, log_dir, facts, closing)
    progress(f"services at {cloud.clients.endpoint_url}")
    outputs = _deploy(template, cloud, progress)
    progress(f"stack {identity.name} deployed")
    if options.warm_faces:
        cloud.rekognition.warm()
    api_url = next((server.url for server in cloud.http_apis.servers.values()), "")
    iam_report = partial(report, cloud.authorizer)
    return Running(
        api_url,
        cloud.clients.endpoint_url,
        outputs,
        log_dir,
        iam_report,
        cloud.keepers.aside,
        cloud.sessions,
    )


class _Cloud:
    """Every service of the emulated cloud, up and empty."""

    def __init__(
        self,
        options: RuntimeOptions,
        identity: StackIdentity,
        log_dir: Path,
        facts: Facts,
        closing: ExitStack,
    ) -> None:
        region, account = identity.region, identity.account
        self.identity = identity
        self.facts = facts
        self.keepers = Keepers()
        self.sessions = Sessions(account, region, facts)
        self.authorizer = Authorizer(account, region)
        self.sessions.usage = self.authorizer.usage
        self.keys = TokenKeys(facts)
        self.gateway = self._start_gateway(options, closing)
        self.streams = DataStreams(region, account, facts)
        self.keepers.add(self.streams)
        self.interpreter = Interpreter(self.sessions, self.clients.client, options.clock)
        self._patch_moto(closing)
        self.timetable = Timetable(options.clock, held=True)
        closing.callback(self.timetable.close)
        self.functions = Functions(
            self.clients.endpoint_url,
            region,
            self.sessions,
            log_dir,
            timetable=self.timetable,
            facts=facts,
            authorizer=self.authorizer,
        )
        self.authorizer.resource_policies.readers["lambda"] = self.functions.permissions.text
        self.keepers.add(self.functions.permissions, self.functions.asynchronous)
        closing.callback(self.functions.close)
        self._tell_ends()
        self._publish(closing)
        self.media = self._start_media(closing)
        self.rekognition = RekognitionService(
            region, account, self.sessions, self.clients, lambda: FacePool(options.face_workers), facts=facts
        )
        self.keepers.add(self.rekognition)
        closing.callback(self.rekognition.close)
        self.mappings = Mappings(
            self.functions, self.sessions, self.authorizer, self.clients, self.streams, facts=facts
        )
        self.keepers.add(self.mappings)
        closing.callback(self.mappings.close)
        closing.callback(stop_executions)
        closing.callback(self.moto_state.close)
        self.scheduler = SchedulerService(
            region, account, self.sessions, self.clients, self.timetable, facts=facts
        )
        self.keepers.add(self.scheduler)
        closing.callback(self.scheduler.close)
        self.warehouses = WarehouseServices(self.sessions, self.clients, self.timetable.clock.now, facts)
        self.keepers.add(self.warehouses)
        closing.callback(self.warehouses.close)
        self.firehose = FirehoseService(
            region,
            account,
            self.sessions,
            self.authorizer,
            self.clients,
            streams=self.streams,
            clock=options.clock,
            facts=facts,
            warehouse=self.warehouses.redshift,
        )
        closing.callback(self.firehose.close)
        self.keepers.add(self.firehose)
        self.athena = AthenaService(self.sessions, self.clients, self.timetable.clock.now, facts)
        closing.callback(self.athena.close)
        self.rules = ScheduledRules(self.functions, self.timetable, facts)
        self.cloudformation = CloudFormationService()
        self._register()
        self.http_apis = HttpApis(self.functions, self.keys, options.api_port, closing)

    def _start_gateway(self, options: RuntimeOptions, closing: ExitStack) -> Gateway:
        region, account = self.identity.region, self.identity.account
        self.moto_state = MotoState(self.facts, make_moto_app(), account, region)
        self.keepers.add(self.moto_state)
        gateway = Gateway(self.moto_state.app(), self.sessions, self.authorizer)
        if self.facts.keeps:
            gateway.gate.close()
        closing.callback(forget_everything)
        server = listening(options.aws_port, "--aws-port", lambda: gateways.serve(gateway, options.aws_port))
        closing.callback(server.close)
        self.clients = Clients(server.url, self.identity.region, gateway.gate.word)
        return gateway

    def _patch_moto(self, closing: ExitStack) -> None:
        closing.callback(patches.undo)
        self.interpreter.install()
        self.keys.install()
        roles.know_managed_policies_when_attached()
        buckets.leave_bucket_policies_to_the_gateway()
        tables.undo_transactions_item_by_item()
        tables.install()
        reads.install()
        self.moto_state.install()

    def _tell_ends(self) -> None:
        """Dead-letter queues and destinations of asynchronous invocations."""
        functions, clients = self.functions, self.clients
        destinations = Destinations(
            lambda name, service: clients.client(service, functions.credentials_of(name)),
            lambda name: functions.spec(name).arn,
            self.timetable.clock.now,
        )
        functions.asynchronous.on_end = destinations.tell

    def _publish(self, closing: ExitStack) -> None:
        signer = Signer(self.clients.endpoint_url, self.facts)
        signer.warm()
        self.gateway.public[signer.certificate_path] = lambda: signer.certificate
        documents = Documents(signer, self.clients.endpoint_url)
        notifications = Notifications(documents, self.functions, self.authorizer.authorize_service)
        endpoints = WebEndpoints(documents, self.timetable, notifications.give_up, self.facts)
        self.keepers.add(endpoints)
        closing.callback(endpoints.close)
        notifications.protocols |= {"http": endpoints.deliver, "https": endpoints.deliver}
        notifications.install()
        topics.ask_web_servers_first(endpoints.ask, endpoints.confirm)
        for action in ("ConfirmSubscription", "Unsubscribe"):
            self.gateway.public_actions[action] = self.moto_state.subscriptions.after_each(endpoints.visited)

    def _start_media(self, closing: ExitStack) -> MediaServer:
        store = FragmentStore(facts=self.facts)
        closing.callback(store.close)
        service = KinesisVideoService(self.identity.region, self.identity.account, lambda: media.url, store)
        media = MediaServer(store, service, self.sessions, self.authorizer)
        closing.callback(media.close)
        self.keepers.add(media)
        self.gateway.services["kinesisvideo"] = service
        return media

    def _register(self) -> None:
        self.gateway.services["athena"] = self.athena
        self.gateway.services["kinesis"] = KinesisService(self.streams)
        self.gateway.services["lambda"] = LambdaService(self.functions, self.mappings)
        self.gateway.services["logs"] = LogsService(
            self.identity.region, self.identity.account, self.functions
        )
        self.gateway.services["rekognition"] = self.rekognition
        self.gateway.services["cloudformation"] = self.cloudformation
        self.gateway.services["scheduler"] = self.scheduler
        self.gateway.services["firehose"] = self.firehose
        self.gateway.services |= self.warehouses.services
        self.streams.listeners.append(self.mappings.wake)

    def resume(self) -> None:
        """Restore what was kept, and let everything begin that runs by itself."""
        self.gateway.gate.only_the_runtime()
        self.keepers.restore()
        self.timetable.begin()
        self.keepers.begin()
        self.http_apis.begin()
        self.gateway.gate.open()


def _deploy(template: Template, cloud: _Cloud, progress: Progress) -> dict[str, str]:
    site = Site(
        *(cloud.identity, cloud.clients.client, cloud.functions, cloud.http_apis),
        rules=cloud.rules,
        facts=cloud.facts,
    )
    stack = deploy(template, site, lambda: datetime.now(UTC), progress)
    cloud.resume()
    outputs = {name: _local(value, cloud) for name, value in stack.outputs.items()}
    cloud.cloudformation.stack = replace(stack, outputs=outputs)
    return outputs


def _local(value: str, cloud: _Cloud) -> str:
    """An output that says where an HTTP API is on AWS says where it is here."""
    for api_id, server in cloud.http_apis.servers.items():
        host = f"{api_id}.execute-api.{cloud.identity.region}.{cloud.identity.url_suffix}"
        value = value.replace(f"https://{host}", server.url)
    return value
