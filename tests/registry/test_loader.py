"""Files and includes: merged, bounded, never out of the main file's folder."""

from __future__ import annotations

import os

import pytest

from bridge.core.located import locate
from bridge.registry import loader
from bridge.registry.loader import load, load_bundle, version


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder, **files):
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "main.yaml"


def loaded(path):
    problems = []
    return load(path, problems), [str(found) for found in sorted(problems)]


def test_included_files_add_to_the_main_one_in_order(folder):
    path = write(
        folder,
        main="bridge: 1\ninclude: [parts/*.yaml, last.yaml]\ntools: {a: {}}\n",
        parts__b="bridge: 1\ntools: {b: {}}\nbackends: {x: {}}\n",
        parts__a="tools: {c: {}}\ninclude: [deeper/d.yaml]\n",
        parts__deeper__d="tools: {d: {}}\ninclude: [../../last.yaml]\n",
        last="callers: {e: {}}\n",
    )
    found, problems = loaded(path)
    assert problems == []
    assert list(found.document["tools"]) == ["a", "c", "b", "d"]
    assert set(found.document) == {"bridge", "tools", "backends", "callers"}
    assert list(found.files) == ["main.yaml", "parts/a.yaml", "parts/b.yaml", "last.yaml", "parts/deeper/d.yaml"]
    assert {folder / name for name in found.files} <= set(found.paths)
    assert found.whole


def test_marks_name_files_from_where_the_user_named_the_main_one(folder):
    write(folder, conf__main="include: [parts/a.yaml]\ntools: {b: {}}\n", conf__parts__a="tools:\n  a: {}\n")
    found, _ = loaded(folder.relative_to(folder) / "conf" / "main.yaml")
    assert str(locate(found.document, ["tools", "a"], key=True)) == "conf/parts/a.yaml:2:3"
    assert str(locate(found.document, ["tools", "b"], key=True)) == "conf/main.yaml:2:9"
    assert found.lines("conf/parts/a.yaml") == ["tools:", "  a: {}", ""]
    assert found.lines("other.yaml") == []


def test_a_name_declared_twice_shows_both_places(folder):
    path = write(folder, main="include: [a.yaml]\ntools:\n  x: {}\n", a="tools:\n\n  x: {}\n  y: {}\n")
    found, problems = loaded(path.relative_to(folder))
    assert problems == ["a.yaml:3:3: tools.x: 'x' is declared twice (first at main.yaml:3:3)"]
    assert list(found.document["tools"]) == ["x", "y"]


def test_a_pattern_never_selects_a_file_twice(folder):
    path = write(folder, main="include: ['*.yaml', 'a*.yaml']\n", a="tools: {x: {}}\ninclude: ['*.yaml']\n")
    found, problems = loaded(path)
    assert problems == []
    assert list(found.files) == ["main.yaml", "a.yaml"]


def test_an_included_file_sets_nothing(folder):
    path = write(folder, main="bridge: 1\ninclude: [a.yaml]\n", a="bridge: 2\nname: x\ntool: {}\nauth: {}\n")
    found, problems = loaded(path.relative_to(folder))
    assert [problem.split(";")[0] for problem in problems] == [
        "a.yaml:1:1: bridge: 'bridge' cannot stand in an included file",
        "a.yaml:2:1: name: 'name' cannot stand in an included file",
        "a.yaml:3:1: tool: 'tool' cannot stand in an included file (did you mean 'tools'?)",
        "a.yaml:4:1: auth: 'auth' cannot stand in an included file",
    ]
    assert found.document == {"bridge": 1}


def test_a_section_has_to_be_a_mapping_in_every_file(folder):
    path = write(folder, main="include: [a.yaml, b.yaml]\ntools: {x: {}}\nbackends: 5\n", a="tools: [y]\nbackends: {}\n", b="callers: x")
    found, problems = loaded(path.relative_to(folder))
    assert problems == ["a.yaml:1:8: tools: expected a mapping, found a list"]
    assert found.document == {"tools": {"x": {}}, "backends": 5, "callers": "x"}


def test_imports_of_included_files_are_appended(folder):
    path = write(folder, main="include: [a.yaml]\nimport: [{preset: x}]\n", a="import: [{preset: y}]\n")
    found, _ = loaded(path)
    assert [entry["preset"] for entry in found.document["import"]] == ["x", "y"]
    assert str(locate(found.document, ["import", 1])).endswith("a.yaml:1:10")


