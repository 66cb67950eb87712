"""Check workflows in Amazon States Language (JSONPath): structure, error names, paths, intrinsic functions.

Sources: https://states-language.net/spec.html for fields and structure, and of the Step Functions guide
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html for errors and
https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html for functions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scripts.aws_checks.requests import operation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COMMON = {"Type", "Comment", "InputPath", "OutputPath"}
_GOES_ON = {"Next", "End"}
_CALLS = {"Parameters", "ResultSelector", "ResultPath", "Retry", "Catch"}
FIELDS: dict[str, set[str]] = {
    "Task": _COMMON
    | _GOES_ON
    | _CALLS
    | {"Resource", "TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath", "Credentials"},
    "Parallel": _COMMON | _GOES_ON | _CALLS | {"Branches"},
    "Map": _COMMON
    | _GOES_ON
    | (_CALLS - {"Parameters"})
    | {"ItemsPath", "ItemSelector", "ItemProcessor", "MaxConcurrency", "MaxConcurrencyPath"}
    | {"ItemReader", "ItemBatcher", "ResultWriter", "Label", "ToleratedFailureCount", "ToleratedFailurePercentage"},
    "Pass": _COMMON | _GOES_ON | {"Parameters", "Result", "ResultPath"},
    "Wait": _COMMON | _GOES_ON | {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"},
    "Choice": _COMMON | {"Choices", "Default"},
    "Succeed": _COMMON,
    "Fail": {"Type", "Comment", "Error", "ErrorPath", "Cause", "CausePath"},
}
_MACHINE = {"Comment", "StartAt", "States", "TimeoutSeconds", "Version", "QueryLanguage", "ProcessorConfig"}
_RETRIER = {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy"}
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
RETRIER_DEFAULTS: dict[str, Any] = {"IntervalSeconds": 1, "MaxAttempts": 3, "BackoffRate": 2.0}
_CATCHER = {"ErrorEquals", "ResultPath", "Next"}
_ERRORS = {
    "States.ALL",
    "States.BranchFailed",
    "States.DataLimitExceeded",
    "States.ExceedToleratedFailureThreshold",
    "States.HeartbeatTimeout",
    "States.Http.Socket",
    "States.IntrinsicFailure",
    "States.ItemReaderFailed",
    "States.NoChoiceMatched",
    "States.ParameterPathFailure",
    "States.Permissions",
    "States.ResultPathMatchFailure",
    "States.ResultWriterFailed",
    "States.Runtime",
    "States.TaskFailed",
    "States.Timeout",
}

# Errors of optimized integrations: the prefix of their names, and errors that are in no service model. DynamoDB's
# prefix is spelled differently (`DynamoDb`) by the AWS SDK integration. A function's errors have names of their own.
_PREFIXES = {"dynamodb": "DynamoDB", "sns": "SNS", "sqs": "SQS", "states": "StepFunctions"}
_MORE_ERRORS = {
    "DynamoDB": {"AmazonDynamoDBException", "SdkClientException"},
    "SNS": {"AmazonSNSException", "SdkClientException"},
    "SQS": {"AmazonSQSException", "SdkClientException"},
    "StepFunctions": {"AWSStepFunctionsException", "SdkClientException"},
}

# Optimized integrations that are known here: botocore's name of the service, its operations, and the members that are
# JSON of any shape here and text in the API.
# https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
INTEGRATIONS: dict[str, tuple[str, dict[str, set[str]]]] = {
    "dynamodb": ("dynamodb", {"getItem": set(), "putItem": set(), "updateItem": set(), "deleteItem": set()}),
    "events": ("events", {"putEvents": {"Detail"}}),
    "lambda": ("lambda", {"invoke": {"Payload"}}),
    "sns": ("sns", {"publish": {"Message"}}),
    "sqs": ("sqs", {"sendMessage": {"MessageBody"}}),
    "states": ("stepfunctions", {"startExecution": {"Input"}}),
}

# Least and greatest number of arguments of each function.
_FUNCTIONS = {
    "Array": (0, 1000),
    "ArrayContains": (2, 2),
    "ArrayGetItem": (2, 2),
    "ArrayLength": (1, 1),
    "ArrayPartition": (2, 2),
    "ArrayRange": (3, 3),
    "ArrayUnique": (1, 1),
    "Base64Decode": (1, 1),
    "Base64Encode": (1, 1),
    "Format": (1, 1000),
    "Hash": (2, 2),
    "JsonMerge": (3, 3),
    "JsonToString": (1, 1),
    "MathAdd": (2, 2),
    "MathRandom": (2, 3),
    "StringSplit": (2, 2),
    "StringToJson": (1, 1),
    "UUID": (0, 0),
}
_CONTEXT = {"Execution", "Map", "State", "StateMachine", "Task"}

_STEP = r"(?:\.[A-Za-z_]\w*|\['[^']+'\]|\[\d+\])"
_REFERENCE = re.compile(rf"\${_STEP}*")
_PATH = re.compile(rf"\$\$?(?:{_STEP}|\.\.?\*|\[\*\]|\[\d*:\d*\]|\[\?\(.+\)\]|\.\.\w+)*")

_BOOLEAN_TESTS = {"IsBoolean", "IsNull", "IsNumeric", "IsPresent", "IsString", "IsTimestamp"}
_ORDERED: dict[str, tuple[type, ...]] = {"Numeric": (int, float), "String": (str,), "Timestamp": (str,)}
_COMPARED = {
    f"{kind}{comparison}": types
    for kind, types in _ORDERED.items()
    for comparison in ("Equals", "GreaterThan", "GreaterThanEquals", "LessThan", "LessThanEquals")
} | {"BooleanEquals": (bool,)}
_PATH_OPERATORS = {f"{name}Path" for name in _COMPARED}
_OPERATORS = _COMPARED | dict.fromkeys(_BOOLEAN_TESTS, (bool,)) | {"StringMatches": (str,)}
_LONGEST_NAME = 80


def machines(machine: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a machine and the machines in its states."""
    yield machine
    for state in machine.get("States", {}).values():
        for one in inside(state):
            yield from machines(one)


