"""How the scripts of examples/ are run, and where the text lies that they must print."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden" / "examples"
SCRIPTS = sorted(path for path in (ROOT / "examples").glob("*.py") if path.name[0].isdigit())
PICTURE = re.compile(r"[\w-]+\.png")
LIMIT = 300  # seconds; a machine may have other things to do


def golden(script, *, quick):
    """The file with the text that a script must print."""
    return GOLDEN / f"{script.stem}{'.quick' if quick else ''}.txt"


def reads_mnist(script):
    """Whether a script takes the folder of MNIST; without it, quick as always, it goes on with smaller digits."""
    return "--data" in script.read_text(encoding="utf-8")


def run(script, pictures, *, quick, mnist=None, **environment):
    """What a script prints; its pictures go into the folder. Numbers of threads and kernel sets may be set."""
    command = [sys.executable, "-W", "error", str(script), "--pictures", str(pictures)]
    command += ["--quick"] if quick else []
    command += ["--data", str(mnist)] if mnist is not None else []
    settings = {name: value for name, value in os.environ.items() if name != "GANGLION_MNIST"}
    settings |= {"MPLBACKEND": "agg", "PYTHONIOENCODING": "utf-8", **environment}
    done = subprocess.run(command, env=settings, capture_output=True, encoding="utf-8", timeout=LIMIT, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{script.name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def pictures_of(text):
    """Names of the pictures that a printed text speaks of."""
    return set(PICTURE.findall(text))
