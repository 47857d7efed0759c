"""Puts the parts of the runtime together, in the order in which they need each other."""

import socket
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sightline_faces import FacePool
from sightline_local.clock import Timetable
from sightline_local.cloud import gateway as gateways
from sightline_local.cloud import patches, state_patches
from sightline_local.cloud.clients import Clients
from sightline_local.cloud.cloudformation import CloudFormationService
from sightline_local.cloud.cognito import TokenKeys
from sightline_local.cloud.gateway import Gateway
from sightline_local.cloud.kinesisvideo import FragmentStore, KinesisVideoService, MediaServer
from sightline_local.cloud.lambda_ import LambdaService
from sightline_local.cloud.moto_server import forget_everything, make_moto_app
from sightline_local.cloud.rekognition import RekognitionService
from sightline_local.cloud.scheduler import ScheduledRules, SchedulerService
from sightline_local.cloud.sns import Notifications, Signer
from sightline_local.cloud.sns.documents import Documents
from sightline_local.cloud.sns.endpoints import WebEndpoints
from sightline_local.deploy.site import Site
from sightline_local.deploy.stack import check, deploy
from sightline_local.errors import PortInUseError
from sightline_local.functions.destinations import Destinations
from sightline_local.functions.invoker import Functions
from sightline_local.iam import Authorizer, Sessions
from sightline_local.options import RuntimeOptions
from sightline_local.statemachine.interpreter import Interpreter, stop_executions
from sightline_local.template.parameters import read_samconfig
from sightline_local.template.scope import StackIdentity
from sightline_local.template.template import Template, load_template
from sightline_local.triggers.http_api import HttpApiServer, serve_http_api
from sightline_local.triggers.kinesis import KinesisMappings

Progress = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Running:
    """What a started runtime tells its user."""

    api_url: str
    aws_url: str
    outputs: dict[str, str]
    log_dir: Path


class HttpApis:
    """The HTTP APIs of the stack: the first one on the port that was asked for."""

    def __init__(self, functions: Functions, keys: TokenKeys, port: int, closing: ExitStack) -> None:
        self._functions = functions
        self._keys = keys
        self._port = port
        self._closing = closing
        self.servers: dict[str, HttpApiServer] = {}

    def serve(self, api_id: str, openapi: Mapping[str, Any]) -> None:
        port = 0 if self.servers else self._port
        server = _listening(
            port,
            "--port",
            lambda: serve_http_api(openapi, self._functions, self._keys.jwks, port, api_id=api_id),
        )
        self._closing.callback(server.close)
        self.servers[api_id] = server


def assemble(options: RuntimeOptions, account: str, closing: ExitStack, progress: Progress) -> Running:
    """Check, start and deploy; whatever is started is also put on `closing`."""
    identity = StackIdentity(options.stack_name, options.region, account)
    progress(f"reading {options.template.name}")
    given = {**read_samconfig(options.template), **options.parameters}
    template = load_template(options.template, identity, given)
    check(template)
    for port, option in ((options.api_port, "--port"), (options.aws_port, "--aws-port")):
        _check_free(port, option)
    progress(f"{options.template.name}: {len(template.resources)} resources")
    log_dir = options.log_dir or Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="sightline-")))
    log_dir.mkdir(parents=True, exist_ok=True)
    cloud = _Cloud(options, identity, log_dir, closing)
    progress(f"services at {cloud.clients.endpoint_url}")
    outputs = _deploy(template, cloud, progress)
    progress(f"stack {identity.name} deployed")
    if options.warm_faces:
        cloud.rekognition.warm()
    api_url = next((server.url for server in cloud.http_apis.servers.values()), "")
    return Running(api_url, cloud.clients.endpoint_url, outputs, log_dir)


