"""What can go wrong, each with a message of one line that says what to do.

FaceEngineError
├── WeightsError      the weights are missing, or are not the ones this engine was measured with
├── BuildError        the networks could not be built, or do not agree with dlib
├── PhotoError        not a picture that can be read
├── WorkerError       a worker process ended or hung, twice, on the same picture
└── PoolClosedError   the pool was closed before the picture was analysed
"""


class FaceEngineError(Exception):
    """Anything this package raises on purpose."""


class WeightsError(FaceEngineError):
    pass


class BuildError(FaceEngineError):
    pass


class PhotoError(FaceEngineError):
    pass


class WorkerError(FaceEngineError):
    pass


class PoolClosedError(FaceEngineError):
    pass
