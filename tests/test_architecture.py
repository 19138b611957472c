"""The arrows of HACKING.md's map: who may include or import whom, and how long a file may be."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEADERS = ROOT / "cpp" / "include" / "ganglion"

# The units of the core from the bottom up. A unit includes units of lower levels and, from its .cpp, its own header.
LEVELS = (
    ("elementary", "matrix", "table"),
    ("arena", "balance", "error", "forward_trial", "kernel_set", "places", "random", "schedule", "unit_queues"),
    ("threads",),
    ("ahead", "dispatch", "host", "leaves", "orthogonal"),
    ("initializers", "metrics"),
    ("architecture", "blocked_product", "context", "feed", "matmul"),
    ("copying", "loss_fusion", "plan", "speed", "state"),
    ("optimizer", "team_trial"),
    ("workspace",),
    ("clipping", "dropout", "monitor", "normalization", "penalties"),
    ("rows", "tiles"),
    ("phases",),
    ("training",),
    ("device", "passes"),
    ("verdict",),
    ("worker",),
    ("preparation", "processor", "side_step"),
    ("run",),
)
LEVEL = {unit: level for level, units in enumerate(LEVELS) for unit in units}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
INTRINSICS = re.compile(r".*intrin\.h|arm_neon\.h")
# Headers without a function in them: nothing that a wide instruction set could leave behind for other callers.
DECLARATIONS_ONLY = {"stddef.h", "stdint.h"}

LONGEST_FILE = 400
SOURCE_SUFFIXES = {".py", ".hpp", ".cpp", ".inl", ".cmake"}


def includes(path):
    """The included names of a file as (is_quoted, name)."""
    return [(quote == '"', name) for quote, name in INCLUDE.findall(path.read_text(encoding="utf-8"))]


def forbidden_includes(path, kind):
    """What a file of the given kind (core, kernel, binding) includes and must not."""
    allowed = {"core": core_may_include, "kernel": kernel_may_include, "binding": binding_may_include}[kind]
    return [name for quoted, name in includes(path) if not allowed(path, quoted, name)]


def core_may_include(path, quoted, name):
    if INTRINSICS.fullmatch(name):
        return path.name == "threads.cpp"  # the rounding mode, and a pause while spinning
    if not quoted:
        return not name.startswith(("pybind11", "Python.h", "numpy"))
    if not name.startswith("ganglion/"):
        return False
    unit, other = path.stem, name.removeprefix("ganglion/").removesuffix(".hpp")
    own_header = other == unit and path.suffix == ".cpp"
    return own_header or (other in LEVEL and LEVEL[other] < LEVEL[unit])


def kernel_may_include(path, quoted, name):
    if path.suffix == ".inl":
        return False  # their text lands inside a namespace
    if not quoted:
        return name in DECLARATIONS_ONLY or INTRINSICS.fullmatch(name) is not None
    return name == "ganglion/kernel_set.hpp" or (name.endswith(".inl") and "/" not in name)


def binding_may_include(path, quoted, name):
    return not INTRINSICS.fullmatch(name) and not name.endswith(".inl")


def core_files():
    return sorted([*HEADERS.glob("*.hpp"), *(ROOT / "cpp" / "src").glob("*.cpp")])


def kernel_files():
    return sorted(path for path in (ROOT / "cpp" / "kernels").iterdir() if path.suffix in {".cpp", ".inl", ".hpp"})


def binding_files():
    return sorted(path for path in (ROOT / "cpp" / "bindings").iterdir() if path.suffix in {".cpp", ".hpp"})


def python_files():
    return sorted((ROOT / "python").rglob("*.py"))


def relative(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", core_files(), ids=relative)
def test_core_includes_point_down(path):
    assert path.stem in LEVEL, f"{path.name} has no place in LEVELS: give it the lowest level that its includes allow"
    assert forbidden_includes(path, "core") == []


@pytest.mark.parametrize("path", kernel_files(), ids=relative)
def test_kernels_include_their_contract_and_intrinsics_only(path):
    assert forbidden_includes(path, "kernel") == []


@pytest.mark.parametrize("path", binding_files(), ids=relative)
def test_bindings_know_no_instruction_set(path):
    assert forbidden_includes(path, "binding") == []


def test_every_level_has_its_files():
    units = {path.stem for path in core_files()}
    assert set(LEVEL) == units


@pytest.mark.parametrize(
    ("kind", "file", "text"),
    [
        ("core", "matmul.cpp", '#include "ganglion/run.hpp"'),
        ("core", "matmul.hpp", '#include "ganglion/matmul.hpp"'),
        ("core", "matmul.cpp", '#  include "ganglion/unknown.hpp"'),
        ("core", "matmul.cpp", '#include "../kernels/matmul.inl"'),
        ("core", "matmul.cpp", "#include <immintrin.h>"),
        ("core", "matmul.cpp", "#include <xmmintrin.h>"),
        ("core", "matmul.cpp", "#include <pybind11/numpy.h>"),
        ("kernel", "avx2.cpp", "#include <vector>"),
        ("kernel", "avx2.cpp", '#include "ganglion/arena.hpp"'),
        ("kernel", "matmul.inl", '#include "functions.inl"'),
        ("binding", "module.cpp", "#include <immintrin.h>"),
    ],
)
def test_a_forbidden_include_is_found(tmp_path, kind, file, text):
    path = tmp_path / file
    path.write_text(f"#pragma once\n{text}\n")
    assert len(forbidden_includes(path, kind)) == 1


def imported_modules(path, package):
    """Absolute names of the modules that a file imports anywhere, from-imports with what they take."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            names.update(f"{module}.{alias.name}" for alias in node.names)
    return names