class _Cloud:
    """Every service of the emulated cloud, up and empty."""

    def __init__(
        self, options: RuntimeOptions, identity: StackIdentity, log_dir: Path, closing: ExitStack
    ) -> None:
        region, account = identity.region, identity.account
        self.identity = identity
        self.sessions = Sessions(account, region)
        self.authorizer = Authorizer(account, region)
        self.keys = TokenKeys()
        self.gateway = self._start_gateway(options, closing)
        self.interpreter = Interpreter(self.sessions, self.clients.client)
        self._patch_moto(closing)
        self.timetable = Timetable(options.clock)
        closing.callback(self.timetable.close)
        self.functions = Functions(
            self.clients.endpoint_url, region, self.sessions, log_dir, timetable=self.timetable
        )
        closing.callback(self.functions.close)
        self._tell_ends()
        self._publish(closing)
        self.media = self._start_media(closing)
        self.rekognition = RekognitionService(
            region, account, self.sessions, self.clients, lambda: FacePool(options.face_workers)
        )
        closing.callback(self.rekognition.close)
        self.mappings = KinesisMappings(self.functions, self.sessions, self.authorizer, self.clients)
        closing.callback(self.mappings.close)
        closing.callback(stop_executions)
        self.scheduler = SchedulerService(region, account, self.sessions, self.clients, self.timetable)
        closing.callback(self.scheduler.close)
        self.rules = ScheduledRules(self.functions, self.timetable)
        self.cloudformation = CloudFormationService()
        self._register()
        self.http_apis = HttpApis(self.functions, self.keys, options.api_port, closing)

    def _start_gateway(self, options: RuntimeOptions, closing: ExitStack) -> Gateway:
        gateway = Gateway(make_moto_app(), self.sessions, self.authorizer)
        closing.callback(forget_everything)
        server = _listening(options.aws_port, "--aws-port", lambda: gateways.serve(gateway, options.aws_port))
        closing.callback(server.close)
        self.clients = Clients(server.url, self.identity.region)
        return gateway

    def _patch_moto(self, closing: ExitStack) -> None:
        closing.callback(patches.undo)
        self.interpreter.install()
        self.keys.install()
        patches.know_managed_policies_when_attached()
        state_patches.undo_transactions_item_by_item()

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
        signer = Signer(self.clients.endpoint_url)
        signer.warm()
        self.gateway.public[signer.certificate_path] = lambda: signer.certificate
        documents = Documents(signer, self.clients.endpoint_url)
        notifications = Notifications(documents, self.functions)
        endpoints = WebEndpoints(documents, self.timetable, notifications.give_up)
        closing.callback(endpoints.close)
        notifications.protocols |= {"http": endpoints.deliver, "https": endpoints.deliver}
        notifications.install()
        state_patches.ask_web_servers_first(endpoints.ask, endpoints.confirm)
        for action in ("ConfirmSubscription", "Unsubscribe"):
            self.gateway.public_actions[action] = endpoints.visited

    def _start_media(self, closing: ExitStack) -> MediaServer:
        store = FragmentStore()
        closing.callback(store.close)
        service = KinesisVideoService(self.identity.region, self.identity.account, lambda: media.url, store)
        media = MediaServer(store, service, self.sessions, self.authorizer)
        closing.callback(media.close)
        media.start()
        self.gateway.services["kinesisvideo"] = service
        return media

    def _register(self) -> None:
        self.gateway.services["lambda"] = LambdaService(self.functions, self.mappings)
        self.gateway.services["rekognition"] = self.rekognition
        self.gateway.services["cloudformation"] = self.cloudformation
        self.gateway.services["scheduler"] = self.scheduler
        self.gateway.on_kinesis_put.append(self.mappings.wake)


def _deploy(template: Template, cloud: _Cloud, progress: Progress) -> dict[str, str]:
    site = Site(cloud.identity, cloud.clients.client, cloud.functions, cloud.http_apis, rules=cloud.rules)
    stack = deploy(template, site, lambda: datetime.now(UTC), progress)
    outputs = {name: _local(value, cloud) for name, value in stack.outputs.items()}
    cloud.cloudformation.stack = replace(stack, outputs=outputs)
    return outputs


def _local(value: str, cloud: _Cloud) -> str:
    """An output that says where an HTTP API is on AWS says where it is here."""
    for api_id, server in cloud.http_apis.servers.items():
        host = f"{api_id}.execute-api.{cloud.identity.region}.{cloud.identity.url_suffix}"
        value = value.replace(f"https://{host}", server.url)
    return value


def _check_free(port: int, option: str) -> None:
    if port:
        _listening(port, option, lambda: socket.create_server(("127.0.0.1", port))).close()


def _listening(port: int, option: str, listen: Callable[[], T]) -> T:
    try:
        return listen()
    except OSError as error:
        raise PortInUseError(port, option) from error
