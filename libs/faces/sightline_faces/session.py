"""Runs a network."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float32]


class Session:
    """One input, one output, one thread: a second one made each face slower, so the pool uses processes."""

    def __init__(self, network: bytes) -> None:
        # Half a tenth of a second and 40 MB, which the process that only holds a pool never needs.
        # The wheel reports to its maker from the import on, unless told not to; faces stay on this machine.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime  # noqa: PLC0415

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # Kept for the next picture, the memory of one large frame would stay for ever (180 MB after 1080p).
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
        options.log_severity_level = 3  # errors; warnings speak of this machine's processors
        self._session: Any = onnxruntime.InferenceSession(
            network, options, providers=["CPUExecutionProvider"]
        )
        self._input: str = self._session.get_inputs()[0].name

    def __call__(self, values: NDArray[np.uint8]) -> Numbers:
        result: Numbers = self._session.run(None, {self._input: values})[0]
        return result
