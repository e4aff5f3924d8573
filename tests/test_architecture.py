"""The rooms stay rooms: imports point left, modules are explained, functions short."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import kopslint

PACKAGE = Path(kopslint.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# The rooms in the order in which they stand on each other: a room knows those before it
# that are named here. Errors, records and findings are words that every room may use.
WORDS = {"kopslint", "budget", "errors", "findings", "records", "text"}
TEXT = {"inputs", "syntax", "gotemplate", "shell", "notations"}
MEANING = TEXT | {"kops", "commands", "change", "observed"}
ROOMS: dict[str, set[str]] = {
    "kopslint": set(),
    "records": set(),
    "budget": set(),
    "text": {"records"},
    "errors": {"text"},
    "findings": {"text", "records"},
    "inputs": WORDS,
    "syntax": WORDS,
    "gotemplate": WORDS,
    "shell": WORDS | {"inputs"},
    "notations": WORDS | {"inputs", "syntax", "shell"},
    "kops": WORDS | TEXT,
    "commands": WORDS | TEXT | {"kops"},
    "change": WORDS | TEXT | {"kops"},
    "discovery": WORDS | TEXT | {"kops"},
    "observed": WORDS | TEXT | {"kops"},
    "model": WORDS | MEANING,
    "checks": WORDS | MEANING | {"model"},
    "rulebook": WORDS | TEXT,
    "config": WORDS | TEXT | {"kops", "rulebook", "discovery"},
    "suppress": WORDS | TEXT | {"rulebook"},
    "planner": WORDS | MEANING | {"model", "checks"},
    "report": WORDS | {"inputs"},
    "engine": WORDS
    | MEANING
    | {"model", "checks", "rulebook", "suppress", "config", "planner"},
    "cli": WORDS
    | MEANING
    | {"model", "config", "rulebook", "suppress", "planner", "report", "engine"}
    | {"discovery"},
    "__main__": WORDS | {"cli"},
}

LONGEST = 100
"""Lines of the body of one function, its docstring included."""

KNOWN = {
    ".".join(["kopslint", *path.relative_to(PACKAGE).with_suffix("").parts])
    for path in MODULES
}


def room_of(module: str) -> str:
    """The room of a dotted module name."""
    return [*module.split("."), ""][1] or "kopslint"


def name_of(path: Path) -> str:
    parts = ["kopslint", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(part for part in parts if part != "__init__")


def imported(tree: ast.Module) -> set[str]:
    """The kopslint modules that a module imports, for types only or not."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            if node.module == "kopslint":
                names.update(
                    f"kopslint.{alias.name}"
                    if (PACKAGE / alias.name).exists()
                    or (PACKAGE / f"{alias.name}.py").exists()
                    else "kopslint"
                    for alias in node.names
                )
            else:
                names.add(node.module)
    return {name for name in names if name.split(".")[0] == "kopslint"}


def test_every_room_is_named_in_the_order() -> None:
    """A new folder has to say what it may know before it can be used."""
    assert {room_of(name_of(path)) for path in MODULES} <= set(ROOMS)


def test_the_order_has_no_circle_between_rooms() -> None:
    """Rooms can be sorted so that imports only point left."""
    left = {room: may - {room} for room, may in ROOMS.items()}
    placed: set[str] = set()
    while ready := {room for room, may in left.items() if may & set(left) <= placed}:
        placed |= ready
        left = {room: may for room, may in left.items() if room not in ready}

    assert left == {}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_left(path: Path) -> None:
    """A module imports only from its own room and from rooms left of it."""
    room = room_of(name_of(path))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    allowed = ROOMS[room] | {room}

    strangers = {name for name in imported(tree) if room_of(name) not in allowed}

    assert strangers == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    """Every module has a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))

    assert ast.get_docstring(tree), "the module has no docstring"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_functions_fit_on_a_screen(path: Path) -> None:
    """A module is as long as its subject; what a reader holds at once is a function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    long = {
        f"{node.name}: {length}"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and (length := (node.end_lineno or 0) - node.body[0].lineno + 1) > LONGEST
    }

    assert long == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_records_are_those_that_cost_nothing_to_define(path: Path) -> None:
    """Only the module that makes them knows what they stand for."""
    if path == PACKAGE / "records.py":
        return
    text = path.read_text(encoding="utf-8")

    assert "NamedTuple" not in text
    assert "import dataclass" not in text


def test_no_module_stands_in_a_circle() -> None:
    """No circle of imports, whether on top, inside functions or for types only."""
    modules = {name_of(path): path for path in MODULES}
    left = {
        name: (imported_modules(path) & modules.keys()) - {name}
        for name, path in modules.items()
    }
    while ready := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in ready:
            del left[name]

    assert left == {}


def imported_modules(path: Path) -> set[str]:
    """The modules that one imports, also as names of their packages."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= inner & KNOWN or {node.module}
    return names
