"""Read the schema of Terraform's AWS provider 6 from two packages that are generated from it.

`cdktf-cdktf-provider-aws` has each argument, block and attribute with its Terraform name and type. `pulumi-aws` is
newer and has the deprecations. Both are read as text and not imported.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any, TypedDict, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from zipfile import ZipFile

CDKTF = "cdktf_cdktf_provider_aws"
PULUMI = "pulumi_aws"

# Arguments of every resource that are Terraform's own and not the provider's.
META = {"connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioners"}

# Properties of every class that are CDKTF's own.
INTERNAL = {"internal_value", "fqn", "TF_RESOURCE_TYPE"}

# Pulumi's names of types that it calls differently from the provider.
PULUMI_NAMES = {
    "aws_api_gateway": "apigateway",
    "aws_lambda": "lambda_",
    "aws_s3_object": "s3/bucket_objectv2",
    "aws_iam_openid_connect_provider": "iam/open_id_connect_provider",
}


class Schema(TypedDict, total=False):
    """Arguments, blocks and attributes of one block.

    Attributes:
        arguments: The type of each argument, such as `list(string)`; a set is a list here.
        required: The arguments and blocks that are required.
        blocks: The blocks, by name.
        attributes: The type of each attribute that can only be read.
        deprecated: The provider's advice for each name that its newest version warns of.
    """

    arguments: dict[str, str]
    required: list[str]
    blocks: dict[str, Schema]
    attributes: dict[str, str]
    deprecated: dict[str, str]


def provider_version(wheel: ZipFile) -> str:
    """Return the version of the provider that the package was generated from."""
    text = wheel.read(f"{CDKTF}/sqs_queue/__init__.py").decode()
    found = re.search(r"providers/hashicorp/aws/([0-9.]+)/docs", text)
    if found is None:
        raise ValueError(f"{CDKTF}/sqs_queue/__init__.py does not name the version of the provider")
    return found[1]


def read_schemas(types: set[str], cdktf: ZipFile, pulumi: ZipFile) -> dict[str, Schema]:
    """Return the schema of each type, `data.` before the name of a data source, `provider` for the provider's block.

    Raises:
        KeyError: A package does not have the type.
    """
    deprecations = _Pulumi(pulumi)
    return {name: deprecations.add(name, _Cdktf(cdktf, name).schema()) for name in sorted(types)}


class _Cdktf:
    """Module of one type in CDKTF's package."""

    def __init__(self, wheel: ZipFile, name: str) -> None:
        kind, _, bare = name.rpartition(".")
        bare = bare.removeprefix("aws_")
        module = "provider" if name == "provider" else f"data_aws_{bare}" if kind == "data" else bare
        tree = ast.parse(wheel.read(f"{CDKTF}/{module}/__init__.py"))
        self._classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        self._inputs = self._derived("TerraformMetaArguments") or "AwsProviderConfig"
        self._outputs = self._derived("TerraformResource", "TerraformDataSource", "TerraformProvider")

    def _derived(self, *bases: str) -> str:
        """Return the class that is derived from one of CDKTF's own, or an empty text."""
        return next(
            (
                name
                for name, node in self._classes.items()
                if any(ast.unparse(base).endswith(f".{wanted}") for base in node.bases for wanted in bases)
            ),
            "",
        )

    def schema(self) -> Schema:
        """Return the schema of the type."""
        return self._schema(self._inputs, self._outputs)

    def _schema(self, inputs: str, outputs: str) -> Schema:
        schema = Schema(arguments={}, required=[], blocks={}, attributes={})
        if inputs in self._classes:
            self._read_arguments(inputs, schema)
        if outputs in self._classes:
            self._read_attributes(outputs, schema)
        filled: Any = {key: value for key, value in sorted(schema.items()) if value}
        return cast("Schema", filled)

    def _read_arguments(self, inputs: str, schema: Schema) -> None:
        start = next(
            node for node in self._classes[inputs].body if isinstance(node, ast.FunctionDef) and node.name == "__init__"
        )
        documented = ast.get_docstring(start) or ""
        for argument, default in zip(start.args.kwonlyargs, start.args.kw_defaults, strict=True):
            if argument.arg in META or argument.annotation is None:
                continue
            said = re.search(rf"^:param {argument.arg}: (.*(?:\n(?!:param).*)*)", documented, re.MULTILINE)
            anchor = re.search(r"#(\w+) ", said[1]) if said else None
            name = anchor[1] if anchor else argument.arg.rstrip("_")
            struct = _struct(argument.annotation)
            if struct and said and said[1].startswith(f"{name} block."):
                schema["blocks"][name] = self._schema(struct, f"{struct}OutputReference")
            else:
                schema["arguments"][name] = _type(argument.annotation)
            if default is None:
                schema["required"].append(name)
        schema["required"].sort()

    def _read_attributes(self, outputs: str, schema: Schema) -> None:
        written = {*schema["arguments"], *schema["blocks"]}
        for node in self._classes[outputs].body:
            if not isinstance(node, ast.FunctionDef) or node.returns is None:
                continue
            decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
            name = node.name.rstrip("_")
            is_input = name.endswith("_input") and name.removesuffix("_input") in written
            if "builtins.property" in decorators and name not in written | INTERNAL and not is_input:
                schema["attributes"][name] = _type(node.returns)


