"""A tool's `parameters` and `input_schema`: one published schema, and what the backend needs to know of each.

`parameters` is the short way: a name and a type, or a schema with a few members of ours
beside it. `input_schema` is the long way and is published unaltered. Both together are
merged at the top level, so that the rules between parameters can be written as JSON Schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from weakref import WeakValueDictionary

from bridge.core.arguments import Arguments
from bridge.core.located import Path, Problems, plain
from bridge.core.model import Parameter
from bridge.core.schemas import SchemaError, Validator, mistakes
from bridge.errors import InvalidParameters

#: Members of a parameter that are ours and never published.
OURS = frozenset({"optional", "secret", "as", "in", "value", "allow_slash"})

#: So many different schemas are kept compiled from the start (some 14 MB); more of them once they are used.
MAX_COMPILED = 1_000

# What is compiled and without a mistake, by its text: tools of one registry take the same parameters, and most are
# unchanged after a reload, while one compiled schema costs half a millisecond and 15 KB.
_FLAWLESS: WeakValueDictionary[bytes, Arguments] = WeakValueDictionary()


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a tool takes: the published schema, its parameters, and their compiled judge.

    `arguments` is None where the schema cannot be used (a mistake was reported).
    """

    schema: Mapping[str, Any]
    parameters: Mapping[str, Parameter]
    arguments: Arguments | None


def read_inputs(tool: Mapping[str, Any], problems: Problems) -> Inputs:
    """Return what `tool` takes; report every mistake in its parameters and schema."""
    declared: Mapping[str, Any] = tool.get("parameters", {})
    entries = {name: {"type": entry} if isinstance(entry, str) else entry for name, entry in declared.items()}
    for name, entry in entries.items():
        _check_entry(entry, problems.at("parameters", name))
    schema = _merge(tool, entries, problems)
    found = {name: _parameter(name, entry) for name, entry in entries.items()}
    for name in _properties(schema):
        found.setdefault(name, Parameter(name, name, optional=name not in schema.get("required", ())))
    arguments = _compile(schema, entries, problems)
    return Inputs(schema if arguments is None else arguments.schema, found, arguments)


def _check_entry(entry: Mapping[str, Any], problems: Problems) -> None:
    says = entry.get("required")
    if says is True and entry.get("optional") is True:
        problems.add("a parameter is either required or optional, not both", "optional", key=True)
    if says is True and "default" in entry:
        problems.add("a parameter with a default is never missing; leave `required` out", "required", key=True)
    if "value" in entry:
        for other in ("default", "optional", "required"):
            if other in entry:
                problems.add(f"a fixed `value` never comes from the caller; leave `{other}` out", other, key=True)


def _required(entry: Mapping[str, Any]) -> bool:
    return not ("default" in entry or entry.get("optional") is True or entry.get("required") is False)


def _published(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parameter as JSON Schema alone; a list under `required` is JSON Schema's own."""
    own = {key: value for key, value in entry.items() if key not in OURS}
    if isinstance(own.get("required"), bool):
        del own["required"]
    return own


def _merge(tool: Mapping[str, Any], entries: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    given: Mapping[str, Any] = tool.get("input_schema", {})
    if "parameters" not in tool and "input_schema" in tool:
        schema: dict[str, Any] = plain(given)
        return schema
    shown = {name: entry for name, entry in entries.items() if "value" not in entry}
    for name in _properties(given):
        if name in entries:
            sentence = f"property {name!r} is declared under `parameters` too"
            problems.add(sentence, "input_schema", "properties", name, key=True)
    properties = {name: _published(entry) for name, entry in shown.items()} | dict(_properties(given))
    required = [name for name, entry in shown.items() if _required(entry)]
    required += [name for name in given.get("required", ()) if name not in required]
    schema = {"type": "object", "properties": properties}
    schema |= {"required": required} if required else {}
    schema["additionalProperties"] = False
    schema |= {key: value for key, value in given.items() if key not in ("properties", "required")}
    merged: dict[str, Any] = plain(schema)
    return merged


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = schema.get("properties", {})
    return properties if isinstance(properties, Mapping) else {}


def _parameter(name: str, entry: Mapping[str, Any]) -> Parameter:
    return Parameter(
        name=name,
        wire=entry.get("as", name),
        place=entry.get("in"),
        optional=not _required(entry) and "default" not in entry,
        fixed="value" in entry,
        secret=entry.get("secret") is True,
        allow_slash=entry.get("allow_slash") is True,
    )


def _compile(schema: Mapping[str, Any], entries: Mapping[str, Any], problems: Problems) -> Arguments | None:
    text = sha256(json.dumps((schema, entries)).encode()).digest()
    arguments = _FLAWLESS.get(text)
    if arguments is None:
        before = len(problems.found)
        arguments = _compiled(schema, entries, problems)
        if arguments is not None and len(problems.found) == before:
            _FLAWLESS[text] = arguments
            if len(_FLAWLESS) > MAX_COMPILED:
                arguments.release()
    return arguments


def _compiled(schema: Mapping[str, Any], entries: Mapping[str, Any], problems: Problems) -> Arguments | None:
    fixed = {name: plain(entry["value"]) for name, entry in entries.items() if "value" in entry}
    secret = frozenset(name for name, entry in entries.items() if entry.get("secret") is True)
    try:
        arguments = Arguments.compile(schema, fixed=fixed, secret=secret)
    except SchemaError as error:
        for mistake in list(mistakes(schema)) or [error]:
            problems.add(mistake.message, *_where(mistake.path, entries), code="registry/schema")
        return None
    _check_defaults(arguments, entries, problems)
    _check_fixed(schema, entries, problems)
    return arguments


def _where(path: Path, entries: Mapping[str, Any]) -> Path:
    """Return where the author wrote what stands at `path` of the merged schema."""
    if len(path) > 1 and path[0] == "properties" and path[1] in entries:
        return ("parameters", *path[1:])
    return ("input_schema", *path) if path or not entries else ("parameters",)


def _check_defaults(arguments: Arguments, entries: Mapping[str, Any], problems: Problems) -> None:
    """Without any arguments, whatever is wrong with a parameter that has a default is wrong with the default."""
    if not any("default" in entry for entry in entries.values()):
        return
    try:
        arguments.accept({})
    except InvalidParameters as error:
        for detail in error.details:
            name = detail.path.removeprefix("/").partition("/")[0].replace("~1", "/").replace("~0", "~")
            if "default" in entries.get(name, ()):
                problems.add(f"the default does not fit: {detail.message}", "parameters", name, "default")


def _check_fixed(schema: Mapping[str, Any], entries: Mapping[str, Any], problems: Problems) -> None:
    definitions = {"$defs": schema["$defs"]} if "$defs" in schema else {}
    for name, entry in entries.items():
        rules = _published(entry)
        if "value" in entry and rules and not Validator(definitions | rules).is_valid(plain(entry["value"])):
            problems.add("the value does not fit the parameter's own schema", "parameters", name, "value")
