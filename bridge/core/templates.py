"""Paths with variables: the part of RFC 6570 that cannot leave the path.

    /customers/{customer_id}          one segment
    /files/{+path}                    several, where the parameter says `allow_slash: true`
    /customers/search{?email,page}    query parameters, left out where they are null
    /search?version=2{&tags*}         more of them; `*` spells an array as the call's `arrays` says

A template is checked and cut at load, and joined when a call runs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from bridge.core.url_values import Arrays, RefusedError, encode_pairs, encode_query, encode_segment, is_dots
from bridge.errors import Detail, InvalidParameters

__all__ = ["Arrays", "PathTemplate", "TemplateError", "compile_path", "encode_query"]

_BRACES = re.compile(r"\{([^{}]*)\}")
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_PATH_VARIABLE = re.compile(rf"\+?{_NAME}")
_QUERY_VARIABLES = re.compile(rf"[?&]{_NAME}\*?(?:,{_NAME}\*?)*")
_QUERY_START = re.compile(r"\?|\{[?&]")
_QUERY = re.compile(r"(\?[^{}]*)?((?:\{[^{}]*\})*)")
_WRITTEN_OUT = re.compile(rf"[?&][^?&={{}}]*=\{{({_NAME})\}}")
_FOREIGN_VARIABLE = re.compile(r"/:([A-Za-z_]\w*)|<(?:\w+:)?(\w+)>")
# RFC 3986 sections 3.3 and 3.4: pchar and the slash; a query may hold `?` as well.
_LITERAL = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
_QUERY_LITERAL = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")


class TemplateError(Exception):
    """A path template that cannot be used: a sentence, and the text to write instead if it is known."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class _Variable:
    """A variable of the path: whether its value may hold slashes, and whether they are sent as such."""

    name: str
    slashes: bool
    reserved: bool

    def fill(self, params: Mapping[str, Any]) -> str:
        return encode_segment(self.name, params.get(self.name), slashes=self.slashes, reserved=self.reserved)


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A compiled template.

    `prefix` is the literal path before the first variable; `path_variables` have to be
    given when it is expanded, `query_variables` may be missing or null.
    """

    prefix: str
    _path: tuple[str | _Variable, ...]
    _fixed_query: str
    _query: tuple[tuple[str, str, Arrays], ...]

    @property
    def path_variables(self) -> frozenset[str]:
        """The parameters that the path names."""
        return frozenset(part.name for part in self._path if isinstance(part, _Variable))

    @property
    def query_variables(self) -> frozenset[str]:
        """The parameters that the query names."""
        return frozenset(name for name, _, _ in self._query)

    @property
    def variables(self) -> frozenset[str]:
        """All the parameters that the template names."""
        return self.path_variables | self.query_variables

    def expand(self, params: Mapping[str, Any]) -> str:
        """Return path and query, percent-encoded: `/customers/42?email=a%40b`.

        Raises InvalidParameters naming every value that cannot stand in the path.
        """
        try:
            path = "".join([part if isinstance(part, str) else part.fill(params) for part in self._path])
        except RefusedError:
            raise self._refusal(params) from None
        if not self._query:
            return path + self._fixed_query
        pairs = [pair for name, wire, arrays in self._query for pair in encode_pairs(wire, params.get(name), arrays)]
        if not pairs:
            return path + self._fixed_query
        return f"{path}{self._fixed_query}{'&' if self._fixed_query else '?'}{'&'.join(pairs)}"

    def _refusal(self, params: Mapping[str, Any]) -> InvalidParameters:
        details = {}
        for variable in self._path:
            if isinstance(variable, str):
                continue
            try:
                variable.fill(params)
            except RefusedError as refused:
                details[variable.name] = Detail(f"/{variable.name}", str(refused))
        return InvalidParameters("; ".join(detail.message for detail in details.values()), details=[*details.values()])


def compile_path(
    text: str,
    *,
    allow_slash: Collection[str] = (),
    wire: Mapping[str, str] | None = None,
    arrays: Arrays = "repeat",
) -> PathTemplate:
    """Compile a template. Raises TemplateError.

    `allow_slash` names the parameters whose value may hold slashes: `{+x}` sends them as
    they are, `{x}` as `%2F`. `wire` gives query parameters another name on the wire.
    An array in `{?x*}` is spelled as `arrays` says; so it is in `{?x}`, but joined by
    commas (RFC 6570) where `arrays` is `repeat`.
    """
    _check_braces(text)
    start = _QUERY_START.search(text)
    path, query = (text[: start.start()], text[start.start() :]) if start else (text, "")
    _check_path(path, text)
    pieces = _BRACES.split(path)
    parts = [_variable(piece, allow_slash) if index % 2 else piece for index, piece in enumerate(pieces)]
    fixed, variables = _query(query, text)
    names = wire or {}
    plain: Arrays = "comma" if arrays == "repeat" else arrays
    return PathTemplate(
        prefix=pieces[0],
        _path=tuple(part for part in parts if part),
        _fixed_query=fixed,
        _query=tuple((name, names.get(name, name), arrays if star else plain) for name, star in variables),
    )


def _check_braces(text: str) -> None:
    if "${{" in text:
        raise TemplateError("a path holds no ${{ }}; a variable is {name}, where `name` is a parameter")
    if "${" in text:
        message = "a path holds no environment reference (a backend's base_url may); a variable is {name}"
        raise TemplateError(message, text.replace("${", "{"))
    if "{{" in text:
        raise TemplateError("a variable has one pair of braces", text.replace("{{", "{").replace("}}", "}"))
    stray = re.search("[{}]", _BRACES.sub("", text))
    if stray:
        raise TemplateError("a { is never closed" if stray[0] == "{" else "a } has no { before it")
    for match in _BRACES.finditer(text):
        if not (_PATH_VARIABLE.fullmatch(match[1]) or _QUERY_VARIABLES.fullmatch(match[1])):
            raise _unknown_form(match[1], text)


def _unknown_form(inside: str, text: str) -> TemplateError:
    name = re.sub(r"\s", "", inside).strip("*#/;.+?&").partition(":")[0]
    form, hint = f"{{{inside}}}", None
    if inside.startswith("/"):
        hint = text.replace(f"/{form}", form).replace(form, f"/{{{name}}}")
    elif _PATH_VARIABLE.fullmatch(name):
        hint = text.replace(form, f"{{{inside[0] if inside[0] in '?&' else ''}{name}}}")
    return TemplateError(f"{form} is not available; the forms are {{x}}, {{+x}}, {{?x,y}}, {{&x,y}} and {{?x*}}", hint)


def _check_path(path: str, text: str) -> None:
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", path):
        raise TemplateError("this is a whole address; the backend's base_url has it, a call has the path")
    if not path.startswith("/"):
        raise TemplateError("a path begins with a slash", f"/{text}")
    foreign = _FOREIGN_VARIABLE.search(path)
    if foreign:
        name = foreign[1] or foreign[2]
        raise TemplateError(f"a variable is written {{{name}}}", text.replace(foreign[0].lstrip("/"), f"{{{name}}}"))
    shape = _BRACES.sub("x", path)
    _check_literal(shape, _LITERAL, text)
    if "//" in shape:
        raise TemplateError("a path holds no empty segment (`//`)", re.sub("/{2,}", "/", text))
    if any(map(is_dots, re.split(r"[/\\]", unquote(shape)))) or re.search(r"/\.+\{", unquote(path)):
        raise TemplateError("a path holds no segment `.` or `..`, nor one that begins with dots before a variable")


def _check_literal(literal: str, allowed: re.Pattern[str], text: str) -> None:
    match = allowed.match(literal)
    end = match.end() if match else 0
    if end == len(literal):
        return
    wrong = literal[end]
    if wrong == "#":
        raise TemplateError("a fragment (`#...`) is never sent to a server", text.partition("#")[0])
    encoded = quote(wrong, safe="")
    raise TemplateError(f"{wrong!r} is written {encoded} in a path", text.replace(wrong, encoded))


def _variable(inside: str, allow_slash: Collection[str]) -> _Variable:
    reserved, name = inside.startswith("+"), inside.lstrip("+")
    if reserved and name not in allow_slash:
        raise TemplateError(f"{{+{name}}} needs `allow_slash: true` on the parameter {name!r}")
    return _Variable(name, name in allow_slash, reserved)


def _query(query: str, text: str) -> tuple[str, list[tuple[str, bool]]]:
    """Return the literal query with its `?`, and the variables, each with whether it has a star."""
    match = _QUERY.fullmatch(query)
    if match is None or any(_PATH_VARIABLE.fullmatch(inside) for inside in _BRACES.findall(query)):
        raise _wrong_query(query, text)
    fixed, groups = match[1] or "", _BRACES.findall(match[2])
    _check_literal(fixed, _QUERY_LITERAL, text)
    for index, inside in enumerate(groups):
        wanted = "&" if index or fixed else "?"
        if inside[0] != wanted:
            what = "the first query parameters are" if wanted == "?" else "after a `?`, further query parameters are"
            correct = f"{{{wanted}{inside[1:]}}}"
            raise TemplateError(f"{what} {correct}", text.replace(f"{{{inside}}}", correct, 1))
    if fixed == "?":
        raise TemplateError("there is nothing after the `?`", text.replace("?{&", "{?").removesuffix("?"))
    return fixed, [(name.rstrip("*"), name.endswith("*")) for group in groups for name in group[1:].split(",")]


def _wrong_query(query: str, text: str) -> TemplateError:
    names = _WRITTEN_OUT.findall(query)
    if not names:
        return TemplateError("query parameters stand at the end: /path?fixed=1{&name}")
    message = "query parameters are written {?name}; a parameter's `as` gives another name on the wire"
    fixed = _WRITTEN_OUT.sub("", query)
    instead = f"?{fixed[1:]}{{&{','.join(names)}}}" if fixed else f"{{?{','.join(names)}}}"
    return TemplateError(message, None if "{" in fixed else text.removesuffix(query) + instead)