def _text(annotation: ast.expr) -> str:
    return ast.unparse(annotation).replace("'", "").replace('"', "")


def _struct(annotation: ast.expr) -> str | None:
    """Return the class that an annotation names, if it names one of the module's own."""
    found = re.search(r"(?<![\w.])([A-Z]\w+)\b", re.sub(r"typing\.\w+|\w+\.I\w+|jsii\.Number", "", _text(annotation)))
    return found[1] if found else None


def _type(annotation: ast.expr) -> str:
    """Return Terraform's type of an annotation."""
    text = re.sub(r"_cdktf_\w+\.", "", _text(annotation))
    for pattern, kind in (
        (r"typing\.Optional\[(.*)\]", "{}"),
        (r"typing\.Union\[builtins\.bool, IResolvable\]", "bool"),
        (r"typing\.Union\[IResolvable, (.*)\]", "{}"),
        (r"typing\.(?:Sequence|List)\[(.*)\]", "list({})"),
        (r"typing\.Mapping\[builtins\.str, (.*)\]", "map({})"),
        (r"builtins\.str", "string"),
        (r"jsii\.Number", "number"),
        (r"builtins\.bool|IResolvable", "bool"),
        (r"StringMap", "map(string)"),
        (r"NumberMap", "map(number)"),
        (r"BooleanMap", "map(bool)"),
        (r"StringMapList", "list(map(string))"),
        (r"\w+List", "list(object)"),
    ):
        if found := re.fullmatch(pattern, text):
            inner = _type(ast.parse(found[1], mode="eval").body) if found.groups() else ""
            return kind.format(inner)
    return "object"


