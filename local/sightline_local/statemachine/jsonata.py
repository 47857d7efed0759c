"""JSONata as Step Functions evaluates it: with functions of its own, and without $eval."""

import hashlib
import json
import random
import uuid
from collections.abc import Callable
from typing import Any

from jsonata.jsonata import Jsonata

# https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_LONGEST_RANGE = 1000


def evaluate(expression: str) -> Any:
    """The value, as JSON has it; raises whatever the library raises."""
    prepared = Jsonata(expression)
    for name, function in _FUNCTIONS.items():
        prepared.register_lambda(name, function)
    return prepared.evaluate(None)


def _partition(items: list[Any], size: float) -> list[list[Any]]:
    step = int(size)
    if step < 1:
        raise ValueError("$partition needs a size of 1 or more")
    return [items[start : start + step] for start in range(0, len(items), step)]


def _range(first: float, last: float, step: float) -> list[float]:
    if step == 0:
        raise ValueError("$range needs a step other than 0")
    count = max(0, int((last - first) // step) + 1)
    if count > _LONGEST_RANGE:
        raise ValueError(f"$range gives {_LONGEST_RANGE} items at most")
    return [first + index * step for index in range(count)]


def _hash(text: str, algorithm: str) -> str:
    if algorithm not in _ALGORITHMS:
        raise ValueError(f"$hash knows {', '.join(_ALGORITHMS)}")
    return hashlib.new(_ALGORITHMS[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def _random(*seed: float) -> float:
    return random.Random(*seed).random()  # noqa: S311  AWS says the same: not for secrets


def _no_eval(*_arguments: Any) -> Any:
    raise ValueError("Step Functions has no $eval; to read JSON there is $parse")


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "eval": _no_eval,
    "hash": _hash,
    "parse": json.loads,
    "partition": _partition,
    "random": _random,
    "range": _range,
    "uuid": lambda: str(uuid.uuid4()),
}
