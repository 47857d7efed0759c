"""Where the files of a table's partitions lie: registered in Glue, or calculated (partition projection).

https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from sightline_local.cloud.athena.catalog import Table
from sightline_local.cloud.athena.errors import not_emulated

Values = tuple[str, ...]
_JAVA_TO_PYTHON = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_RELATIVE = re.compile(r"NOW\s*(?:([+-])\s*(\d+)\s*(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?)?")
_SPECIAL = re.compile(r"[\x00-\x1f\"#%'*/:=?\\\x7f{\[\]^]")  # what Hive does not leave in a folder's name
_UNITS = {
    "YEAR": timedelta(days=365),
    "MONTH": timedelta(days=30),
    "WEEK": timedelta(weeks=1),
    "DAY": timedelta(days=1),
    "HOUR": timedelta(hours=1),
    "MINUTE": timedelta(minutes=1),
    "SECOND": timedelta(seconds=1),
}


class Projection:
    """From a place to the values of the keys, and back."""

    def __init__(self, table: Table, now: datetime) -> None:
        keys = [key.name for key in table.keys]
        plain = table.location + "".join(f"{key}=${{{key}}}/" for key in keys)
        template = table.parameters.get("storage.location.template", plain)
        self._template = template.rstrip("/") + "/"
        self._keys = keys
        self._places = re.compile(
            re.sub(r"\\\$\\\{(\w+)\\\}", lambda each: f"(?P<{each[1]}>[^/]+)", re.escape(self._template))
        )
        self._rules = [_rule(table.parameters, key, now) for key in keys]

    @property
    def prefix(self) -> str:
        """What all places begin with."""
        return self._template.partition("${")[0]

    def values(self, url: str) -> Values | None:
        """None for a file of no partition that the projection knows."""
        found = self._places.match(url)
        if found is None:
            return None
        values = tuple(found[key] for key in self._keys)
        rules = zip(self._rules, values, strict=True)
        return values if all(is_known(value) for is_known, value in rules) else None

    def place(self, values: Values) -> str:
        text = self._template
        for key, value in zip(self._keys, values, strict=True):
            text = text.replace(f"${{{key}}}", value)
        return text


def hive_place(table: Table, values: Values) -> str:
    """Where INSERT puts a partition that is not calculated."""
    parts = (f"{key.name}={_escaped(value)}/" for key, value in zip(table.keys, values, strict=True))
    return table.location + "".join(parts)


def _escaped(value: str) -> str:
    return _SPECIAL.sub(lambda each: f"%{ord(each[0]):02X}", value)


def _rule(parameters: Mapping[str, str], key: str, now: datetime) -> Callable[[str], bool]:
    kind = parameters.get(f"projection.{key}.type", "").lower()
    if kind == "enum":
        allowed = {each.strip() for each in parameters[f"projection.{key}.values"].split(",")}
        return lambda value: value in allowed
    if kind == "injected":
        return lambda _value: True
    first, _, last = parameters.get(f"projection.{key}.range", "").partition(",")
    if kind == "integer":
        low, high = int(first), int(last)
        return lambda value: value.isdigit() and low <= int(value) <= high
    if kind == "date":
        return _days(parameters[f"projection.{key}.format"], first, last, now)
    raise not_emulated(f"the projection of {key}: {kind or 'no type'}")


def _days(pattern: str, first: str, last: str, now: datetime) -> Callable[[str], bool]:
    written = pattern
    for java, python in _JAVA_TO_PYTHON.items():
        written = written.replace(java, python)
    if re.search("[A-Za-z]", re.sub("%[A-Za-z]", "", written)):
        raise not_emulated(f"the format {pattern}")
    low, high = (_bound(text.strip(), written, now) for text in (first, last))

    def is_known(value: str) -> bool:
        try:
            moment = datetime.strptime(value, written).replace(tzinfo=UTC)
        except ValueError:
            return False
        return moment.strftime(written) == value and low <= moment <= high

    return is_known


def _bound(text: str, written: str, now: datetime) -> datetime:
    if not text.startswith("NOW"):
        return datetime.strptime(text, written).replace(tzinfo=UTC)
    found = _RELATIVE.fullmatch(text)
    if found is None:
        raise not_emulated(f"the bound {text}")
    sign, number, unit = found.groups()
    return now + _UNITS[unit] * int(f"{sign}{number}") if unit else now
