"""The sentences that tell a caller what is wrong with its arguments.

Each names the parameter, the rule and what would be allowed, so that a model can mend
its call from the sentence alone. They are made of a violation's facts and of the schema
that was published anyway, never of a library's message.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from bridge.core.located import Path, did_you_mean, dotted
from bridge.core.violations import (
    SHOWN,
    Violation,
    constant,
    cut,
    holder,
    listed,
    predicate,
    quoted,
    type_of,
    types_wanted,
)

#: Looking for a near name is slow; nobody reads more of them.
MAX_SUGGESTIONS = 20
#: A path to the parameter, and what is wrong with it.
Sentence = tuple[Path, str]


class Wording:
    """Turns violations into sentences that name the parameter, the rule and what is allowed."""

    def __init__(self, schema: Any, secret: Collection[str]) -> None:
        """Word violations of `schema`; nothing that was given for a `secret` parameter is repeated."""
        self.schema = schema
        self.secret = secret
        self.suggestions = MAX_SUGGESTIONS

    def sentences(self, violation: Violation) -> Iterator[Sentence]:
        """Yield each mistake of one violation with the path it is best pointed out at."""
        special = _SPECIAL.get(violation.keyword)
        if special is not None:
            return special(self, violation)
        return iter([(violation.path, _say(violation.path, predicate(violation, show=self._shows(violation))))])

    def _shows(self, violation: Violation) -> bool:
        return not violation.path or violation.path[0] not in self.secret

    def _missing(self, violation: Violation) -> Iterator[Sentence]:
        path = (*violation.path, violation.facts["property"])
        yield path, f"Missing required parameter {_name(path)}"

    def _unknown(self, violation: Violation) -> Iterator[Sentence]:
        if not self._shows(violation):
            yield violation.path, _say(violation.path, "has a member that is not known")
            return
        known = holder(violation, self.schema).get("properties", {})
        for name in violation.facts["unexpected"]:
            self.suggestions -= 1
            near = did_you_mean(name, known) if self.suggestions >= 0 and len(name) <= SHOWN else ""
            yield (*violation.path, name), f"Unknown parameter {_name((*violation.path, name))}{near}"

    def _misnamed(self, violation: Violation) -> Iterator[Sentence]:
        for inner in violation.branches[0]:
            name = quoted(inner.value) if self._shows(violation) else "of a member"
            yield violation.path, f"the name {name}{_within(violation.path)} {predicate(inner, show=False)}"

    def _forbidden(self, violation: Violation) -> Iterator[Sentence]:
        banned = violation.facts["schema"]
        if isinstance(banned, dict) and banned.keys() == {"required"}:
            together = " together" if len(banned["required"]) > 1 else ""
            yield violation.path, f"{_names(violation.path, banned['required'], 'and')} must not be given{together}"
        else:
            yield violation.path, _say(violation.path, predicate(violation))

    def _alternatives(self, violation: Violation) -> Iterator[Sentence]:
        branches = _likely(violation)
        if not all(violation.branches):
            yield from self._too_many(violation)
        elif len(branches) == 1:
            for inner in branches[0]:
                yield from self.sentences(inner)
        elif all(each.keyword == "required" and each.path == violation.path for branch in branches for each in branch):
            groups = [listed((each.facts["property"] for each in branch), "and") for branch in branches]
            yield violation.path, f"give {listed(dict.fromkeys(groups))}{_within(violation.path)}"
        elif all(self._is_plain(branch, violation.path) for branch in branches):
            yield violation.path, _say(violation.path, _either([branch[0] for branch in branches]))
        else:
            yield from self._forms(violation, branches)

    def _is_plain(self, branch: Sequence[Violation], path: Path) -> bool:
        return len(branch) == 1 and branch[0].path == path and branch[0].keyword not in _SPECIAL

    def _forms(self, violation: Violation, branches: Sequence[tuple[Violation, ...]]) -> Iterator[Sentence]:
        told_apart = [each for branch in branches for each in branch if each.keyword == "const"]
        paths = {each.path for each in told_apart}
        if len(told_apart) == len(branches) and len(paths) == 1:
            wanted = listed(constant(each.facts["expected_value"]) for each in told_apart)
            yield told_apart[0].path, _say(told_apart[0].path, f"must be {wanted}")
        else:
            nearest = next(self.sentences(min(branches, key=len)[0]))[1]
            said = f"fits none of its {len(branches)} forms; the nearest: {nearest}"
            yield violation.path, _say(violation.path, said)

    def _too_many(self, violation: Violation) -> Iterator[Sentence]:
        forms = holder(violation, self.schema).get("oneOf", ())
        fitting = [form for form, branch in zip(forms, violation.branches, strict=False) if not branch]
        if fitting and all(isinstance(form, dict) and "required" in form for form in fitting):
            names = listed(listed(form["required"], "and") for form in fitting)
            yield violation.path, f"give only one of {names}{_within(violation.path)}"
        else:
            yield violation.path, _say(violation.path, f"must fit only one of its {len(violation.branches)} forms")


_SPECIAL: Mapping[str, Callable[[Wording, Violation], Iterator[Sentence]]] = {
    "required": Wording._missing,
    "additionalProperties": Wording._unknown,
    "unevaluatedProperties": Wording._unknown,
    "propertyNames": Wording._misnamed,
    "anyOf": Wording._alternatives,
    "oneOf": Wording._alternatives,
    "not": Wording._forbidden,
}


def _likely(violation: Violation) -> Sequence[tuple[Violation, ...]]:
    """Leave out the alternatives that were hardly meant: of another type, or with another constant in a member."""
    branches: Sequence[tuple[Violation, ...]] = violation.branches
    depth = len(violation.path)
    for hint, at in (("type", depth), ("const", depth + 1), ("enum", depth + 1)):
        meant = [branch for branch in branches if not any(v.keyword == hint and len(v.path) == at for v in branch)]
        branches = meant or branches
    return branches


def _either(violations: Sequence[Violation]) -> str:
    if all(each.keyword == "type" for each in violations):
        types = [name for each in violations for name in each.facts["types"]]
        return f"must be {types_wanted(list(dict.fromkeys(types)))}, not {type_of(violations[0].value)}"
    return listed(dict.fromkeys(predicate(each, show=False) for each in violations))


def _say(path: Path, rest: str) -> str:
    return f"{_name(path) if path else 'the parameters'} {rest}"


def _name(path: Path) -> str:
    return quoted(dotted(cut(step) if isinstance(step, str) else step for step in path))


def _names(path: Path, names: Iterable[str], last: str) -> str:
    return listed((_name((*path, name)) for name in names), last)


def _within(path: Path) -> str:
    return f" in {_name(path)}" if path else ""
