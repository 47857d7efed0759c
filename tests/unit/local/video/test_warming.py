"""Loading the networks in the background."""

import logging
from concurrent.futures import Future
from threading import Event
from typing import Any

import pytest

from sightline_faces import Face, PoolClosedError, WeightsError
from sightline_local.cloud.rekognition import RekognitionService


class Workers:
    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.was_asked = Event()
        self.closed = False

    def warm(self) -> None:
        self.was_asked.set()
        if self.failure:
            raise self.failure

    def submit(self, rgb: Any, *, photo: bool = False) -> Future[list[Face]]:
        raise NotImplementedError

    def close(self) -> None:
        self.closed = True


def a_service(workers: Workers) -> RekognitionService:
    unused: Any = None
    return RekognitionService("us-east-1", "123456789012", unused, unused, lambda: workers)


def test_warming_starts_the_workers_and_close_ends_them() -> None:
    workers = Workers()
    service = a_service(workers)

    service.warm()
    assert workers.was_asked.wait(5)
    service.close()
    service.close()

    assert workers.closed


@pytest.mark.parametrize(
    ("failure", "lines"), [(WeightsError("the weights are missing"), 1), (PoolClosedError("closed"), 0)]
)
def test_only_a_real_failure_to_start_is_news(
    failure: Exception, lines: int, caplog: pytest.LogCaptureFixture
) -> None:
    service = a_service(Workers(failure))

    with caplog.at_level(logging.ERROR):
        service._warm()

    assert len(caplog.records) == lines


def test_a_service_that_was_closed_starts_no_workers() -> None:
    workers = Workers()
    service = a_service(workers)
    service.close()

    service._warm()

    assert not workers.was_asked.is_set()
