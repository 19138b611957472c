"""The first import of each library in a fresh interpreter."""

import pytest

from ganglion.benchmark.imports import IMPORTS, import_once
from timed import ROUNDS, clock


@pytest.mark.parametrize("name", IMPORTS)
def test_import(benchmark, name):
    if import_once(name) is None:
        pytest.skip(f"{IMPORTS[name][-1]} fails")
    benchmark.group = "import"
    benchmark.pedantic(lambda: clock.add(import_once(name)), rounds=ROUNDS)
