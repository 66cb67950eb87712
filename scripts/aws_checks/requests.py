"""Compare requests with the shapes in AWS's service models, which are in botocore."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

_NUMBERS: dict[str, type | tuple[type, ...]] = {
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
}


class Unknown:
    """A value that is known at run time only.

    Attributes:
        is_text: True if it is certainly text.
    """

    def __init__(self, *, is_text: bool = False) -> None:
        self.is_text = is_text


@cache
def service(name: str) -> ServiceModel:
    """Return the model of a service, by botocore's name.

    Raises:
        botocore.exceptions.UnknownServiceError: botocore does not have the service.
    """
    return botocore.session.get_session().get_service_model(name)


def operation(service_name: str, name: str) -> OperationModel | None:
    """Return the model of an operation, or None if the service does not have it."""
    model = service(service_name)
    return model.operation_model(name) if name in model.operation_names else None


def mistakes(
    shape: Shape | None,
    value: Any,  # noqa: ANN401 - JSON
    where: str = "",
    *,
    spelled: Callable[[str], str] = lambda name: name,
) -> Iterator[str]:
    """Yield the mistakes for which AWS would refuse a request.

    Args:
        shape: Shape of the request, or of a part of it; None if the operation takes nothing.
        value: The request, or that part, as JSON, with `Unknown` for values of run time.
        where: Path of the part.
        spelled: Spelling of a member in the request, if not as in the model.
    """
    if shape is None:
        if value:
            yield f"{where or 'the request'}: {value!r}, and the operation takes nothing"
        return
    if isinstance(value, Unknown):
        if value.is_text and shape.type_name not in {"string", "blob"}:
            yield f"{where}: text where a {shape.type_name} should be"
        return
    if check := _CHECKS.get(shape.type_name):
        yield from check(shape, value, where, spelled)


def _structure(shape: StructureShape, value: Any, where: str, spelled: Callable[[str], str]) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(value, dict):
        yield f"{where or 'the request'}: {value!r} where an object with {', '.join(shape.members)} should be"
        return
    members = {spelled(name): member for name, member in shape.members.items()}
    for name in value:
        if name not in members:
            yield f"{_in(where, name)}: {shape.name} has no such member; it has {', '.join(members)}"
    for name in shape.required_members:
        if spelled(name) not in value:
            yield f"{_in(where, spelled(name))} is missing, and {shape.name} requires it"
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        yield f"{where} has {len(value)} of {', '.join(members)}, and takes exactly one"
    for name, inner in value.items():
        if name in members:
            yield from mistakes(members[name], inner, _in(where, name), spelled=spelled)


def _list(shape: ListShape, value: Any, where: str, spelled: Callable[[str], str]) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(value, list):
        yield f"{where}: {value!r} where a list should be"
        return
    yield from _size(shape, len(value), where, "items")
    for number, inner in enumerate(value):
        yield from mistakes(shape.member, inner, f"{where}[{number}]", spelled=spelled)


def _map(shape: MapShape, value: Any, where: str, spelled: Callable[[str], str]) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(value, dict):
        yield f"{where}: {value!r} where an object should be"
        return
    for name, inner in value.items():
        yield from mistakes(shape.value, inner, _in(where, name), spelled=spelled)


def _text(shape: Shape, value: Any, where: str, _: Callable[[str], str]) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(value, str):
        yield f"{where}: {value!r} where text should be"
        return
    allowed = getattr(shape, "enum", None)
    if allowed and value not in allowed:
        yield f"{where}: {value!r} is not one of {', '.join(allowed)}"
    yield from _size(shape, len(value), where, "characters")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.search(pattern, value):
        yield f"{where}: {value!r} does not match {pattern}"


def _number(shape: Shape, value: Any, where: str, _: Callable[[str], str]) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, _NUMBERS[shape.type_name]):
        yield f"{where}: {value!r} where a {shape.type_name} should be"
        return
    if not shape.metadata.get("min", value) <= value <= shape.metadata.get("max", value):
        yield f"{where}: {value} is not from {shape.metadata.get('min')} to {shape.metadata.get('max')}"


def _truth(_shape: Shape, value: Any, where: str, _: Callable[[str], str]) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(value, bool):
        yield f"{where}: {value!r} where true or false should be"


def _size(shape: Shape, size: int, where: str, what: str) -> Iterator[str]:
    if not shape.metadata.get("min", size) <= size <= shape.metadata.get("max", size):
        yield f"{where}: {size} {what}, where {shape.metadata.get('min')} to {shape.metadata.get('max')} are allowed"


def _in(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


_CHECKS: dict[str, Callable[..., Iterator[str]]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _text,
    "blob": _text,
    "boolean": _truth,
    **dict.fromkeys(_NUMBERS, _number),
}
