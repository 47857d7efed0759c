"""Every event source mapping of the runtime, of whatever source."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sightline_local.cloud.clients import Clients
from sightline_local.cloud.kinesis import DataStreams
from sightline_local.functions.invoker import Functions
from sightline_local.functions.spec import FunctionNotFound
from sightline_local.iam import Authorizer, Sessions, TrustDenied
from sightline_local.state import Facts
from sightline_local.triggers.mapping import Mapping, MappingSettings, SourceRefused
from sightline_local.triggers.mapping_role import MappingRole, Surroundings
from sightline_local.triggers.queue_mapping import QueueMapping
from sightline_local.triggers.stream_mapping import StreamMapping

_KIND = "lambda.mapping"
_CLOSE_SECONDS = 1.0


class Mappings:
    """Put `wake` into `DataStreams.listeners`.

    With facts to keep, mappings are held until `begin`: those made before are the template's, are made again
    at every start and get the same UUID each time; `restore` gives them the settings of their last change.
    """

    def __init__(
        self,
        functions: Functions,
        sessions: Sessions,
        authorizer: Authorizer,
        clients: Clients,
        streams: DataStreams,
        *,
        facts: Facts | None = None,
    ) -> None:
        self._around = Surroundings(functions, sessions, authorizer, clients)
        self._streams = streams
        self._facts = facts or Facts.none()
        self._held = self._facts.keeps
        self._mappings: dict[str, Mapping] = {}
        self._deployed: dict[str, MappingSettings] = {}  # as the template says

    def create(self, settings: MappingSettings) -> Mapping:
        """Begin to read. FunctionNotFound, TrustDenied, SourceRefused: nothing is made."""
        if self._held:
            name = f"{settings.function_arn} {settings.source_arn}"
            settings = replace(settings, uuid=str(uuid.uuid5(uuid.NAMESPACE_URL, name)))
        mapping = self._made(settings)
        if self._held:
            self._deployed[settings.uuid] = settings
        else:
            self._keep(settings.uuid, settings)
            mapping.place()
        self._mappings[settings.uuid] = mapping
        if settings.enabled and not self._held:
            mapping.start()
        return mapping

    def get(self, mapping_uuid: str) -> Mapping | None:
        return self._mappings.get(mapping_uuid)

    def find(self, *, function_arn: str | None = None, source_arn: str | None = None) -> Sequence[Mapping]:
        """The mappings of a function, of a source, of both, or all."""
        return [
            mapping
            for mapping in list(self._mappings.values())
            if function_arn in (None, mapping.settings.function_arn)
            and source_arn in (None, mapping.settings.source_arn)
        ]

    def change(self, mapping: Mapping, settings: MappingSettings) -> None:
        """Give it other settings; SourceRefused when they do not go with its source."""
        self._made(settings)
        self._keep(settings.uuid, settings)
        mapping.change(settings)

    def delete(self, mapping_uuid: str) -> Mapping | None:
        """Stop reading; an invocation under way ends by itself."""
        mapping = self._mappings.pop(mapping_uuid, None)
        if mapping:
            self._keep(mapping_uuid, None)
            mapping.stop()
            mapping.forget()
            mapping.settings = replace(mapping.settings, enabled=False)
        return mapping

    def wake(self, stream_name: str) -> None:
        """Records were put into a stream."""
        for mapping in list(self._mappings.values()):
            if mapping.settings.stream_name == stream_name:
                mapping.wake()

    def close(self) -> None:
        """End every reader."""
        threads = [thread for mapping in list(self._mappings.values()) for thread in mapping.stop()]
        self._mappings.clear()
        for thread in threads:
            thread.join(_CLOSE_SECONDS)

    # ---------------------------------------------------------------------------- the runtime starts again

    def restore(self) -> list[str]:
        """Settings as they were last; names the mappings whose function, source or template is gone."""
        homeless = []
        for mapping_uuid, value in self._facts.all(_KIND):
            fact = json.loads(value)
            former, settings = _settings_of(fact["deployed"]), _settings_of(fact["current"])
            deployed = self._deployed.get(mapping_uuid)
            if deployed is not None and deployed != former:
                continue  # the template says something else now: that counts
            if settings is None:
                self._mappings.pop(mapping_uuid, None)
            elif former != deployed or not self._restored(settings):
                homeless.append(f"event source mapping {mapping_uuid}")
        return homeless

    def begin(self) -> None:
        """Everything is there: read."""
        self._held = False
        for mapping in list(self._mappings.values()):
            self._keep(mapping.settings.uuid, mapping.settings)
            mapping.place()
            if mapping.settings.enabled:
                mapping.start()

    def _restored(self, settings: MappingSettings) -> bool:
        try:
            self._mappings[settings.uuid] = self._made(settings)
        except (FunctionNotFound, TrustDenied, SourceRefused):
            return False
        return True

    # -----------------------------------------------------------------------------------------------------

    def _made(self, settings: MappingSettings) -> Mapping:
        role = MappingRole(settings, self._around)
        mapping: Mapping = (
            QueueMapping(settings, role)
            if settings.service == "sqs"
            else StreamMapping(settings, role, self._streams, self._facts)
        )
        mapping.check_access()
        return mapping

    def _keep(self, mapping_uuid: str, settings: MappingSettings | None) -> None:
        """What the template said, if it is the template's, and what counts now: None when it is deleted."""
        deployed = self._deployed.get(mapping_uuid)
        if deployed is None and settings is None:
            self._facts.delete(_KIND, [mapping_uuid])
            return
        fact = {"deployed": _fact_of(deployed), "current": _fact_of(settings)}
        self._facts.put(_KIND, mapping_uuid, json.dumps(fact, default=datetime.isoformat).encode())


def _fact_of(settings: MappingSettings | None) -> dict[str, Any] | None:
    return asdict(settings) if settings else None


def _settings_of(fact: dict[str, Any] | None) -> MappingSettings | None:
    if fact is None:
        return None
    moment = fact["starting_timestamp"]
    fact["starting_timestamp"] = datetime.fromisoformat(moment) if moment else None
    fact["filters"] = tuple(fact["filters"])
    return MappingSettings(**fact)
