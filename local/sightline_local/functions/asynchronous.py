"""Invocations that nobody waits for: tried again twice when the function fails, as Lambda does."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock, Timer

from sightline_local.functions.spec import FunctionNotFound, InvokeResult, TooManyInvocations
from sightline_local.functions.warm_parent import WarmParentGone

_logger = logging.getLogger(__name__)
_RETRY_AFTER_SECONDS = (60.0, 120.0)
_WORKERS = 4


class AsyncInvocations:
    """InvocationType Event; what still fails after the retries is dropped with one line in the log."""

    def __init__(
        self,
        invoke: Callable[[str, bytes], InvokeResult],
        retry_after_seconds: tuple[float, ...] = _RETRY_AFTER_SECONDS,
    ) -> None:
        self._invoke = invoke
        self._delays = retry_after_seconds
        self._executor = ThreadPoolExecutor(_WORKERS, thread_name_prefix="async-invoke")
        self._timers: set[Timer] = set()
        self._lock = Lock()
        self._closed = False

    def submit(self, function_name: str, payload: bytes, attempt: int = 0) -> None:
        with self._lock:
            if not self._closed:
                self._executor.submit(self._run, function_name, payload, attempt)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for timer in self._timers:
                timer.cancel()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _run(self, function_name: str, payload: bytes, attempt: int) -> None:
        try:
            failed = self._invoke(function_name, payload).error
        except (FunctionNotFound, TooManyInvocations, WarmParentGone) as error:
            _logger.warning("asynchronous invocation of %s: %s", function_name, error)
            failed = True
        if not failed:
            return
        if attempt >= len(self._delays):
            _logger.error(
                "asynchronous invocation of %s failed %d times: dropped", function_name, attempt + 1
            )
            return
        timer = Timer(self._delays[attempt], self.submit, (function_name, payload, attempt + 1))
        timer.daemon = True
        with self._lock:
            if not self._closed:
                self._timers = {each for each in self._timers if each.is_alive()} | {timer}
                timer.start()
