"""What the scripts of examples/ are there to show, whatever the numbers of the day are."""

import runpy
from pathlib import Path

import pytest

import ganglion as gg
from ganglion import nn

ROOT = Path(__file__).resolve().parent.parent
TEXTS = sorted((ROOT / "tests" / "golden" / "examples").glob("*.txt"))


def test_at_depth_ten_a_sigmoid_leaves_less_than_a_thousandth_of_relus_gradient():
    example = runpy.run_path(str(ROOT / "examples" / "09_vanishing_gradients.py"))
    x, y = example["rings"](1000)
    norms = {name: example["gradient_norms"](example["network"](name, 10), x, y) for name in example["ACTIVATIONS"]}
    assert norms["relu"][0] >= 1000 * norms["sigmoid"][0]
    assert norms["leaky_relu"][0] >= 1000 * norms["sigmoid"][0]
    assert norms["tanh"][0] >= 1000 * norms["sigmoid"][0]
    assert norms["relu"][-1] < 1000 * norms["sigmoid"][-1]  # what vanishes does so on the way from the last layer


def test_normalizations_between_the_layers_are_no_layers_of_the_table():
    example = runpy.run_path(str(ROOT / "examples" / "09_vanishing_gradients.py"))
    layers = [gg.Dense(8, "sigmoid"), gg.BatchNormalization(), gg.Dense(3)]
    assert len(example["gradient_norms"](nn.Sequential(*layers), *example["rings"](50))) == 2


def test_the_two_layer_net_ends_where_numpys_loop_ends():
    for name in ("08_two_layer_net.quick.txt", "08_two_layer_net.txt"):
        text = (ROOT / "tests" / "golden" / "examples" / name).read_text(encoding="utf-8")
        assert text.count("accuracies within half a point of these: yes") == 2
        assert "They agree to 7 decimals: yes" in text


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_no_stored_text_tells_of_a_failed_comparison(path):
    text = path.read_text(encoding="utf-8")
    assert " NO\n" not in text
    assert "OTHER" not in text
