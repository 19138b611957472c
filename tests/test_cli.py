"""The command: what it prints, what it answers to wrong arguments, and its exit status."""

import re
import subprocess
import sys

import pytest

import ganglion as gg
from ganglion import cli, demo, self_test


def test_info_prints_what_info_says(capsys):
    assert cli.main(["info"]) == 0
    assert capsys.readouterr().out == f"{gg.info()}\n"


def test_it_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "ganglion", "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"ganglion {gg.__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["dance"], "invalid choice: 'dance' .choose from '?bench'?, '?demo'?, '?info'?, '?verify'?"),
        (["demo", "cifar"], "invalid choice: 'cifar' .choose from '?digits'?, '?mnist'?"),
        (["bench", "--rounds", "0"], "argument --rounds: expected a whole number of at least 1, got '0'"),
        (["demo", "--epochs", "0"], "argument --epochs: expected a whole number of at least 1, got '0'"),
        (["demo", "--epochs", "1.5"], "argument --epochs: expected a whole number of at least 1, got '1.5'"),
        (["demo", "--seed", "-1"], "argument --seed: expected a whole number of at least 0, got '-1'"),
    ],
)
def test_wrong_arguments_are_explained(capsys, arguments, message):
    with pytest.raises(SystemExit, match="2"):
        cli.main(arguments)
    assert re.search(message, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["bench", "--only", "numpyy"],
            "ganglion bench: unknown peer 'numpyy'; known are ganglion, ganglion.loop, numpy, "
            "torch, torch.compile, jax, jax.scan, keras, sklearn, onnxruntime\n",
        ),
        (["demo", "mnist"], "ganglion demo: mnist and --data DIR go together: ganglion demo mnist --data FOLDER\n"),
        (
            ["demo", "--data", "."],
            "ganglion demo: mnist and --data DIR go together: ganglion demo mnist --data FOLDER\n",
        ),
        (
            ["demo", "mnist", "--data", "nowhere"],
            "ganglion demo: nowhere: expected the folder of MNIST's four files, there is no such folder\n",
        ),
    ],
)
def test_what_is_missing_is_told(capsys, arguments, message):
    assert cli.main(arguments) == 1
    assert capsys.readouterr().err == message


def test_the_demo_gets_its_arguments(monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(demo, "run", lambda *arguments: calls.append(arguments) or False)
    assert cli.main(["demo", "--out", str(tmp_path), "--epochs", "3", "--seed", "4"]) == 1
    ((recipe, data, *rest),) = calls
    assert (recipe, len(data.x), rest) == (demo.DIGITS, 1437, [tmp_path, 3, 4])


def test_without_scikit_learn_the_demo_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    assert cli.main(["demo"]) == 1
    remedy = "install it with: python -m pip install scikit-learn matplotlib"
    assert capsys.readouterr().err == f"ganglion demo: the digits come with scikit-learn; {remedy}\n"


def test_ctrl_c_is_no_traceback(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(self_test, "run", interrupted)
    assert cli.main(["verify"]) == 130
    assert capsys.readouterr().err == "\nganglion verify: interrupted\n"


# The self-test


def test_this_machine_computes_the_published_bits(capsys):
    before = gg.info().kernel_set
    assert cli.main(["verify"]) == 0
    text = capsys.readouterr().out
    assert text.endswith("\nall is well\n")
    supported = [name for name, here in gg.info().kernel_sets.items() if here]
    assert text.count("as published") == 2 * len(supported)
    assert text.count("all within their bounds") == 2
    assert gg.info().kernel_set == before


def test_other_bits_are_noticed(monkeypatch, capsys):
    right = self_test.data

    def one_bit_off():
        x, y = right()
        x[0, 0] *= 1 + 2**-23
        return x, y

    monkeypatch.setattr(self_test, "data", one_bit_off)
    monkeypatch.setattr(self_test, "TEAMS", (1,))
    assert cli.main(["verify"]) == 1
    text = capsys.readouterr().out
    assert "NOT as published" in text
    assert text.endswith("THIS MACHINE DOES NOT COMPUTE WHAT IT SHOULD: please report the lines above\n")


@pytest.mark.parametrize("ran", [("sse2", 2), ("avx2", 1), ("none", 0)])
def test_another_set_or_team_than_asked_for_is_noticed(ran):
    right = self_test.PUBLISHED["float32"]
    assert self_test.Run("float32", "avx2", 2, ("avx2", 2), 0.1, right).ok
    assert not self_test.Run("float32", "avx2", 2, ran, 0.1, right).ok
    assert not self_test.Run("float64", "avx2", 2, ("avx2", 2), 0.1, right).ok
