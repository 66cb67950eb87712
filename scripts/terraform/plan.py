"""A plan of Terraform from `terraform show -json`: its resources, and the resources that an attribute refers to.

Many values are unknown before the apply. For these, the configuration in the plan has references, which are followed
through the inputs and outputs of modules. It does not contain dynamic blocks or the expressions of local values, which
are guessed if only one resource fits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    Path = Sequence[str | int]

# For `module.a[each.key].b` the plan only has `module.a`: use the outputs that identify the module's main resource.
MAIN = ("arn", "id", "json", "name", "url")

INDEX = re.compile(r"\[(?:\d+|\"[^\"]*\")\]")
MODULE = re.compile(r"module\.[\w-]+(?:\[(?:\d+|\"[^\"]*\")\])?")


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource or data source of a plan.

    Attributes:
        address: Its address, with the keys of its modules and its own.
        module: The address of its module, empty for the root.
        values: Its attributes; what is unknown is missing or null.
        unknown: Its attributes again: true where one is unknown.
        expressions: Expressions of its attributes in the plan's configuration.
        repeated: References of its `for_each`.
    """

    address: str
    module: str
    type: str
    name: str
    key: str | int | None
    values: Mapping[str, Any] = field(compare=False, repr=False)
    unknown: Mapping[str, Any] = field(compare=False, repr=False)
    expressions: Mapping[str, Any] = field(compare=False, repr=False)
    repeated: tuple[str, ...] = field(compare=False, repr=False)

    def value(self, *path: str | int) -> Any:  # noqa: ANN401 - an attribute may have any type
        """Return the attribute at a path; None if it is unknown or missing."""
        return _at(self.values, path)

    def text(self, *path: str | int) -> str:
        """Return the attribute at a path; empty if it is unknown, missing or no text."""
        found = self.value(*path)
        return found if isinstance(found, str) else ""

    def is_unknown(self, *path: str | int) -> bool:
        """Return True if the attribute at a path, or a part of it, is unknown before the apply."""
        found: Any = self.unknown
        for step in path:
            if found is True:
                return True
            found = _at(found, [step])
        return _holds_true(found)

    def references(self, *path: str | int) -> list[str]:
        """Return the references of the attribute at a path in the configuration."""
        found: Any = self.expressions
        for step in path:
            if isinstance(found, dict) and "references" in found:
                break  # one expression makes all that is below
            found = _at(found, [step])
        return found.get("references", []) if isinstance(found, dict) else []


def _at(value: Any, path: Path) -> Any:  # noqa: ANN401 - any JSON
    for step in path:
        if isinstance(value, dict):
            value = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _holds_true(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_true, value.values()))
    return any(map(_holds_true, value)) if isinstance(value, list) else value is True


