"""The shape of the package: which row may import which, no rings, sizes, documented names.

An exception stands in a table with its reason, and fails when it is no longer needed.
"""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BRIDGE = ROOT / "bridge"

#: Rows of the package, bottom to top; a folder or module may import its own part and lower rows only.
ROWS = (
    {"_version", "errors", "settings", "kinds"},
    {"core", "schemas"},
    {"mcp", "outbound"},
    {"registry", "auth", "policies", "backends", "protocols", "stores", "jobs"},
    {"assembly", "authoring"},
    {"web", "cli", "demo"},
)
ROW_OF = {part: number for number, row in enumerate(ROWS) for part in row}

#: Rows whose parts may know each other: the bottom one is single modules, the top one is people's doors.
MEETING = {("cli", "web"), ("cli", "demo"), ("errors", "_version")}

#: Libraries that only one place may know.
ONLY_IN = {
    "flask": {"web"},
    "werkzeug": {"web"},
    "gunicorn": {"web"},
    "jsonschema": {"core/schemas.py"},
    "jsonschema_rs": {"core/schemas.py"},
    "pycurl": {"outbound"},
    "requests": {"outbound"},
    "urllib3": {"outbound"},
    "socket": {"outbound", "web", "demo", "cli"},
    "yaml": {"registry"},
    "jmespath": {"core"},
    "click": {"cli"},
}

#: What `core` stays free of, besides the libraries above.
NOT_IN_CORE = {"os", "socket", "time", "pathlib", "io", "threading", "subprocess", "tempfile"}

MAX_FILE = 300
MAX_FUNCTION = 50
MEDIAN_FUNCTION = 10

LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(BRIDGE.rglob("*.py")):
        yield path.relative_to(BRIDGE).as_posix(), ast.parse(path.read_text())


def part_of(name: str) -> str:
    return name.removesuffix(".py").split("/")[0]


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(tree: ast.Module) -> set[str]:
    return {name.removeprefix("bridge.") for name in imports(tree) if name.startswith("bridge.")}


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code of a function, without its docstring."""
    first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
    return (node.end_lineno or 0) - first.lineno + 1


def test_a_lower_row_never_imports_a_higher_one_and_folders_of_one_row_never_meet():
    wrong = []
    for name, tree in modules():
        mine = part_of(name)
        if mine in ("__init__", "__main__"):
            continue
        for theirs in {part_of(item.replace(".", "/")) for item in own_imports(tree)} & ROW_OF.keys():
            if theirs == mine or (mine, theirs) in MEETING:
                continue
            if ROW_OF[theirs] >= ROW_OF[mine]:
                wrong.append(f"{name} imports bridge.{theirs}")
    assert not wrong, wrong


def test_every_part_of_the_package_has_its_row():
    parts = {part_of(name) for name, _ in modules()} - {"__init__", "__main__"}
    assert parts <= ROW_OF.keys(), parts - ROW_OF.keys()


def test_there_are_no_rings():
    known = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name, _ in modules()}
    graph = {}
    for name, tree in modules():
        module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        graph[module] = {item for item in own_imports(tree) if item in known} - {module}
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way, module))
        if module not in done:
            for target in sorted(graph.get(module, ())):
                visit(target, (*way, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())


def test_a_library_is_known_only_where_it_belongs():
    wrong = []
    for name, tree in modules():
        for library in {item.split(".")[0] for item in imports(tree)} & ONLY_IN.keys():
            if not any(name == place or part_of(name) == place for place in ONLY_IN[library]):
                wrong.append(f"{name} imports {library}")
    assert not wrong, wrong


def test_core_has_no_files_no_clock_and_no_environment():
    wrong = [
        f"{name} imports {library}"
        for name, tree in modules()
        if part_of(name) == "core"
        for library in {item.split(".")[0] for item in imports(tree)} & NOT_IN_CORE
    ]
    assert not wrong, wrong


def test_the_environment_is_read_in_settings_only():
    wrong = [
        name
        for name, tree in modules()
        if name != "settings.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") and getattr(node.value, "id", "") == "os"
    ]
    assert not wrong, wrong


def test_print_is_for_the_command_line():
    wrong = [
        name
        for name, tree in modules()
        if part_of(name) != "cli"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    ]
    assert not wrong, wrong


def test_files_stay_short():
    long = {f"bridge/{name}" for name, _ in modules() if len((BRIDGE / name).read_text().splitlines()) > MAX_FILE}
    assert long == LONG_FILES.keys()


def test_functions_stay_short():
    long = {
        f"bridge/{name}:{node.name}" for name, tree in modules() for node in functions(tree) if length(node) > MAX_FUNCTION
    }
    assert long == LONG_FUNCTIONS.keys()


def test_the_median_function_is_at_most_ten_lines():
    assert statistics.median(length(node) for _, tree in modules() for node in functions(tree)) <= MEDIAN_FUNCTION


def test_every_file_says_what_lives_there():
    assert [name for name, tree in modules() if not ast.get_docstring(tree)] == []


def test_every_public_name_is_documented():
    wrong = []
    for name, tree in modules():
        for owner in (tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))):
            for node in owner.body:
                public = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_"
                hidden = isinstance(owner, ast.ClassDef) and owner.name.startswith("_")
                if public and not hidden and not ast.get_docstring(node):
                    wrong.append(f"{name}:{node.name}")
    assert not wrong, wrong


def test_no_file_hides_behind_an_empty_name():
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "base"}
    assert [name for name, _ in modules() if vague & set(name.removesuffix(".py").split("/"))] == []