def package_of(path):
    return ".".join(path.relative_to(ROOT / "python").parent.parts)


def is_or_is_inside(name, module):
    return name == module or name.startswith(module + ".")


def foreign_to_reference(names):
    """Imports that a file of ganglion.reference must not have: all but NumPy, the standard library and its siblings."""
    return sorted(
        name
        for name in names
        if not is_or_is_inside(name, "numpy")
        and not is_or_is_inside(name, "ganglion.reference")
        and name.split(".")[0] not in sys.stdlib_module_names
    )


@pytest.mark.parametrize("path", python_files(), ids=relative)
def test_only_native_imports_the_compiled_module(path):
    core = {name for name in imported_modules(path, package_of(path)) if "_ganglion_core" in name.split(".")}
    assert not core or path.name == "_native.py"


@pytest.mark.parametrize("path", sorted((ROOT / "python" / "ganglion" / "reference").glob("*.py")), ids=relative)
def test_reference_imports_numpy_only(path):
    assert foreign_to_reference(imported_modules(path, "ganglion.reference")) == []


@pytest.mark.parametrize(
    "text",
    [
        "import ganglion",
        "from ganglion import losses",
        "from .. import losses",
        "from ..losses import MSE",
        "import scipy.special",
    ],
)
def test_a_foreign_import_in_reference_is_found(tmp_path, text):
    path = tmp_path / "dense.py"
    path.write_text(f"import numpy as np\nfrom . import losses\n\ndef f():\n    {text}\n")
    assert len(foreign_to_reference(imported_modules(path, "ganglion.reference"))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "import ganglion._ganglion_core",
        "from ganglion import _ganglion_core",
        "from ._ganglion_core import Network",
        "from . import _ganglion_core",
    ],
)
def test_an_import_of_the_compiled_module_is_found(tmp_path, text):
    path = tmp_path / "trainer.py"
    path.write_text(text)
    assert "_ganglion_core" in ".".join(imported_modules(path, "ganglion")).split(".")


def source_files():
    folders = ("cpp", "cmake", "python", "tests", "bench", "examples")
    files = (path for folder in folders for path in (ROOT / folder).rglob("*"))
    return sorted(path for path in files if path.suffix in SOURCE_SUFFIXES)


def is_too_long(path):
    return len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_FILE


def test_no_file_is_longer_than_a_reader_bears():
    assert [relative(path) for path in source_files() if is_too_long(path)] == []


def test_a_long_file_is_found(tmp_path):
    path = tmp_path / "long.py"
    path.write_text("x = 1\n" * (LONGEST_FILE + 1))
    assert is_too_long(path)
