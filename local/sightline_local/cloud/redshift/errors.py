"""What goes wrong in a warehouse, in the words in which Redshift says it."""


class SqlError(Exception):
    """A statement failed; the text begins with `ERROR: ` as the Data API shows it."""

    def __init__(self, message: str) -> None:
        super().__init__(f"ERROR: {message}")
        self.number = 0  # of the statement among those that were run together


class NotEmulatedError(SqlError):
    """Something that Redshift knows and the local runtime does not."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the local Redshift does not know {what}")


class CopyFailed(Exception):  # noqa: N818  what Firehose calls it
    """A COPY of a delivery stream loaded nothing; the text says why."""
