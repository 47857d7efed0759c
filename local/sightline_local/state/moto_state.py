"""Everything that moto holds for the runtime, kept and restored."""

from typing import Any

from sightline_local.state.control_calls import ControlCalls
from sightline_local.state.executions import Executions
from sightline_local.state.facts import Facts
from sightline_local.state.moto_app import AfterCall, KeepingApp
from sightline_local.state.objects import Objects
from sightline_local.state.queues import Queues
from sightline_local.state.subscriptions import Subscriptions
from sightline_local.state.tables import Tables
from sightline_local.state.users import Users


class MotoState:
    """A keeper of keepers: resources that were made at run time come before their contents."""

    def __init__(self, facts: Facts, moto: Any, account: str, region: str) -> None:
        self._facts = facts
        self._moto = moto
        self.control_calls = ControlCalls(facts, moto)
        self.tables = Tables(facts, account, region)
        self.objects = Objects(facts, account)
        self.queues = Queues(facts, account, region)
        self.users = Users(facts, account, region)
        self.subscriptions = Subscriptions(facts, account, region)
        self.executions = Executions(facts, account, region)
        self._keepers = (
            *(self.control_calls, self.tables, self.objects, self.queues, self.users),
            *(self.subscriptions, self.executions),
        )

    def app(self) -> Any:
        """The application of moto; with facts to keep, behind a door."""
        if not self._facts.keeps:
            return self._moto
        by_service: dict[str, AfterCall] = {
            "cognito-idp": self.users,
            "dynamodb": self.tables,
            "s3": self.objects,
            "sns": self.subscriptions,
        }
        return KeepingApp(self._moto, by_service, self.control_calls)

    def install(self) -> None:
        """Patch moto; before anything is made in it."""
        self.users.install()
        self.subscriptions.install()
        if self._facts.keeps:
            self.queues.install()
            self.executions.install()

    def restore(self) -> list[str]:
        return [name for keeper in self._keepers for name in keeper.restore()]

    def begin(self) -> None:
        for keeper in self._keepers:
            keeper.begin()

    def close(self) -> None:
        """What ends from now on ends because the runtime does."""
        self.executions.close()
