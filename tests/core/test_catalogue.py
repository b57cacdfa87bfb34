from __future__ import annotations

import pytest

from bridge.core.catalogue import MAX_VIEWS, ToolCatalogue
from bridge.core.model import Caller, Deprecation
from bridge.errors import ToolNotFound
from tests.support.domain import EVERYBODY, StandingClock, a_registry, a_tool

NOBODY = Caller("nobody", scopes=frozenset())


def names(tools):
    return ",".join(tool.name for tool in tools).encode()


def listed(catalogue, caller=EVERYBODY, toolset=None):
    return catalogue.page(caller, toolset, "names", names)[0].decode()


def missing(catalogue, name, caller=EVERYBODY, toolset=None):
    with pytest.raises(ToolNotFound) as caught:
        catalogue.find(caller, toolset, name)
    return caught.value.message


@pytest.mark.parametrize(
    ("members", "caller"),
    [
        ({"internal": True}, EVERYBODY),
        ({"tenants": frozenset({"acme"})}, Caller("c", tenant="other")),
        ({"tenants": frozenset({"acme"})}, EVERYBODY),
        ({"scopes": frozenset({"s"}), "hide_without_scope": True}, NOBODY),
        ({"deprecated": Deprecation(sunset="2023-01-01")}, EVERYBODY),
    ],
)
def test_a_hidden_tool_answers_like_an_unknown_one(members, caller):
    hidden = ToolCatalogue(a_registry(a_tool("open"), a_tool("secret", **members)), StandingClock())
    without = ToolCatalogue(a_registry(a_tool("open")), StandingClock())
    assert missing(hidden, "secret", caller) == missing(without, "secret", caller)
    assert missing(hidden, "secre", caller) == missing(without, "secre", caller)
    assert listed(hidden, caller) == "open"


def test_a_tool_whose_scope_is_missing_is_left_out_of_lists_but_can_be_found():
    catalogue = ToolCatalogue(a_registry(a_tool("a"), a_tool("b", scopes=frozenset({"s"}))), StandingClock())
    assert listed(catalogue, NOBODY) == "a"
    assert catalogue.find(NOBODY, None, "b").name == "b"


def test_an_alias_finds_its_tool_and_is_not_listed():
    catalogue = ToolCatalogue(a_registry(a_tool("new", aliases=("old",))), StandingClock())
    assert catalogue.find(EVERYBODY, None, "old").name == "new"
    assert listed(catalogue) == "new"


def test_a_toolset_shows_its_own_tools_and_an_unknown_one_none():
    registry = a_registry(a_tool("a"), a_tool("b"), toolsets={"s": frozenset({"b"})})
    catalogue = ToolCatalogue(registry, StandingClock())
    assert listed(catalogue, toolset="s") == "b"
    assert listed(catalogue, toolset="nowhere") == ""
    assert catalogue.has_toolset("s")
    assert not catalogue.has_toolset("nowhere")


def test_a_caller_with_a_toolset_sees_it_at_the_root():
    registry = a_registry(a_tool("a"), a_tool("b"), toolsets={"s": frozenset({"b"})})
    assert listed(ToolCatalogue(registry, StandingClock()), Caller("c", toolset="s")) == "b"


def test_a_list_is_rendered_once_for_all_who_see_the_same():
    rendered = []

    def render(tools):
        rendered.append(tools)
        return b"x"

    catalogue = ToolCatalogue(a_registry(a_tool("a")), StandingClock())
    pages = {catalogue.page(Caller("c", tenant=tenant), None, "k", render) for tenant in ("t1", "t2", "t3")}
    assert len(rendered) == len(pages) == 1


def test_two_sets_of_visible_tools_have_two_etags():
    catalogue = ToolCatalogue(a_registry(a_tool("a"), a_tool("b", scopes=frozenset({"s"}))), StandingClock())
    few, all_ = catalogue.page(NOBODY, None, "n", names), catalogue.page(EVERYBODY, None, "n", names)
    assert few[1] != all_[1]


def test_a_tool_disappears_on_its_sunset():
    clock = StandingClock(1_700_000_000.0)  # 2023-11-14
    catalogue = ToolCatalogue(a_registry(a_tool("a", deprecated=Deprecation(sunset="2023-11-16"))), clock)
    assert listed(catalogue) == "a"
    clock.now += 2 * 86_400
    assert listed(catalogue) == ""
    assert "a" in missing(catalogue, "a")


def test_many_tenants_do_not_grow_the_memory_without_bound():
    catalogue = ToolCatalogue(a_registry(a_tool("a")), StandingClock())
    for number in range(MAX_VIEWS + 10):
        listed(catalogue, Caller("c", tenant=str(number)))
    assert len(catalogue._views) <= MAX_VIEWS


def test_a_very_long_name_is_cut_in_the_answer():
    catalogue = ToolCatalogue(a_registry(a_tool("a")), StandingClock())
    assert len(missing(catalogue, "a" * 100_000)) < 200
