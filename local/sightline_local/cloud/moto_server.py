"""moto as one WSGI application. It holds the state of every service that is not our own."""

from typing import Any

from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app


def make_moto_app() -> Any:
    """The WSGI application, with empty state. The state is global: one runtime per process at a time."""
    forget_everything()
    return DomainDispatcherApplication(create_backend_app)


def forget_everything() -> None:
    """Drop the state of every service, so that a later start in this process begins empty."""
    BackendDict.reset()
