"""The scripts of examples/ print the stored texts, on every machine, and draw their pictures."""

import re
import resource

import numpy as np
import pytest
from matplotlib import pyplot

from example_scripts import GOLDEN, ROOT, SCRIPTS, golden, pictures_of, reads_mnist, run

LONGEST = 120  # lines a beginner reads in one go
SECONDS = 20  # of a script in full, on two cores
WORD = re.compile(r"[A-Za-z]{4,}")

scripts = pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)


def is_blank(path):
    """Whether a picture shows next to nothing on its transparent ground."""
    pixels = pyplot.imread(path)
    inked = pixels[..., 3] > 0.2
    return inked.mean() < 0.01 or len(np.unique(pixels[inked], axis=0)) < 20


def check(script, folder, **how):
    """Run a script and compare what it prints with the stored text, and its pictures with those that it names."""
    text = run(script, folder, **how)
    assert text == golden(script, quick=how["quick"]).read_text(encoding="utf-8")
    assert {path.name for path in folder.iterdir()} == pictures_of(text)
    assert [path.name for path in folder.iterdir() if is_blank(path)] == []


@scripts
def test_quick(script, tmp_path):
    check(script, tmp_path, quick=True)


@scripts
@pytest.mark.slow
def test_in_full_and_in_time(script, tmp_path, request):
    mnist = request.getfixturevalue("mnist_folder") if reads_mnist(script) else None
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    check(script, tmp_path, quick=False, mnist=mnist, OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # the work of both cores, whatever else the machine does meanwhile
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2 * SECONDS


@scripts
@pytest.mark.slow
def test_on_another_machine(script, tmp_path):
    """One thread, another BLAS kernel, and none of what NumPy and ganglion chose for this CPU."""
    from numpy._core import _multiarray_umath as core

    chosen = [name for name in core.__cpu_dispatch__ if core.__cpu_features__.get(name)]
    plain = {"NPY_DISABLE_CPU_FEATURES": " ".join(chosen)} if chosen else {}
    plain |= {"GANGLION_ISA": "scalar", "OMP_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Nehalem"}
    check(script, tmp_path, quick=True, **plain)


@scripts
def test_a_script_is_short_and_says_what_it_teaches(script):
    text = script.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST
    introduction = text.split('"""')[1]
    assert len(WORD.findall(introduction)) >= 20
    assert "Try" in introduction


def test_stored_texts_belong_to_scripts():
    assert set(GOLDEN.iterdir()) == {golden(script, quick=quick) for script in SCRIPTS for quick in (True, False)}


def rows(page):
    """The rows of a Markdown table as (script linked to, the row's text)."""
    return re.findall(r"^\| \[[^\]]+\]\(([^)]+)\) \|(.*)\|$", page, re.MULTILINE)


def test_the_page_lists_each_script_with_its_pictures():
    found = rows((ROOT / "examples" / "README.md").read_text(encoding="utf-8"))
    assert [name for name, _ in found] == [script.name for script in SCRIPTS]
    for (_, row), script in zip(found, SCRIPTS, strict=True):
        assert pictures_of(row) == pictures_of(golden(script, quick=False).read_text(encoding="utf-8"))


def test_a_blank_picture_is_found(tmp_path):
    figure, axes = pyplot.subplots(facecolor="none")
    axes.axis("off")
    figure.savefig(tmp_path / "blank.png")
    axes.plot([0, 1], linewidth=30)
    figure.savefig(tmp_path / "line.png")
    pyplot.close(figure)
    assert is_blank(tmp_path / "blank.png")
    assert not is_blank(tmp_path / "line.png")


def test_a_failing_script_is_found(tmp_path):
    script = tmp_path / "00_wrong.py"
    script.write_text("raise SystemExit('no')\n")
    with pytest.raises(AssertionError, match=r"00_wrong.py ended with 1:\nno"):
        run(script, tmp_path, quick=True)
