"""What ends a camera."""


class CameraError(Exception):
    """The camera cannot go on; the message is one line that says what to do."""


class LostConnectionError(Exception):
    """The connection is gone, or should be replaced; the camera tries again."""


class RefusedError(Exception):
    """The service answered a request with an HTTP error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.status = status
        self.code = code
