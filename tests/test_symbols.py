"""Kernel objects export one symbol each, and loading the module leaves the process's floating-point mode alone.

The objects come from the build folder that an install leaves in build/, or from the one that GANGLION_BUILD names.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
KERNELS = sorted(path.stem for path in (ROOT / "cpp" / "kernels").glob("*.cpp"))
NM = shutil.which("nm")
COMPILER = shutil.which(os.environ.get("CXX", "c++"))

# Undefined symbols a kernel may have: what GCC itself calls for copies and fills, and the linker's own table.
RUNTIME = {"memcpy", "memset", "memmove", "_GLOBAL_OFFSET_TABLE_"}


def symbols(path):
    """The (letter, demangled name) pairs of an object file, local ones left out."""
    listing = subprocess.run([NM, "-C", path], capture_output=True, text=True, check=True).stdout
    pairs = re.findall(r"^[0-9a-f ]+ ([A-Za-z]) (.+)$", listing, re.MULTILINE)
    return [(letter, name) for letter, name in pairs if letter.isupper() or letter in "uvw"]


def faults(path, kernel):
    """What the object of a kernel set defines or needs and must not."""
    exported = f"ganglion::{kernel}_kernels"
    return [
        f"{letter} {name}"
        for letter, name in symbols(path)
        if not (letter in "RD" and name == exported) and not (letter == "U" and name in RUNTIME)
    ]


def built_folder():
    """The latest build folder without sanitizers, or None."""
    named = os.environ.get("GANGLION_BUILD")
    caches = Path(named or ROOT / "build").rglob("CMakeCache.txt")
    plain = [cache for cache in caches if "GANGLION_SANITIZE:STRING=\n" in cache.read_text()]
    built = [cache.parent for cache in plain if any(cache.parent.glob("_ganglion_core*.so"))]
    if named and not built:
        pytest.fail(f"GANGLION_BUILD={named} holds no build of _ganglion_core")
    return max(built, key=lambda folder: folder.stat().st_mtime, default=None)


@pytest.fixture(scope="module")
def build():
    folder = built_folder()
    if folder is None:
        pytest.skip("no build folder: install from the checkout, or name one with GANGLION_BUILD")
    return folder


@pytest.mark.skipif(NM is None, reason="needs nm")
@pytest.mark.parametrize("kernel", KERNELS)
def test_a_kernel_object_exports_its_set_and_nothing_else(build, kernel):
    (path,) = build.glob(f"**/ganglion_kernels_{kernel}.dir/**/{kernel}.cpp.o")
    assert faults(path, kernel) == []
    assert [name for letter, name in symbols(path) if letter in "RD"] == [f"ganglion::{kernel}_kernels"]


@pytest.mark.skipif(NM is None or COMPILER is None, reason="needs a compiler")
@pytest.mark.parametrize(
    "text",
    [
        "inline float shared(float x) { return x + 1; } extern const Set k; const Set k = {shared};",
        "template <class T> T shared(T x) { return x + 1; } float (*p)(float) = shared<float>;",
        "float helper(float x) { return x + 1; }",
        "static float f(float x) { return __builtin_fmaf(x, x, x); } Set wrong_name = {f};",
        "static float f(float x) { return __builtin_expf(x); } extern const Set scalar_kernels, scalar_kernels = {f};",
    ],
)
def test_a_second_symbol_or_a_libm_call_is_found(tmp_path, text):
    source, target = tmp_path / "scalar.cpp", tmp_path / "scalar.o"
    source.write_text("namespace ganglion { struct Set { float (*f)(float); };\n" + text + "\n}\n")
    subprocess.run([COMPILER, "-std=c++20", "-O2", "-fPIC", "-c", source, "-o", target], check=True)
    assert faults(target, "scalar") != []


def compilations(build):
    """The command of each C++ file of the build, by the file's path."""
    entries = json.loads((build / "compile_commands.json").read_text())
    return {Path(entry["file"]): shlex.split(entry["command"]) for entry in entries}


def test_no_file_is_compiled_with_flags_that_change_results(build):
    commands = compilations(build)
    assert {path.name for path in commands} == {path.name for path in (ROOT / "cpp").rglob("*.cpp")}
    for path, command in commands.items():
        assert "-ffp-contract=off" in command, path
        assert {"-ffast-math", "-Ofast", "-funsafe-math-optimizations"}.isdisjoint(command), path


def test_kernels_are_not_optimized_at_link_time(build):
    for path, command in compilations(build).items():
        if path.parent.name == "kernels":
            assert not [flag for flag in command if flag.startswith("-flto")], path
            assert {"-fno-exceptions", "-fno-rtti", "-fvisibility=hidden"} <= set(command), path


def test_denormals_survive_the_import_and_a_team_of_threads():
    # A library linked with -ffast-math flushes denormals to zero in whatever process loads it.
    program = """
import threading
import numpy as np

def halves():
    tiny = np.float64(1e-310), np.float32(1e-40)
    return [float(x * type(x)(0.5)) for x in tiny] + [float("1e-310") * 0.5]

before = halves()
assert all(before)
import ganglion as gg
assert halves() == before, "after the import"
model = gg.Sequential([gg.Dense(64, activation="relu", input_shape=(32,)), gg.Dense(3)], seed=0)
trainer = gg.Trainer(model, loss="cross_entropy", threads=3)
x = np.random.default_rng(0).standard_normal((1000, 32)).astype(np.float32)
trainer.fit(x, np.arange(1000) % 3, epochs=1, batch_size=300, verbose=0)
assert halves() == before, "in the thread that trained"
other = []
thread = threading.Thread(target=lambda: other.extend(halves()))
thread.start(); thread.join()
assert other == before, "in a new thread"
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
