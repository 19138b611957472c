"""Tests here are timed by the clock of `timed`; they need pytest-benchmark and run by ``pytest bench`` alone."""

from pathlib import Path

import pytest

from timed import clock


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.benchmark(timer=clock))
