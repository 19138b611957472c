"""What all tests share: where MNIST lies, and a header that says what the tests ran on."""

import os
import signal
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure():
    # A shell starts a background job with SIGINT ignored; then a test of Ctrl-C would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header():
    try:
        import ganglion
    except ImportError as error:
        return f"ganglion cannot be imported: {error}"
    return str(ganglion.info())


@pytest.fixture(scope="session")
def mnist_folder():
    """The folder with the four IDX files of MNIST: GANGLION_MNIST, else ../shared/data/mnist beside the checkout."""
    folder = Path(os.environ.get("GANGLION_MNIST", ROOT.parent / "shared" / "data" / "mnist"))
    if not folder.is_dir():
        pytest.skip(f"no MNIST in {folder}: set GANGLION_MNIST to the folder of its IDX files")
    return folder
