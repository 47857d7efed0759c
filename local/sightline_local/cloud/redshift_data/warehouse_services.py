"""Everything about warehouses that the runtime has to know: made, registered, restored and closed as one."""

from collections.abc import Callable, Mapping
from datetime import datetime

from sightline_local.cloud.clients import Clients
from sightline_local.cloud.redshift import Redshift
from sightline_local.cloud.redshift.clusters import ClusterService
from sightline_local.cloud.redshift.serverless import ServerlessService
from sightline_local.cloud.redshift_data.service import RedshiftDataService
from sightline_local.cloud.service import Service
from sightline_local.iam import Sessions
from sightline_local.iam.arns import Place
from sightline_local.state import Facts


class WarehouseServices:
    """`services` by their signing names; a keeper."""

    def __init__(
        self, sessions: Sessions, clients: Clients, now: Callable[[], datetime], facts: Facts
    ) -> None:
        place = Place(sessions.account, sessions.region)
        self.redshift = Redshift(sessions, clients, facts)
        self._data = RedshiftDataService(self.redshift, sessions, clients, now, facts)
        self.services: Mapping[str, Service] = {
            "redshift": ClusterService(self.redshift, place),
            "redshift-data": self._data,
            "redshift-serverless": ServerlessService(self.redshift, place),
        }

    def restore(self) -> list[str]:
        """Databases lie in their files; name those whose warehouse the template has no more."""
        return self.redshift.homeless()

    def begin(self) -> None:
        """Nothing runs by itself here."""

    def close(self) -> None:
        self._data.close()
        self.redshift.close()
