"""The patch of moto's interpreter for queries of Athena; see test_moto_patches.py."""

from collections.abc import Iterator

import pytest
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_factory
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_unsupported import (  # noqa: E501  moto's name
    StateTaskServiceUnsupported,
)

from sightline_local.cloud import patches
from sightline_local.cloud.patches import queries


@pytest.fixture(autouse=True)
def _moto_as_it_came() -> Iterator[None]:
    patches.undo()
    yield
    patches.undo()


def test_moto_itself_does_not_run_tasks_of_athena() -> None:
    assert isinstance(state_task_factory.state_task_service_for("athena"), StateTaskServiceUnsupported)


def test_tasks_of_athena_are_ours_and_the_others_stay_motos() -> None:
    motos = type(state_task_factory.state_task_service_for("sqs"))

    queries.run_queries_of_athena(lambda *_: None)

    assert type(state_task_factory.state_task_service_for("athena")).__name__ == "AthenaTask"
    assert type(state_task_factory.state_task_service_for("sqs")) is motos
