"""A small cloud per test: the gateway in front of moto, functions, Lambda and its mappings."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sightline_local.cloud.clients import Clients
from sightline_local.cloud.gateway import Gateway, serve
from sightline_local.cloud.kinesis import DataStreams, KinesisService
from sightline_local.cloud.lambda_ import LambdaService
from sightline_local.cloud.moto_server import forget_everything, make_moto_app
from sightline_local.functions.invoker import Functions
from sightline_local.functions.spec import FunctionSpec
from sightline_local.functions.warm_parent import WarmParent
from sightline_local.iam import Authorizer, Credentials, Sessions
from sightline_local.triggers.mappings import Mappings

ACCOUNT = "123456789012"
REGION = "us-east-1"


@dataclass
class Cloud:
    gateway: Gateway
    clients: Clients
    sessions: Sessions
    functions: Functions
    mappings: Mappings
    streams: DataStreams
    folder: Path
    roles: set[str] = field(default_factory=set)

    def client(self, service: str, credentials: Credentials | None = None) -> Any:
        return self.clients.client(service, credentials)

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"

    def role(self, *statements: Mapping[str, Any], name: str = "role", trust: Any = None) -> str:
        """A role with these statements; by default Lambda may assume it."""
        trusted = trust or {"Principal": {"Service": "lambda.amazonaws.com"}}
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", **trusted}
        policy = {"Version": "2012-10-17", "Statement": list(statements)}
        iam = self.client("iam")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [statement]}))
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
        self.roles.add(name)
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"

    def session(self, *statements: Mapping[str, Any], name: str = "role") -> Credentials:
        """Keys of a role that may do what the statements say."""
        role_arn = self.role(*statements, name=name)
        return self.sessions.assume(role_arn, "session", service_principal="lambda.amazonaws.com")

    def function(self, name: str, source: str, *statements: Mapping[str, Any], **spec: Any) -> str:
        """Deploy a handler; return the ARN of the function."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "handler.py").write_text(source)
        role_name = f"{name}-role"
        role_arn = f"arn:aws:iam::{ACCOUNT}:role/{role_name}"
        if role_name not in self.roles:
            self.role(*statements, name=role_name)
        arn = self.arn("lambda", f"function:{name}")
        given = {"environment": {}, "timeout_seconds": 5, "memory_mb": 256, "layer_dirs": (), **spec}
        self.functions.register(
            FunctionSpec(
                name=name, arn=arn, handler="handler.handle", code_dir=folder, role_arn=role_arn, **given
            )
        )
        return arn


@pytest.fixture(scope="module")
def warm_parent() -> Iterator[WarmParent]:
    """One for all tests of a file: it takes longer to start than most tests."""
    parent = WarmParent()
    yield parent
    parent.close()


@pytest.fixture(scope="module")
def moto_app() -> Any:
    return make_moto_app()


@pytest.fixture
def cloud(tmp_path: Path, moto_app: Any, warm_parent: WarmParent) -> Iterator[Cloud]:
    sessions, authorizer = Sessions(ACCOUNT, REGION), Authorizer(ACCOUNT, REGION)
    gateway = Gateway(moto_app, sessions, authorizer)
    with serve(gateway) as server:
        clients = Clients(server.url, REGION)
        functions = Functions(server.url, REGION, sessions, tmp_path / "logs", warm_parent=warm_parent)
        streams = DataStreams(REGION, ACCOUNT)
        mappings = Mappings(functions, sessions, authorizer, clients, streams)
        gateway.services["lambda"] = LambdaService(functions, mappings)
        gateway.services["kinesis"] = KinesisService(streams)
        streams.listeners.append(mappings.wake)
        try:
            yield Cloud(gateway, clients, sessions, functions, mappings, streams, tmp_path)
        finally:
            mappings.close()
            functions.close()
            forget_everything()


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], Any]:
    """Wait for something to become true; fail when it does not within ten seconds."""

    def wait(condition: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if found := condition():
                return found
            time.sleep(0.01)
        return pytest.fail("it did not happen within ten seconds")

    return wait
