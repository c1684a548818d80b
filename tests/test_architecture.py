"""The drawing of docs/design.md, executable: who may import whom, and how large a thing may grow."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
OURS: Final = ("bgp", "fsm", "rib")
#: The ladder inside `bgp`: each rung imports only rungs before it, and `fsm` and `rib`. Names in one row share a rung.
LADDER: Final = (
    ("iana",),
    ("error",),
    ("attribute", "capability", "options"),
    ("message",),
    ("text", "wire"),
    ("session",),
    ("net",),
    ("aio",),
    ("topology",),
    ("lab",),
    ("testing",),
    ("app",),
    ("__main__",),
)
RUNG: Final = {name: place for place, names in enumerate(LADDER) for name in names}
#: The engines have no clock, no sockets and no randomness: these modules would bring one in.
IMPURE: Final = {"time", "asyncio", "random", "select", "selectors", "threading", "subprocess", "os"}
#: Who may ask the package itself for a name: a message for its octets, as the library's contract has it.
ASKS_THE_PACKAGE: Final = {"bgp.message"}
#: Where trio may be imported: from `bgp/net` on.
ON_TRIO: Final = {"net", "aio", "lab", "testing", "app", "__main__"}
CONSTANT: Final = re.compile(r"_?[A-Z][A-Z0-9_]+")
LONGEST_FILE: Final = 450
LONGEST_FUNCTION: Final = 60
#: The walk over a block's attributes is the hot path (design, section 2): a call for each attribute costs a tenth of it.
LONG_FUNCTIONS: Final = {"bgp.wire.block.read_any": 75}
#: Tables may be longer than a file should be (style: "Cap 400 lines (tables may be longer)").
TABLES: Final[frozenset[str]] = frozenset({"bgp/iana.py"})


def sources() -> Iterator[Path]:
    for package in OURS:
        yield from sorted((ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES: Final = {module_name(path): ast.parse(path.read_text()) for path in sources()}


def imported(module: str) -> Iterator[tuple[str, ast.stmt | ast.expr]]:
    """What a module imports, type-checking blocks and `import_module` included; of a package, the submodule meant."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}:{node.lineno}: a relative import"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner if inner in TREES else node.module), node
        else:
            match node:
                case ast.Call(ast.Name("import_module"), [ast.Constant(str(name)), *_]):
                    yield name, node


def rung(module: str) -> int | None:
    """The place on the ladder; None for the package `bgp` itself, whose `__init__` only names things."""
    parts = module.split(".")
    return RUNG[parts[1]] if len(parts) > 1 else None


@pytest.mark.parametrize("module", TREES)
def test_imports_go_one_way(module: str) -> None:
    package = module.partition(".")[0]
    for name, node in imported(module):
        top = name.partition(".")[0]
        where = f"{module}:{node.lineno} imports {name}"
        if package in ("fsm", "rib"):
            assert top == package or (top in sys.stdlib_module_names and top not in IMPURE), where
            continue
        if top == "construct":
            assert module.startswith("bgp.wire"), where
        if top in ("trio", "outcome"):
            assert len(module.split(".")) > 1, where
            assert module.split(".")[1] in ON_TRIO, where
        assert top not in ("tests", "bench", "fuzz", "examples", "docs"), where
        if name == "bgp" and module in ASKS_THE_PACKAGE:
            continue
        if top == "bgp":
            own, other = rung(module), rung(name)
            assert own is None or (other is not None and other <= own), where
            if own is not None and module.split(".")[1] != name.split(".")[1]:
                assert other is not None and other < own, f"{where}: the two share a rung"  # noqa: PT018


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {
        module: {name for name, _ in imported(module) if name in TREES and name not in (module, *OURS)}
        for module in TREES
        if module not in OURS
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"an import cycle: {' → '.join(error.args[1])}")


#: Packages whose public names are loaded when they are asked for.
LAZY: Final = ("bgp", "bgp.net", "bgp.wire", "fsm", "rib")


@pytest.mark.parametrize("package", LAZY)
def test_a_public_name_is_where_the_type_checker_sees_it(package: str) -> None:
    seen = {
        alias.name: node.module
        for node in ast.walk(TREES[package])
        if isinstance(node, ast.ImportFrom) and node.module not in ("importlib", "typing")
        for alias in node.names
    }
    module = importlib.import_module(package)
    assert seen == module._HOMES
    assert sorted(seen) == sorted(module.__all__)
    for name, home in seen.items():
        assert getattr(module, name) is getattr(importlib.import_module(str(home)), name)
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match="no_such_name"):
        module.no_such_name  # noqa: B018


def functions(module: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("module", TREES)
def test_imports_are_at_the_top(module: str) -> None:
    for function in functions(module):
        for node in ast.walk(function):
            assert not isinstance(node, ast.Import | ast.ImportFrom), f"{module}:{node.lineno} in {function.name}"


@pytest.mark.parametrize("module", TREES)
def test_functions_fit_on_a_screen(module: str) -> None:
    for function in functions(module):
        assert function.end_lineno is not None
        length = function.end_lineno - function.lineno + 1
        longest = LONG_FUNCTIONS.get(f"{module}.{function.name}", LONGEST_FUNCTION)
        assert length <= longest, f"{module}.{function.name} has {length} lines"


@pytest.mark.parametrize("module", TREES)
def test_constants_are_final(module: str) -> None:
    for node in TREES[module].body:
        match node:
            case ast.Assign([ast.Name(name)]):
                assert not CONSTANT.fullmatch(name), f"{module}:{node.lineno}: {name} is not Final"
            case ast.AnnAssign(ast.Name(name), annotation) if CONSTANT.fullmatch(name):
                assert ast.unparse(annotation).startswith("Final"), f"{module}:{node.lineno}: {name} is not Final"


def test_files_are_about_one_thing() -> None:
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()}
    too_long = {name: lines for name, lines in long.items() if lines > LONGEST_FILE and name not in TABLES}
    assert not too_long


@pytest.mark.parametrize("module", TREES)
def test_modules_say_what_they_are_for(module: str) -> None:
    assert ast.get_docstring(TREES[module]), f"{module} has no docstring"


def test_the_pure_half_does_not_import_trio() -> None:
    seen: set[str] = set()
    todo = ["bgp", "fsm", "rib"]
    while todo:
        module = todo.pop()
        for name, node in imported(module):
            assert name.partition(".")[0] != "trio", f"{module}:{node.lineno}"
            if name in TREES and name not in seen:
                seen.add(name)
                todo.append(name)
