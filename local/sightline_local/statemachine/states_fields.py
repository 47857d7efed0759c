"""The fields of Amazon States Language, by the type of a state."""

MACHINE = frozenset({"Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version"})
PROCESSOR = frozenset({"Comment", "QueryLanguage", "StartAt", "States"})
COMMON = frozenset({"Comment", "QueryLanguage", "Type"})
_FLOW = frozenset({"Assign", "End", "Next"})
_ERRORS = frozenset({"Catch", "Retry"})

TYPES = {
    "Choice": frozenset({"Assign", "Choices", "Default"}),
    "Fail": frozenset({"Cause", "Error"}),
    "Map": _FLOW | _ERRORS | {"ItemProcessor", "ItemSelector", "MaxConcurrency"},
    "Parallel": _FLOW | _ERRORS | {"Branches"},
    "Pass": _FLOW,
    "Succeed": frozenset[str](),
    "Task": _FLOW | _ERRORS | {"HeartbeatSeconds", "Resource", "TimeoutSeconds"},
    "Wait": _FLOW | {"Seconds", "Timestamp"},
}
JSONATA = {
    **dict.fromkeys(("Choice", "Pass", "Succeed", "Wait"), frozenset({"Output"})),
    **dict.fromkeys(("Parallel", "Task"), frozenset({"Arguments", "Output"})),
    "Map": frozenset({"Items", "Output"}),
}
_PATHS = frozenset({"InputPath", "OutputPath"})
_RESULT = _PATHS | {"Parameters", "ResultPath"}
JSONPATH = {
    **dict.fromkeys(("Choice", "Succeed"), _PATHS),
    "Fail": frozenset({"CausePath", "ErrorPath"}),
    "Map": _RESULT | {"ItemsPath", "Iterator", "MaxConcurrencyPath", "ResultSelector"},
    "Parallel": _RESULT | {"ResultSelector"},
    "Pass": _RESULT | {"Result"},
    "Task": _RESULT | {"HeartbeatSecondsPath", "ResultSelector", "TimeoutSecondsPath"},
    "Wait": _PATHS | {"SecondsPath", "TimestampPath"},
}
RETRIER = frozenset(
    {
        *("BackoffRate", "Comment", "ErrorEquals", "IntervalSeconds", "JitterStrategy", "MaxAttempts"),
        "MaxDelaySeconds",
    }
)
CATCHER = frozenset({"Assign", "Comment", "ErrorEquals", "Next", "Output", "ResultPath"})
CHOICE_RULE = frozenset({"Assign", "Comment", "Condition", "Next", "Output"})