class _Pulumi:
    """Deprecations in Pulumi's package."""

    def __init__(self, wheel: ZipFile) -> None:
        self._wheel = wheel
        self._files = set(wheel.namelist())
        self._parsed: dict[str, dict[str, dict[str, str]]] = {}

    def add(self, name: str, schema: Schema) -> Schema:
        """Return a schema with its deprecations."""
        if name == "provider":
            return schema
        folder, module = self._place(name)
        written = _camel(module.removeprefix("get_"))
        if module.startswith("get_"):
            classes = [(f"{folder}{module}.py", f"Get{written}Result")]
        else:
            classes = [(f"{folder}{module}.py", f"{written}Args"), (f"{folder}{module}.py", written)]
        self._mark(schema, classes, f"{folder}_inputs.py", written)
        return schema

    def _place(self, name: str) -> tuple[str, str]:
        """Return the folder and the module of a type."""
        kind, _, bare = name.rpartition(".")
        for prefix, place in sorted(PULUMI_NAMES.items(), key=lambda pair: -len(pair[0])):
            if bare == prefix or ("/" not in place and bare.startswith(f"{prefix}_")):
                folder, _, module = (place if "/" in place else f"{place}/{bare.removeprefix(f'{prefix}_')}").partition(
                    "/"
                )
                candidates = [(folder, module)]
                break
        else:
            first, *others = bare.removeprefix("aws_").split("_")
            candidates = [(first, "_".join(others)), ("", "_".join([first, *others]))]
        for folder, module in candidates:
            place = f"{PULUMI}/{folder}/" if folder else f"{PULUMI}/"
            found = f"get_{module}" if kind == "data" else module
            if f"{place}{found}.py" in self._files:
                return place, found
        raise KeyError(f"{name} is not found in {PULUMI}: add its place to PULUMI_NAMES")

    def _mark(self, schema: Schema, classes: list[tuple[str, str]], nested: str, prefix: str) -> None:
        found: dict[str, str] = {}
        for file, class_name in classes:
            found |= self._deprecated(file).get(class_name, {})
        known = {*schema.get("arguments", {}), *schema.get("blocks", {}), *schema.get("attributes", {})}
        for name, advice in found.items():
            if written := known & {name, f"{name}s", name.removesuffix("s")}:
                schema.setdefault("deprecated", {})[min(written, key=len)] = advice
        for name, block in schema.get("blocks", {}).items():
            inner = f"{prefix}{_camel(name)}"
            self._mark(block, [(nested, f"{inner}Args")], nested, inner)

    def _deprecated(self, file: str) -> dict[str, dict[str, str]]:
        """Return the deprecated names, with advice, of each class in a file."""
        if file not in self._files:
            return {}
        if file not in self._parsed:
            text = self._wheel.read(file).decode()
            tree = ast.parse(text) if "_utilities.deprecated(" in text else ast.Module([], [])
            self._parsed[file] = {
                node.name: dict(_advice(node)) for node in tree.body if isinstance(node, ast.ClassDef)
            }
        return self._parsed[file]


def _advice(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for member in node.body:
        if isinstance(member, ast.FunctionDef):
            for decorator in member.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "_utilities.deprecated":
                    yield member.name.rstrip("_"), str(ast.literal_eval(decorator.args[0])).strip()


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def terraform_schemas(document: Mapping[str, Any], types: set[str]) -> dict[str, Schema]:
    """Return the schema of each type in the form of `read_schemas`, from `terraform providers schema -json`."""
    (provider,) = document["provider_schemas"].values()
    places: dict[str, Callable[[str], Any]] = {
        "": provider["resource_schemas"].get,
        "data": provider["data_source_schemas"].get,
    }
    found = {name: places[name.rpartition(".")[0]](name.rpartition(".")[2]) for name in types - {"provider"}}
    schemas = {name: _block(one["block"]) for name, one in found.items() if one}
    return {**schemas, "provider": _block(provider["provider"]["block"])} if "provider" in types else schemas


def _block(block: Mapping[str, Any]) -> Schema:
    attributes = block.get("attributes", {})
    nested = block.get("block_types", {})
    return Schema(
        arguments={
            name: _written(one["type"])
            for name, one in attributes.items()
            if one.get("optional") or one.get("required")
        },
        required=sorted(
            [name for name, one in attributes.items() if one.get("required")]
            + [name for name, one in nested.items() if one.get("min_items")]
        ),
        blocks={name: _block(one["block"]) for name, one in nested.items()},
        attributes={
            name: _written(one["type"])
            for name, one in attributes.items()
            if not (one.get("optional") or one.get("required"))
        },
        deprecated={name: "" for name, one in attributes.items() if one.get("deprecated")},
    )


def _written(kind: Any) -> str:  # noqa: ANN401 - Terraform's JSON form of a type
    if isinstance(kind, str):
        return kind
    outer, inner = kind
    return "object" if outer == "object" else f"{'list' if outer == 'set' else outer}({_written(inner)})"
