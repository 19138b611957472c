"""What is installed and what an sdist carries: one version, the types, the licence, every source."""

import importlib
import importlib.metadata
import re
import tarfile
from pathlib import Path

import pytest

import ganglion

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (".ci", ".github", "bench", "cmake", "cpp", "docs", "examples", "python", "tests")
GENERATED = re.compile(r"\.so$|(^|/)(__pycache__|\.\w+_cache)/")


def project_version():
    return re.search(r"project\(ganglion VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))[1]


@pytest.fixture(scope="module")
def distribution():
    try:
        found = importlib.metadata.distribution("ganglion")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("ganglion is imported from a build, not installed")
    if Path(found.locate_file("ganglion")) != Path(ganglion.__file__).parent:
        pytest.skip("ganglion is imported from a build or an editable install")
    return found


def test_the_version_has_one_home():
    core = importlib.import_module("ganglion._native")._ganglion_core
    assert ganglion.__version__ == core.__version__ == project_version()


def test_the_installed_version_is_the_project_s(distribution):
    assert distribution.version == project_version()


def test_the_wheel_holds_the_package_and_no_more(distribution):
    files = [str(file) for file in distribution.files if "__pycache__" not in file.parts]
    sources = {str(path.relative_to(ROOT / "python")) for path in (ROOT / "python").rglob("*.py*")}
    sources = {file for file in sources if file.endswith((".py", ".pyi"))}
    installed = {file for file in files if file.startswith("ganglion/")}
    (module,) = (file for file in installed if re.fullmatch(r"ganglion/_ganglion_core\..*so", file))
    assert installed - {module} == sources | {"ganglion/py.typed"}
    assert [file for file in files if file.endswith("LICENSE")]
    others = {file.split("/")[0] for file in files} - {"ganglion", f"ganglion-{project_version()}.dist-info"}
    assert {top for top in others if top != ".."} == set()  # ".." leads to bin/ganglion


def test_numpy_is_the_only_requirement(distribution):
    needed = [line for line in distribution.requires if "extra ==" not in line]
    assert [re.match(r"[\w-]+", line)[0] for line in needed] == ["numpy"]


def test_the_command_is_installed(distribution):
    (entry,) = distribution.entry_points.select(group="console_scripts")
    assert (entry.name, entry.value) == ("ganglion", "ganglion.cli:main")
    assert callable(entry.load())


def test_an_sdist_carries_every_source(tmp_path, monkeypatch):
    build = pytest.importorskip("scikit_build_core.build")
    monkeypatch.chdir(ROOT)
    name = build.build_sdist(str(tmp_path))
    with tarfile.open(tmp_path / name) as archive:
        packed = {member.partition("/")[2] for member in archive.getnames()}
    present = {path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()}
    present |= {
        ROOT / "LICENSE",
        *(path for path in ROOT.iterdir() if path.suffix in {".md", ".toml", ".txt", ".json"}),
    }
    sources = {str(path.relative_to(ROOT)) for path in present}
    assert {file for file in sources - packed if not GENERATED.search(file)} == set()
    assert {file for file in packed if GENERATED.search(file)} == set()
