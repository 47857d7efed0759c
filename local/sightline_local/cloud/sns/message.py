"""One published message, and what each protocol gets of it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

MESSAGE_LIMIT_BYTES = 256 * 1024
_SUBJECT = re.compile(r"[!-~][ -~]{0,99}")  # at most 100 characters, no control characters


class InvalidMessage(Exception):  # noqa: N818  as SNS's InvalidParameter
    """SNS does not take the message; `str()` is its own wording."""


@dataclass(frozen=True, slots=True)
class Message:
    """`attributes`: name → {"Type": "String" | "Number" | "Binary" | "String.Array", "Value": text}."""

    message_id: str
    topic_arn: str
    text: str
    subject: str | None
    attributes: Mapping[str, Mapping[str, str]]
    published_at: datetime
    structure: Mapping[str, str] | None = field(default=None)  # MessageStructure "json": protocol → text

    def text_for(self, protocol: str) -> str:
        if self.structure is None:
            return self.text
        return self.structure.get(protocol, self.structure["default"])

    @property
    def timestamp(self) -> str:
        moment = self.published_at
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def check_words(text: str, subject: str | None) -> None:
    """A message says something; a subject is one line of ASCII that begins with no space."""
    if not text:
        raise InvalidMessage("Invalid parameter: Empty message")
    if subject is not None and not _SUBJECT.fullmatch(subject):
        raise InvalidMessage("Invalid parameter: Subject")


def check_size(text: str, attributes: Mapping[str, Mapping[str, Any]]) -> None:
    """The limit is of text and attributes together, in bytes."""
    size = len(text.encode())
    for name, attribute in attributes.items():
        size += len(name.encode()) + len(attribute["Type"]) + len(str(attribute["Value"]).encode())
    if size > MESSAGE_LIMIT_BYTES:
        raise InvalidMessage("Invalid parameter: Message too long")


def read_structure(text: str) -> dict[str, str]:
    """Texts by protocol; other values than texts are left out, as SNS does."""
    problem = "Invalid parameter: Message Structure - "
    try:
        content = json.loads(text)
    except ValueError as error:
        raise InvalidMessage(f"{problem}JSON message body failed to parse") from error
    if not isinstance(content, dict):
        raise InvalidMessage(f"{problem}JSON message body failed to parse")
    structure = {protocol: value for protocol, value in content.items() if isinstance(value, str)}
    if "default" not in structure:
        raise InvalidMessage(f"{problem}No default entry in JSON message body")
    return structure
