"""What runs here: shown, forced by call and by environment."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest

import ganglion as gg
from ganglion import _native, machine

NAMES = [row.name for row in _native.kernel_sets()]
SUPPORTED = [row.name for row in _native.kernel_sets() if row.supported]


@pytest.fixture(autouse=True)
def _the_asked_set_again():
    yield
    gg.use_kernel_set(None)


def test_info():
    info = gg.info()
    assert info.version == gg.__version__
    assert list(info.kernel_sets) == NAMES
    assert info.kernel_set in SUPPORTED
    assert info.threads == _native.default_team() >= 1
    assert info.numpy == np.__version__
    with pytest.raises(dataclasses.FrozenInstanceError):
        info.threads = 3
    lines = str(info).splitlines()
    assert lines[0] == f"ganglion {gg.__version__}"
    assert f"  threads     {info.threads}" in lines
    assert f"{info.kernel_set} (in use)" in lines[2]


def test_info_marks_what_is_missing():
    info = dataclasses.replace(
        gg.info(), kernel_sets={"avx512": False, "avx2": True, "scalar": True}, kernel_set="avx2"
    )
    assert "  kernel sets avx512 (not on this machine), avx2 (in use), scalar" in str(info).splitlines()


@pytest.mark.parametrize("name", SUPPORTED)
def test_use_kernel_set(name):
    gg.use_kernel_set(name)
    assert gg.info().kernel_set == name
    trainer = gg.Trainer(gg.Sequential(gg.Dense(2)), "cross_entropy")
    assert trainer.fit(np.eye(3), [0, 1, 0], verbose=0).report.kernel_set == name


def test_the_set_of_earlier_calls_does_not_stay():
    for name in [*SUPPORTED, *reversed(SUPPORTED)]:
        gg.use_kernel_set(name)
        assert [machine.context(threads).kernel_set for threads in (None, 1, None)] == [name] * 3


def test_none_is_the_machine_s_best(monkeypatch):
    monkeypatch.delenv(machine.VARIABLE, raising=False)
    gg.use_kernel_set("scalar")
    gg.use_kernel_set(None)
    assert gg.info().kernel_set == SUPPORTED[0]


def test_an_unknown_kernel_set_lists_the_known_ones(monkeypatch):
    before = gg.info().kernel_set
    with pytest.raises(ValueError, match="avx1024.*" + ".*".join(NAMES)):
        gg.use_kernel_set("avx1024")
    assert gg.info().kernel_set == before
    monkeypatch.setenv(machine.VARIABLE, "avx1024")
    gg.use_kernel_set(None)
    with pytest.raises(ValueError, match="^the environment variable GANGLION_ISA: .*avx1024.*" + ".*".join(NAMES)):
        gg.info()


@pytest.mark.parametrize("name", [3, b"avx2", ["avx2"], True])
def test_a_kernel_set_has_a_string_for_a_name(name):
    before = gg.info().kernel_set
    with pytest.raises(TypeError, match=r"name must be a string like 'avx2', or None; given .* of type "):
        gg.use_kernel_set(name)
    assert gg.info().kernel_set == before


@pytest.mark.skipif(len(SUPPORTED) == len(NAMES), reason="this machine has every kernel set")
def test_a_kernel_set_that_the_machine_lacks(monkeypatch):
    lacking = next(name for name in NAMES if name not in SUPPORTED)
    with pytest.raises(RuntimeError, match=lacking):
        gg.use_kernel_set(lacking)
    monkeypatch.setenv(machine.VARIABLE, lacking)
    gg.use_kernel_set(None)
    with pytest.raises(RuntimeError, match=f"^the environment variable GANGLION_ISA: .*{lacking}"):
        gg.info()


@pytest.mark.parametrize("name", [*SUPPORTED, ""])
def test_the_environment_chooses(name, monkeypatch):
    monkeypatch.setenv(machine.VARIABLE, name)
    gg.use_kernel_set(None)
    assert gg.info().kernel_set == (name or SUPPORTED[0])


def in_a_new_process(program, **environment):
    environment = {key: value for key, value in os.environ.items() if key not in SPIN} | environment
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()


SPIN = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY", machine.VARIABLE}


@pytest.mark.parametrize("given", [{}, {"GOMP_SPINCOUNT": "77"}, {"OMP_WAIT_POLICY": "passive"}])
def test_the_environment_is_left_as_it_was(given):
    shown = "f'{key}={os.environ[key]}' for key in ('GOMP_SPINCOUNT', 'OMP_WAIT_POLICY') if key in os.environ"
    program = f"import os, ganglion; print(*({shown}))"
    assert in_a_new_process(program, **given) == [f"{key}={value}" for key, value in given.items()]


def test_a_wrong_environment_is_an_error_of_the_first_use_not_of_the_import():
    program = (
        "import ganglion\n"
        "try:\n    ganglion.info()\n"
        "except ValueError as error:\n    print(type(error).__name__)\n"
        "ganglion.use_kernel_set('scalar')\nprint(ganglion.info().kernel_set)"
    )
    assert in_a_new_process(program, GANGLION_ISA="mmx") == ["ValueError", "scalar"]
