"""Every example in the docstrings and in the Markdown pages runs.

In a page, a block marked ``pycon`` is doctested and one marked ``python`` is executed, all of a page's in one namespace
and an empty folder. An HTML comment on the line above, ``<!-- not run: reason -->``, exempts a block.
"""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import ganglion

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md"), *(ROOT / "examples").glob("*.md")])
MODULES = [ganglion.__name__, *(module.name for module in pkgutil.walk_packages(ganglion.__path__, "ganglion."))]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

BLOCK = re.compile(
    r"(?P<above>^[^\n]*\n)?^ *```(?P<language>python|pycon)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL
)


def run_examples(test):
    """Run one doctest; fail with its report."""
    report = []
    doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=report.append, clear_globs=False)
    if report:
        pytest.fail("".join(report), pytrace=False)


def run_page(path):
    """Run the blocks of a page in order; return how many there were."""
    text = path.read_text(encoding="utf-8")
    namespace = {"__name__": "page"}
    count = 0
    for block in BLOCK.finditer(text):
        if (block["above"] or "").lstrip().startswith("<!-- not run: "):
            continue
        line = text[: block.start("text")].count("\n")
        if block["language"] == "pycon":
            run_examples(doctest.DocTestParser().get_doctest(block["text"], namespace, path.name, str(path), line))
        else:
            # The empty lines make a traceback name the line of the page.
            exec(compile("\n" * line + block["text"], str(path), "exec"), namespace)
        count += 1
    return count


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        run_examples(test)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page(path)


def test_the_first_page_has_examples(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_page(ROOT / "README.md") > 0


@pytest.mark.parametrize(
    "page",
    [
        "```pycon\n>>> 1 + 1\n3\n```\n",
        "```pycon\n>>> 1 + 1\n```\n",
        "text\n\n```python\nassert 1 + 1 == 3\n```\n",
        "```python\nx = 1\n```\ntext\n```python\nassert x == 2\n```\n",
        "- item\n  ```python\n  assert False\n  ```\n",
    ],
)
def test_a_wrong_example_is_found(page, tmp_path):
    path = tmp_path / "page.md"
    path.write_text(page)
    with pytest.raises((AssertionError, pytest.fail.Exception, IndentationError)):
        run_page(path)


def test_an_exempt_block_is_left_alone(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("<!-- not run: needs a network -->\n```python\nassert False\n```\n\n```python\nx = 1\n```\n")
    assert run_page(path) == 1


def check_links(path):
    """Relative links of a page that lead nowhere."""
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", path.read_text(encoding="utf-8"))
    return [link for link in links if not (path.parent / link).exists()]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    assert check_links(path) == []


def test_a_dead_link_is_found(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("[one](page.md#top) [two](missing.md) [three](https://example.org/x)")
    assert check_links(path) == ["missing.md"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_figure_waits_to_be_filled_in(path):
    assert "@@" not in path.read_text(encoding="utf-8")
