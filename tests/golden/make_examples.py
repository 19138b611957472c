"""Stores what the examples print, as the text that they must print from then on, on every machine.

    python tests/golden/make_examples.py [NUMBER OR NAME ...]

runs all scripts of examples/, or those whose names begin so, quick and in full, shows what has changed, and rewrites
tests/golden/examples. MNIST, which some take in full, is looked for as in tests/conftest.py.
"""

import difflib
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import example_scripts as examples


def mnist_folder():
    """Where MNIST lies."""
    return Path(os.environ.get("GANGLION_MNIST", examples.ROOT.parent / "shared" / "data" / "mnist"))


def store(script, *, quick):
    """Run a script; keep and show what it prints."""
    mnist = mnist_folder() if examples.reads_mnist(script) and not quick else None
    path = examples.golden(script, quick=quick)
    with tempfile.TemporaryDirectory() as pictures:
        text = examples.run(script, pictures, quick=quick, mnist=mnist)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    for line in difflib.unified_diff(before.splitlines(), text.splitlines(), path.name, path.name, lineterm=""):
        print(line)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    examples.GOLDEN.mkdir(parents=True, exist_ok=True)
    for script in examples.SCRIPTS:
        if not sys.argv[1:] or script.name.startswith(tuple(sys.argv[1:])):
            store(script, quick=True)
            store(script, quick=False)