def inside(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the machines in a state: the branches of a Parallel state, the processor of a Map state."""
    return [*state.get("Branches", ()), *([state["ItemProcessor"]] if "ItemProcessor" in state else [])]


def states(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the states of a definition by their names, those inside others too."""
    for machine in machines(definition):
        yield from machine.get("States", {}).items()


def tasks(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the Task states of a definition by their names, those inside others too."""
    yield from ((name, state) for name, state in states(definition) if state.get("Type") == "Task")


def integration(resource: str) -> tuple[str, str] | None:
    """Return service and action of an optimized integration's ARN, None for any other resource."""
    found = re.fullmatch(r"arn:[a-z-]+:states:::([a-z-]+):([A-Za-z]+)(?:\.[A-Za-z:0-9]+)?", resource)
    return (found[1], found[2]) if found and found[1] not in {"aws-sdk", "http"} else None


def mistakes(definition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the mistakes of a definition: the name of the state, or nothing, and a description."""
    named = [name for name, _ in states(definition)]
    for name in sorted({name for name in named if named.count(name) > 1}):
        yield name, "two states have this name, which has to be unique in the whole definition"
    for machine in machines(definition):
        yield from _machine(machine)
    for name, state in states(definition):
        yield from ((name, what) for what in _state(state))
        if len(name) > _LONGEST_NAME:
            yield name, f"its name has {len(name)} characters, {_LONGEST_NAME} are allowed"


def _machine(machine: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    states = machine.get("States", {})
    for field in sorted(machine.keys() - _MACHINE):
        yield "", f"a state machine has no field {field}"
    if machine.get("StartAt") not in states:
        yield "", f"StartAt names {machine.get('StartAt')}, which is not a state"
        return
    reached, left = set(), [machine["StartAt"]]
    while left:
        name = left.pop()
        if name in reached:
            continue
        reached.add(name)
        for successor in successors(states[name]):
            if successor in states:
                left.append(successor)
            else:
                yield name, f"goes on to {successor}, which is not a state of the same machine"
    for name in sorted(states.keys() - reached):
        yield name, "no state leads to it"


def successors(state: Mapping[str, Any]) -> list[str]:
    """Return the states that may follow a state."""
    places = (state, *state.get("Choices", ()), *state.get("Catch", ()))
    return [place[field] for place in places for field in ("Next", "Default") if field in place]


def _state(state: Mapping[str, Any]) -> Iterator[str]:
    kind = state.get("Type")
    if kind not in FIELDS:
        yield f"{kind} is not a type of state; the types are {', '.join(FIELDS)}"
        return
    for field in sorted(state.keys() - FIELDS[kind]):
        yield f"a {kind} state has no field {field}"
    if "Next" in FIELDS[kind] and ("Next" in state) == bool(state.get("End")):
        yield "needs either Next or End, and not both"
    if kind == "Task":
        yield from _task(state)
    for number, choice in enumerate(state.get("Choices", ())):
        yield from _rule(choice, f"Choices[{number}]")
    yield from _data(state)
    yield from _retry(state)
    yield from _catch(state)


def _data(state: Mapping[str, Any]) -> Iterator[str]:
    """Yield the mistakes in the paths and payload templates of a state."""
    for field in ("InputPath", "OutputPath", "ItemsPath", "SecondsPath", "TimestampPath"):
        if state.get(field) is not None:
            yield from _path(state[field], field)
    if state.get("ResultPath") is not None and not _REFERENCE.fullmatch(state["ResultPath"]):
        yield f"ResultPath {state['ResultPath']} is not a path into the state's input"
    for field in ("Parameters", "ItemSelector", "ResultSelector"):
        yield from _payload(state.get(field), field)
    for field in ("ErrorPath", "CausePath"):
        if field in state:
            yield from _expression(state[field], field)


def _task(state: Mapping[str, Any]) -> Iterator[str]:
    if "TimeoutSeconds" not in state and "TimeoutSecondsPath" not in state:
        yield "has no TimeoutSeconds: set it, because no Catch sees the timeout of the execution"
    timeout = state.get("TimeoutSeconds", 1)
    if type(timeout) is not int or timeout < 1:
        yield f"TimeoutSeconds is {timeout!r}: set a whole number of seconds"
    known = integration(state.get("Resource", ""))
    if known and (known[0] not in INTEGRATIONS or known[1] not in INTEGRATIONS[known[0]][1]):
        yield (
            f"{known[0]}:{known[1]} is not among the optimized integrations that are known here "
            "(INTEGRATIONS in scripts/aws_checks/states_language.py): check the action, or add it"
        )


def _retry(state: Mapping[str, Any]) -> Iterator[str]:
    retriers = state.get("Retry", ())
    for number, retrier in enumerate({**RETRIER_DEFAULTS, **one} for one in retriers):
        where = f"Retry[{number}]"
        for field in sorted(retrier.keys() - _RETRIER):
            yield f"{where} has a field {field}, which no Retrier has"
        attempts, interval = retrier["MaxAttempts"], retrier["IntervalSeconds"]
        if type(attempts) is not int or attempts < 0:
            yield f"{where}: MaxAttempts is {attempts!r}, and has to be a whole number from 0"
        if type(interval) is not int or interval < 1:
            yield f"{where}: IntervalSeconds is {interval!r}, and has to be a whole number from 1"
        if retrier["BackoffRate"] < 1:
            yield f"{where}: BackoffRate is {retrier['BackoffRate']}, and has to be at least 1"
        if retrier.get("MaxDelaySeconds", interval + 1) <= interval:
            yield f"{where}: MaxDelaySeconds {retrier['MaxDelaySeconds']} has to exceed IntervalSeconds {interval}"
        if retrier.get("JitterStrategy", "NONE") not in {"FULL", "NONE"}:
            yield f"{where}: JitterStrategy is {retrier['JitterStrategy']}, and has to be FULL or NONE"
        yield from _error_names(state, retrier, where, last=number == len(retriers) - 1)


def _catch(state: Mapping[str, Any]) -> Iterator[str]:
    catchers = state.get("Catch", ())
    for number, catcher in enumerate(catchers):
        where = f"Catch[{number}]"
        for field in sorted(catcher.keys() - _CATCHER):
            yield f"{where} has a field {field}, which no Catcher has"
        if catcher.get("ResultPath") is not None and not _REFERENCE.fullmatch(catcher["ResultPath"]):
            yield f"{where}: ResultPath {catcher['ResultPath']} is not a path into the state's input"
        yield from _error_names(state, catcher, where, last=number == len(catchers) - 1)


def _error_names(state: Mapping[str, Any], place: Mapping[str, Any], where: str, *, last: bool) -> Iterator[str]:
    errors = place.get("ErrorEquals", [])
    if not errors:
        yield f"{where} has no ErrorEquals"
    if "States.ALL" in errors and (len(errors) > 1 or not last):
        yield f"{where}: States.ALL has to be alone, and the last"
    inner = [state, *(task for one in inside(state) for _, task in tasks(one))]
    calls = {known for task in inner if (known := integration(task.get("Resource", "")))}
    own = {one.get("Error") for branch in inside(state) for one in branch.get("States", {}).values()}
    for error in errors:
        if error.startswith("States."):
            if error not in _ERRORS:
                yield f"{where}: Step Functions has no error {error}"
        elif calls and error not in own and not any(_is_error_of(error, service, action) for service, action in calls):
            called = ", ".join(":".join(one) for one in sorted(calls))
            yield f"{where}: {called} cannot fail with {error}"


def _is_error_of(error: str, service: str, action: str) -> bool:
    """Return True if an action of an optimized integration can fail with an error, or is not known here."""
    prefix, _, name = error.partition(".")
    if service not in _PREFIXES or service not in INTEGRATIONS:
        return True
    model = operation(INTEGRATIONS[service][0], action[0].upper() + action[1:])
    shapes = {shape.name for shape in model.error_shapes} if model else set()
    return prefix == _PREFIXES[service] and name in shapes | _MORE_ERRORS[prefix]


def _rule(rule: Mapping[str, Any], where: str) -> Iterator[str]:
    """Yield the mistakes in a top-level rule of a Choice, the only kind with a Next."""
    if "Next" not in rule:
        yield f"{where} has no Next"
    yield from _test({field: value for field, value in rule.items() if field != "Next"}, where)


def _test(test: Mapping[str, Any], where: str) -> Iterator[str]:
    inner = {f"{where}.{word}[{n}]": one for word in ("And", "Or") for n, one in enumerate(test.get(word, ()))}
    if "Not" in test:
        inner[f"{where}.Not"] = test["Not"]
    for place, one in inner.items():
        yield from _test(one, place)
    if not inner:
        yield from _comparison(test, where)


def _comparison(test: Mapping[str, Any], where: str) -> Iterator[str]:
    operators = test.keys() - {"Variable", "Comment"}
    if len(operators) != 1:
        yield f"{where} needs one comparison, and has {', '.join(sorted(operators)) or 'none'}"
        return
    yield from _path(test.get("Variable", ""), f"{where}.Variable")
    (operator,) = operators
    operand = test[operator]
    if operator in _PATH_OPERATORS:
        yield from _path(operand, f"{where}.{operator}")
    elif operator not in _OPERATORS:
        yield f"{where}: there is no comparison {operator}"
    elif type(operand) not in _OPERATORS[operator]:
        yield f"{where}: {operator} does not compare with {operand!r}"


def _payload(template: Any, where: str) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(template, list):
        for number, inner in enumerate(template):
            yield from _payload(inner, f"{where}[{number}]")
    if not isinstance(template, dict):
        return
    for name, value in template.items():
        if name.endswith(".$"):
            yield from _expression(value, f"{where}.{name}")
        elif isinstance(value, str) and re.match(r"(\$\$?\.|States\.\w+\()", value):
            yield f"{where}.{name} is the text {value}: name it {name}.$ to have it evaluated"
        else:
            yield from _payload(value, f"{where}.{name}")


def _expression(value: Any, where: str) -> Iterator[str]:  # noqa: ANN401 - JSON
    if not isinstance(value, str):
        yield f"{where} is {value!r}, and has to be a path or a function"
    elif value.startswith("States."):
        yield from _function(value, where)
    else:
        yield from _path(value, where)


def _function(value: str, where: str) -> Iterator[str]:
    call = re.fullmatch(r"States\.(\w+)\((.*)\)", value, re.DOTALL)
    if call is None or call[1] not in _FUNCTIONS:
        yield f"{where}: {value} is not an intrinsic function; there are {', '.join(_FUNCTIONS)}"
        return
    arguments = split(call[2])
    if arguments is None:
        yield f"{where}: the arguments of {value} do not end"
        return
    least, most = _FUNCTIONS[call[1]]
    if not least <= len(arguments) <= most:
        yield f"{where}: {call[1]} takes {least} to {most} arguments, and has {len(arguments)} in {value}"
    for argument in arguments:
        if argument.startswith(("States.", "$")):
            yield from _expression(argument, where)
        elif not re.fullmatch(r"'(?:[^'\\]|\\.)*'|-?\d+(\.\d+)?|true|false|null", argument):
            yield f"{where}: {argument} in {value} is not an argument: put text in single quotes"
    if call[1] == "Format" and arguments and arguments[0].startswith("'"):
        places = len(re.findall(r"(?<!\\)\{\}", arguments[0]))
        if places != len(arguments) - 1:
            yield f"{where}: {value} has {places} places for {len(arguments) - 1} values"


def split(arguments: str) -> list[str] | None:
    """Return the arguments of a call, or None if a quote or a bracket is not closed."""
    found, depth, quoted, begin = [], 0, False, 0
    for position, character in enumerate(arguments):
        if character == "'" and arguments[position - 1 : position] != "\\":
            quoted = not quoted
        elif not quoted:
            depth += (character in "([") - (character in ")]")
            if character == "," and not depth:
                found.append(arguments[begin:position].strip())
                begin = position + 1
    if quoted or depth:
        return None
    return [*found, arguments[begin:].strip()] if arguments.strip() else []


def _path(value: Any, where: str) -> Iterator[str]:  # noqa: ANN401 - JSON
    if not isinstance(value, str) or not _PATH.fullmatch(value):
        yield f"{where}: {value!r} is not a path: begin with $, and go on with dots or brackets"
    elif value.startswith("$$"):
        root = re.match(r"\$\$\.(\w+)", value)
        if root is None or root[1] not in _CONTEXT:
            yield f"{where}: the context object has no {value}; it has {', '.join(sorted(_CONTEXT))}"
