"""Moto without what nobody here needs: its EC2 catalogue costs 100 MB and half a second of every start."""

import enum
import importlib
import sys
from types import ModuleType

_TASKS = "moto.stepfunctions.parser.asl.component.state.exec.state_task.service"
_ASKS_FOR_BATCH = f"{_TASKS}.state_task_service_batch"
_STANDS_IN = ("moto.batch", "moto.batch.utils")


class _JobStatus(enum.StrEnum):
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


def import_step_functions() -> None:
    """Import moto's interpreter; its task for AWS Batch asks for moto's Batch, and that for all of EC2."""
    if any(name in sys.modules for name in (_ASKS_FOR_BATCH, *_STANDS_IN)):
        return
    package, utils = (ModuleType(name) for name in _STANDS_IN)
    vars(utils)["JobStatus"] = _JobStatus
    sys.modules.update(zip(_STANDS_IN, (package, utils), strict=True))
    try:
        importlib.import_module(_ASKS_FOR_BATCH)
    finally:
        for name in _STANDS_IN:
            del sys.modules[name]