@pytest.mark.parametrize(
    ("include", "sentence"),
    [
        ("missing.yaml", "main.yaml:1:11: include[0]: 'missing.yaml' cannot be read: there is no such file"),
        ("main.yaml", "main.yaml:1:11: include[0]: a file cannot include itself"),
        ("a.yaml", "a.yaml:1:11: include[0]: 'main.yaml' includes this file in turn (main.yaml:1:11)"),
        ("b.yaml", "c.yaml:1:11: include[0]: 'b.yaml' includes this file in turn (b.yaml:1:11)"),
        ("../x.yaml", "main.yaml:1:11: include[0]: '../x.yaml' leads out of the folder of 'main.yaml'"),
        ("sub/../../x.yaml", "main.yaml:1:11: include[0]: 'sub/../../x.yaml' leads out of the folder of 'main.yaml'"),
        ("..", "main.yaml:1:11: include[0]: '..' leads out of the folder of 'main.yaml'"),
        ("/etc/passwd", "main.yaml:1:11: include[0]: '/etc/passwd' leads out of the folder of 'main.yaml'"),
        ("'../*.yaml'", "main.yaml:1:11: include[0]: '../*.yaml' leads out of the folder of 'main.yaml'"),
        ("link.yaml", "main.yaml:1:11: include[0]: 'link.yaml' leads out of the folder of 'main.yaml'"),
        ("'linked/*'", "main.yaml:1:11: include[0]: 'linked/hostname' leads out of the folder of 'main.yaml'"),
        ("sub", "main.yaml:1:11: include[0]: 'sub' cannot be read: it is a folder"),
        ("'**/*.yaml'", "main.yaml:1:11: include[0]: '**/*.yaml' is no file name or pattern; write the folder out"),
        ('"a\\0b"', "main.yaml:1:11: include[0]: 'a\\x00b' is no file name or pattern; write the folder out"),
        ("5", "main.yaml:1:11: include[0]: expected a file name, found a number"),
        ("''", "main.yaml:1:11: include[0]: expected a file name, found empty text"),
        ("fifo", "main.yaml:1:11: include[0]: 'fifo' cannot be read: it is not a regular file"),
        ("'*.none'", "main.yaml:1:11: include[0]: warning: '*.none' selects no file"),
    ],
)
def test_an_include_that_cannot_be_followed_says_why(folder, include, sentence):
    path = write(folder, main=f"include: [{include}]\n", a="include: [main.yaml]", b="include: [c.yaml]", c="include: [b.yaml]", sub__d="")
    os.mkfifo(folder / "fifo")
    outside = folder.parent / f"{folder.name}-outside"
    outside.mkdir()
    (outside / "hostname").write_text("tools: {}")
    (folder / "link.yaml").symlink_to(outside / "hostname")
    (folder / "linked").symlink_to(outside)
    found, problems = loaded(path.relative_to(folder))
    assert problems == [sentence]
    assert found.whole == ("warning" in sentence or "expected" in sentence)


def test_include_has_to_be_a_list(folder):
    path = write(folder, main="include: a.yaml\n")
    assert loaded(path.relative_to(folder))[1] == ["main.yaml:1:10: include: expected a list of file names, found text"]


def test_a_main_file_that_is_a_link_includes_what_lies_beside_it(folder):
    (folder / "..data").mkdir()
    (folder / "..data" / "main.yaml").write_text("include: [a.yaml]")
    (folder / "..data" / "a.yaml").write_text("tools: {x: {}}")
    for name in ("main.yaml", "a.yaml"):
        (folder / name).symlink_to(folder / "..data" / name)
    found, problems = loaded(folder / "main.yaml")
    assert problems == []
    assert list(found.document["tools"]) == ["x"]


def test_a_main_file_that_cannot_be_read_is_one_sentence(folder):
    assert loaded(folder.relative_to(folder) / "none.yaml") == (None, ["none.yaml:1:1: there is no such file"])
    (folder / "bad.yaml").write_text("a: [")
    found, problems = loaded(folder / "bad.yaml")
    assert found is None
    assert len(problems) == 1


def test_every_broken_file_has_its_own_sentence_and_the_rest_is_read(folder):
    path = write(folder, main="include: [a.yaml, b.yaml, c.yaml]\n", a="x: [", b="'", c="tools: {x: {}}")
    found, problems = loaded(path.relative_to(folder))
    assert [problem.split(":")[0] for problem in problems] == ["a.yaml", "b.yaml"]
    assert list(found.document["tools"]) == ["x"]
    assert not found.whole


def test_files_are_bounded_in_number_and_together(folder, monkeypatch):
    monkeypatch.setattr(loader, "MAX_FILES", 3)
    path = write(folder, main="include: ['p/*.yaml']\n", **{f"p__{n}": "tools: {}" for n in range(9)})
    assert "a registry is at most 3 files" in loaded(path)[1][0]
    monkeypatch.setattr(loader, "MAX_TOTAL", 40)
    path.write_text("include: [a.yaml]")
    write(folder, a="tools: {}" + " " * 40)
    assert "larger than 23 bytes" in loaded(path)[1][0]


def test_folders_that_patterns_look_into_are_followed(folder):
    (folder / "tour").mkdir()
    path = write(folder, main="include: ['tour/*.yaml', gone.yaml]\n")
    found, _ = loaded(path)
    assert {folder / "tour", folder / "gone.yaml", path} == set(found.paths)


def test_a_bundle_loads_to_the_same_as_its_files(folder):
    path = write(folder, main="include: ['*.yaml']\ntools: {a: {}}\n", b="tools: {b: {}}\ninclude: [sub/c.yaml]", sub__c="tools: {c: {}}")
    found, _ = loaded(path)
    problems = []
    again = load_bundle(found.files, problems)
    assert problems == []
    assert again.document == found.document
    assert list(again.document["tools"]) == list(found.document["tools"])
    assert version(again.files) == version(found.files)
    assert str(locate(again.document, ["tools", "c"])) == "sub/c.yaml:1:12"
    assert str(locate(load_bundle(found.files, [], "/x").document, ["tools", "c"])) == "/x/sub/c.yaml:1:12"
    assert load_bundle({"a.yaml": b"["}, problems) is None


def test_a_version_is_told_by_every_name_and_byte():
    files = {"a": b"1", "b": b"2"}
    versions = {version(files), version({"a": b"12", "b": b""}), version({"a": b"1", "c": b"2"}), version({"a": b"1"})}
    assert len(versions) == 4
    assert version(files) == version(dict(reversed(files.items())))
    assert all(len(text) == 12 and int(text, 16) >= 0 for text in versions)