class Plan:
    """The resources of a plan, and what they refer to.

    Attributes:
        resources: Those that will be there once the plan is applied, by address.

    Raises:
        ToolError: The document is not a plan.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        if not isinstance(document, dict) or not {"resource_changes", "configuration"} <= document.keys():
            raise ToolError(
                "this is no plan in JSON: make one with `terraform plan -out tfplan` and `terraform show -json tfplan`."
            )
        self._configuration = document["configuration"].get("root_module", {})
        self.resources = {found.address: found for found in self._read(document)}

    def every(self, *types: str) -> list[Resource]:
        """Return the resources of some types, by address."""
        return [self.resources[address] for address in sorted(self.resources) if self.resources[address].type in types]

    def _read(self, document: Mapping[str, Any]) -> Iterator[Resource]:
        for module in _modules(document.get("prior_state", {}).get("values", {}).get("root_module", {})):
            for one in module.get("resources", []):
                if one["mode"] == "data":
                    yield self._resource(one, module.get("address", ""), one["values"], {})
        for one in document["resource_changes"]:
            change = one["change"]
            if change.get("after") is not None:
                unknown = change.get("after_unknown") or {}
                yield self._resource(one, one.get("module_address", ""), change["after"], unknown)

    def _resource(
        self, one: Mapping[str, Any], module: str, values: Mapping[str, Any], unknown: Mapping[str, Any]
    ) -> Resource:
        declared: Mapping[str, Any] = {}
        for found in self._module(module).get("resources", []):
            if (found["mode"], found["type"], found["name"]) == (one["mode"], one["type"], one["name"]):
                declared = found
        return Resource(
            address=one["address"],
            module=module,
            type=one["type"],
            name=one["name"],
            key=one.get("index"),
            values=values,
            unknown=unknown,
            expressions=declared.get("expressions", {}),
            repeated=tuple(declared.get("for_each_expression", {}).get("references", [])),
        )

    def _module(self, address: str) -> Mapping[str, Any]:
        """Return the configuration of a module; empty if the plan does not have it."""
        found: Mapping[str, Any] = self._configuration
        for name in module_names(address):
            found = found.get("module_calls", {}).get(name, {}).get("module", {})
        return found

    def referred(self, resource: Resource, path: Path, types: Collection[str]) -> list[Resource]:
        """Return the resources of some types that an attribute with an unknown value refers to.

        Args:
            resource: Resource with the attribute.
            path: The attribute: names, and numbers of blocks.
            types: Types of the resources to return.

        Returns:
            Resources by address: several if the references are ambiguous, none if they lead to no resource.
        """
        return self.follow(resource, resource.references(*path), types) if resource.is_unknown(*path) else []

    def follow(self, resource: Resource, references: Sequence[str], types: Collection[str]) -> list[Resource]:
        """Return the resources of some types that references in a resource lead to, by address."""
        return sorted(_Search(self, resource, frozenset(types)).end(references), key=lambda one: one.address)


@dataclass
class _Search:
    """One walk along references, which visits each only once."""

    plan: Plan
    start: Resource
    types: frozenset[str]
    seen: set[tuple[str, str]] = field(default_factory=set)
    locals: set[str] = field(default_factory=set)  # modules with local values that the walk has met

    def end(self, references: Sequence[str]) -> set[Resource]:
        """Return the resources that references lead to.

        The expression of a local value is unknown. Without other references, the result is the resource of these types
        in the module and its inputs, if there is only one.
        """
        found = self.through(references, self.start.module, self.start.repeated) - {self.start}
        if found or not self.locals:
            return found
        for module in sorted(self.locals):
            found |= {one for one in self.plan.every(*self.types) if one.module == module}
            found |= {one for name in self._inputs(module) for one in self._variable(name, module)}
        found -= {self.start}
        return found if len(found) == 1 else set()

    def through(self, references: Sequence[str], module: str, repeated: Sequence[str] = ()) -> set[Resource]:
        found: set[Resource] = set()
        for reference in _longest(references):
            if (reference, module) not in self.seen:
                self.seen.add((reference, module))
                found |= self._one(reference, module, repeated)
            if reference.startswith("local."):
                self.locals.add(module)
        if any(reference.startswith("each.") for reference in references):
            found = self._same_key(found)
        return found

    def _same_key(self, found: set[Resource]) -> set[Resource]:
        """Return only those instances of a resource that have a key of the start's address: `a[each.key]` is one."""
        keys = _text_keys(self.start.address)
        same = {one for one in found if keys & _text_keys(one.address)}
        without = {INDEX.sub("", one.address) for one in same}
        return same | {one for one in found if INDEX.sub("", one.address) not in without}

    def _one(self, reference: str, module: str, repeated: Sequence[str]) -> set[Resource]:
        kind, *rest = INDEX.sub("", reference).split(".")
        if kind == "module":
            return self._output(INDEX.sub("", reference), reference, module)
        if kind == "var":
            return self._variable(rest[0], module)
        if kind == "each":
            return self.through(repeated, module) if rest[0] == "value" else set()
        if kind == "data":
            kind, *rest = rest
        if kind not in self.types or not rest:
            return set()
        found = self._resources(kind, rest[0], module)
        exact = {one for one in found if any(one.address.endswith(index) for index in INDEX.findall(reference)[:1])}
        return exact or found

    def _resources(self, kind: str, name: str, module: str) -> set[Resource]:
        """Return a resource of a module, in this instance of the module or in all."""
        found = {
            one
            for one in self.plan.every(kind)
            if one.name == name and (one.module == module or module_names(one.module) == module_names(module))
        }
        return {one for one in found if one.module == module} or found

    def _output(self, plain: str, reference: str, module: str) -> set[Resource]:
        name, *output = plain.split(".")[1:]
        inner = f"{module}.module.{name}".removeprefix(".")
        outputs = self.plan._module(inner).get("outputs", {})  # noqa: SLF001 - the search is part of the plan
        index = MODULE.match(reference)
        instances = {
            instance
            for one in self.plan.resources.values()
            for instance in _ancestors(one.module)
            if module_names(instance) == module_names(inner)
        }
        exact = {instance for instance in instances if index and instance.endswith(index[0]) and "[" in index[0]}
        found: set[Resource] = set()
        for instance in sorted(exact or instances):
            for key in output[:1] or [one for one in MAIN if one in outputs] or outputs:
                declared = outputs.get(key, {})
                references = declared.get("expression", {}).get("references", [])
                direct = [one for one in references if not one.startswith("local.")]
                # An address that is built from names waits for what it is the address of.
                found |= (
                    self.through(direct, instance)
                    or self.through(declared.get("depends_on", []), instance)
                    or self.through(references, instance)
                )
        return found

    def _variable(self, name: str, module: str) -> set[Resource]:
        call, caller = self._call(module)
        references = self._inputs(module).get(name, {}).get("references", [])
        return self.through(references, caller, call.get("for_each_expression", {}).get("references", []))

    def _inputs(self, module: str) -> Mapping[str, Any]:
        inputs: Mapping[str, Any] = self._call(module)[0].get("expressions", {})
        return inputs

    def _call(self, module: str) -> tuple[Mapping[str, Any], str]:
        """Return the call of a module, and the calling module; empty for the root."""
        *above, own = MODULE.findall(module) or [""]
        caller = ".".join(above)
        calls = self.plan._module(caller).get("module_calls", {})  # noqa: SLF001 - as above
        return calls.get(own and module_names(own)[0], {}), caller


def _longest(references: Sequence[str]) -> list[str]:
    """Return references without those that are prefixes of another one, as `a.b` of `a.b.arn`."""
    return [
        one
        for one in dict.fromkeys(references)
        if not any(other != one and other.startswith((f"{one}.", f"{one}[")) for other in references)
    ]


def _modules(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield module
    for child in module.get("child_modules", []):
        yield from _modules(child)


def _ancestors(module: str) -> list[str]:
    """Return the addresses of a module and its parents."""
    steps = MODULE.findall(module)
    return [".".join(steps[:length]) for length in range(1, len(steps) + 1)]


def _text_keys(address: str) -> set[str]:
    return {index for index in INDEX.findall(address) if index.startswith('["')}


def module_names(address: str) -> tuple[str, ...]:
    """Return the names of a module and its parents, without keys."""
    return tuple(INDEX.sub("", step).removeprefix("module.") for step in MODULE.findall(address))
