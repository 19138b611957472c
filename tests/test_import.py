"""What ``import ganglion`` brings with it, and what comes when it is asked for."""

import ast
import inspect
import pickle
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import ganglion as gg

MODULES = {name for name in gg.__all__ if inspect.ismodule(getattr(gg, name))}
# What a program that trains and predicts has no use for: commands, files, pictures, reports.
FOREIGN = {"argparse", "csv", "difflib", "gzip", "hashlib", "json", "tempfile"}
OPTIONAL = {"keras", "matplotlib", "pandas", "polars", "safetensors", "scipy", "sklearn", "threadpoolctl", "torch"}
LATE = {
    *("atomic_file", "benchmark", "callbacks", "checkpoint", "cli", "criteria", "data", "demo", "functional"),
    *("modules", "nn", "optim", "plotting", "preflight.examination", "preflight.trials", "reference", "results"),
    *("safetensors", "self_test", "tensorboard", "verification", "watching"),
}
TRAINS = """
model = ganglion.Sequential(ganglion.Dense(2, activation="relu", input_shape=(3,)), ganglion.Dense(2))
trainer = ganglion.Trainer(model, "cross_entropy", ganglion.Adam(0.01), metrics=["accuracy"])
trainer.fit(numpy.eye(3), [0, 1, 1], epochs=2, verbose=0)
model.predict(numpy.eye(3))
"""


def loaded_by(program):
    """The modules that a program loads in a new process, beyond those that NumPy does."""
    listed = "\nprint(*sorted(set(sys.modules) - before))"
    return set(printed_by("import sys, numpy\nbefore = set(sys.modules)\n" + program + listed).split())


def printed_by(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_the_import_brings_the_core_and_nothing_else():
    core = {"ganglion._native", "ganglion._ganglion_core", "ganglion._ganglion_core.operations"}
    assert loaded_by("import ganglion") == {"__future__", "ganglion", *core}


def test_what_trains_leaves_out_files_pictures_and_commands():
    loaded = loaded_by("import ganglion\n" + TRAINS)
    assert {"ganglion.trainer", "ganglion.sequential", "ganglion.optimizers"} <= loaded
    assert loaded.isdisjoint({*FOREIGN, *OPTIONAL, *(f"ganglion.{name}" for name in LATE)})
    others = {name.split(".")[0] for name in loaded} - {"_ganglion_core", "ganglion", "numpy"}
    assert others <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("use", "module"),
    [("callbacks", "csv"), ("callbacks", "pathlib"), ("load", "json"), ("load", "ganglion.checkpoint")],
)
def test_what_is_left_out_comes_when_it_is_asked_for(use, module):
    assert module in loaded_by(f"import ganglion; ganglion.{use}")


@pytest.mark.parametrize("name", sorted(LATE))
def test_what_is_left_out_exists(name):
    assert inspect.ismodule(import_module(f"ganglion.{name}"))


def test_every_name_is_its_modules():
    assert set(gg.__all__) == MODULES | gg.ORIGIN.keys() | {"__version__"}
    for name in MODULES:
        assert getattr(gg, name) is import_module(f"ganglion.{name}")
    for name, module in gg.ORIGIN.items():
        assert getattr(gg, name) is getattr(import_module(f"ganglion.{module}"), name)


def test_type_checkers_find_every_name_where_it_is():
    text = Path(gg.__file__).read_text(encoding="utf-8")
    branches = [node for node in ast.parse(text).body if isinstance(node, ast.If)]
    imports = [node for branch in branches for node in branch.body if isinstance(node, ast.ImportFrom)]
    shown = {(node.module, alias.name) for node in imports for alias in node.names}
    assert shown == {(f"ganglion.{module}", name) for name, module in gg.ORIGIN.items()} | {
        ("ganglion", name) for name in MODULES
    }


def test_names_are_listed_before_they_are_used():
    listed = printed_by("import ganglion; print(*dir(ganglion)); help(ganglion)").split("\n")[0].split()
    assert set(gg.__all__) <= set(listed)


def test_a_module_does_not_hide_a_name():
    for module in pkgutil.iter_modules(gg.__path__):
        if module.name != "__main__":
            import_module(f"ganglion.{module.name}")
    assert [name for name in gg.ORIGIN if inspect.ismodule(getattr(gg, name))] == []


def test_every_module_can_be_reached():
    assert gg.trainer is sys.modules["ganglion.trainer"]
    assert printed_by("import ganglion; print(ganglion.trainer.Trainer is ganglion.Trainer)") == "True\n"


def test_threads_may_ask_at_once():
    """Names of modules that import one another in any order, each for the first time."""
    program = """
import random, sys, threading
import ganglion
sys.setswitchinterval(1e-6)
names = random.sample(list(ganglion.ORIGIN), len(ganglion.ORIGIN))
begin, found = threading.Barrier(8), []

def ask(thread):
    begin.wait()
    for name in names[thread::8]:
        found.append(getattr(ganglion, name) is not None)

threads = [threading.Thread(target=ask, args=(thread,)) for thread in range(8)]
for each in threads: each.start()
for each in threads: each.join()
print(found == [True] * len(names))
"""
    assert printed_by(program) == "True\n"


def test_what_a_pickle_needs_is_imported():
    packed = pickle.dumps([gg.Dense(3, gg.ELU(0.5)), gg.OneCycle(0.1, 9)])
    assert printed_by(f"import pickle; print(pickle.loads({packed!r}))").strip() == repr(pickle.loads(packed))


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match=r"^module 'ganglion' has no attribute 'Dence': did you mean 'Dense'\?$"):
        gg.Dence  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Dence' from 'ganglion'"):
        exec("from ganglion import Dence")
    assert not hasattr(gg, "__wrapped__")


def test_a_module_that_fails_to_import_is_not_called_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "csv", None)
    monkeypatch.delitem(sys.modules, "ganglion.callbacks")
    monkeypatch.delattr(gg, "callbacks")
    with pytest.raises(ModuleNotFoundError, match="csv"):
        gg.callbacks  # noqa: B018
