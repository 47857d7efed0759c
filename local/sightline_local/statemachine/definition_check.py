"""What is wrong with a definition in Amazon States Language, found before anything runs it.

What AWS would refuse, and what the interpreter here would not carry out as AWS does.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sightline_local.statemachine.integrations import problem_of
from sightline_local.statemachine.states_fields import (
    CATCHER,
    CHOICE_RULE,
    COMMON,
    JSONATA,
    JSONPATH,
    MACHINE,
    PROCESSOR,
    RETRIER,
    TYPES,
)

Place = tuple[str | int, ...]
Problem = tuple[Place, str]


def problems(definition: Any) -> Iterator[Problem]:
    """Everything that is wrong, in the order in which it is written."""
    if not isinstance(definition, dict):
        yield (), "a state machine is a mapping"
        return
    yield from _machine(definition, (), MACHINE, definition.get("QueryLanguage", "JSONPath"))


def _machine(
    machine: Mapping[str, Any], place: Place, known: frozenset[str], language: str
) -> Iterator[Problem]:
    yield from _unknown(machine, place, known, "a state machine")
    states = machine.get("States")
    if not isinstance(states, dict) or not states:
        yield (*place, "States"), "a state machine needs States"
        return
    yield from _target(machine, "StartAt", place, states)
    for name, state in states.items():
        here = (*place, "States", name)
        if not isinstance(state, dict):
            yield here, "a state is a mapping"
            continue
        yield from _state(state, here, states, state.get("QueryLanguage", language))


def _state(
    state: Mapping[str, Any], place: Place, states: Mapping[str, Any], language: str
) -> Iterator[Problem]:
    kind = state.get("Type")
    if kind not in TYPES:
        yield (*place, "Type"), f"there is no Type {kind}; there are {', '.join(TYPES)}"
        return
    own = JSONATA if language == "JSONata" else JSONPATH
    known = COMMON | TYPES[kind] | own.get(kind, frozenset())
    yield from _unknown(state, place, known, f"a {kind} state in {language}")
    yield from _next(state, place, states, kind)
    yield from _retries_and_catches(state, place, states)
    if kind == "Task":
        yield from _resource(state, place)
    yield from _inside(state, place, language)
    if kind == "Choice":
        yield from _rules(state, place, states, language)


def _unknown(value: Mapping[str, Any], place: Place, known: frozenset[str], what: str) -> Iterator[Problem]:
    for field in value:
        if field not in known:
            yield (*place, field), f"the local runtime does not know {field} of {what}"


def _target(
    value: Mapping[str, Any], field: str, place: Place, states: Mapping[str, Any]
) -> Iterator[Problem]:
    if value.get(field) not in states:
        yield (*place, field), f"{field}: there is no state {value.get(field)}"


def _next(state: Mapping[str, Any], place: Place, states: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    if kind in ("Succeed", "Fail"):
        return
    if kind == "Choice":
        if "Default" in state:
            yield from _target(state, "Default", place, states)
    elif ("Next" in state) == (state.get("End") is True):
        yield place, "a state has either Next or End: true"
    elif "Next" in state:
        yield from _target(state, "Next", place, states)


def _retries_and_catches(
    state: Mapping[str, Any], place: Place, states: Mapping[str, Any]
) -> Iterator[Problem]:
    for field, known in (("Retry", RETRIER), ("Catch", CATCHER)):
        entries = state.get(field, [])
        for index, entry in enumerate(entries):
            here = (*place, field, index)
            yield from _unknown(entry, here, known, field)
            errors = entry.get("ErrorEquals")
            if not isinstance(errors, list) or not errors:
                yield here, f"{field} needs ErrorEquals, a list of names"
            elif "States.ALL" in errors and (len(errors) > 1 or index < len(entries) - 1):
                yield (*here, "ErrorEquals"), "States.ALL stands alone, and last"
            if field == "Catch":
                yield from _target(entry, "Next", here, states)


def _resource(state: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    if problem := problem_of(state.get("Resource")):
        yield (*place, "Resource"), problem


def _inside(state: Mapping[str, Any], place: Place, language: str) -> Iterator[Problem]:
    for index, branch in enumerate(state.get("Branches", [])):
        yield from _machine(branch, (*place, "Branches", index), PROCESSOR, language)
    for field in ("ItemProcessor", "Iterator"):
        processor = state.get(field)
        if isinstance(processor, dict):
            here = (*place, field)
            mode = processor.get("ProcessorConfig", {}).get("Mode", "INLINE")
            if mode != "INLINE":
                yield (*here, "ProcessorConfig"), f"the local runtime knows the mode INLINE only, not {mode}"
            yield from _machine(processor, here, PROCESSOR | {"ProcessorConfig"}, language)


def _rules(
    state: Mapping[str, Any], place: Place, states: Mapping[str, Any], language: str
) -> Iterator[Problem]:
    for index, rule in enumerate(state.get("Choices", [])):
        here = (*place, "Choices", index)
        yield from _target(rule, "Next", here, states)
        if language == "JSONata":
            yield from _unknown(rule, here, CHOICE_RULE, "a rule in JSONata")
            if "Condition" not in rule:
                yield here, "a rule in JSONata needs a Condition"
