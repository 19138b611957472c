"""Typical mistakes with which training runs and comes to nothing, as beginners' scripts, and what the check finds."""

import pytest

from beginners import answer

MISTAKES = [
    (
        "bytes of pictures as they are",
        """
pictures = np.random.default_rng(0).integers(0, 256, (100, 64), np.uint8)
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.check(pictures, labels)
""",
        "warning inputs x is 0 to 255; all 64 columns are large, with a root mean square above 10 → if these are the "
        "bytes of images, begin the model with Rescale(1/255), or pass x / 255",
    ),
    (
        "columns of very different size",
        """
income = x * [1, 1, 1, 20_000]
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.check(income, labels)
""",
        "warning inputs x is -35,352 to 45,916; column 3 is large, with a root mean square above 10 → standardize: "
        "mean, std = x.mean(axis=0), x.std(axis=0); x = (x - mean) / std, with the same mean and std for all data to "
        "come; or begin the model with BatchNormalization()",
    ),
    (
        "prices in full",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(1))
trainer = gg.Trainer(model, "mse")
trainer.check(x, 100_000 * prices)
""",
        "warning targets y is -660,300 to 636,900, with a root mean square of 273,497: the weights have a long way to "
        "go → standardize: train on (y - mean) / std, and multiply predictions by std and add mean",
    ),
    (
        "labels that begin with 1, and an output more",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(4))
trainer = gg.Trainer(model, "cross_entropy")
trainer.check(x, labels + 1)
""",
        "warning targets no row is of class 0, but classes count from 0, and the model has 4 outputs → if yours start "
        "at 1, pass y - 1 and end in Dense(3)",
    ),
    (
        "a sigmoid for measurements",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(1, "sigmoid"))
trainer = gg.Trainer(model, "mse")
trainer.check(x, prices)
""",
        "warning last layer layer 'dense_1' ends in sigmoid, which gives 0 to 1, but y is -6.6 to 6.37 → end the "
        "model in a plain Dense, without an activation, or scale y",
    ),
    (
        "ReLU in all layers, the last one too",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3, "relu"))
trainer = gg.Trainer(model, "cross_entropy")
trainer.check(x, labels)
""",
        "warning last layer layer 'dense_1' ends in relu, but the loss takes logits, any numbers, and these are never "
        "negative → end the model in a plain Dense(classes), without an activation",
    ),
    (
        "a softmax over a single output",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(1, "softmax"))
trainer = gg.Trainer(model, "mse")
trainer.check(x, labels > 0)
""",
        "warning last layer layer 'dense_1' is a softmax over one output, which is 1 whatever the weights are → for "
        "yes or no use activation='sigmoid' and loss='binary_cross_entropy', or two outputs",
    ),
    (
        "classes learned as numbers",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(1))
trainer = gg.Trainer(model, "mse")
trainer.check(x, labels)
""",
        "note targets y holds 3 different whole numbers, 0 to 2, which look like classes → if they are, end the model "
        "in Dense(3) and use loss='cross_entropy'",
    ),
    (
        "accuracy of measurements",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(1))
trainer = gg.Trainer(model, "mse", gg.Adam(0.01), metrics=["accuracy"])
trainer.check(x, prices)
""",
        "warning metrics accuracy of targets that are no classes says nothing: yes is what is above 0.5 → use "
        "metrics=['mae', 'r2']",
    ),
    (
        "no activation between layers",
        """
model = gg.Sequential(gg.Dense(16), gg.Dense(16), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.check(x, labels)
""",
        "warning layers between 'dense' and 'dense_1' is no activation: both together do what one could → write "
        "Dense(16, activation='relu')",
    ),
    (
        "weights that begin with 0",
        """
model = gg.Sequential(gg.Dense(16, "relu", kernel_initializer="zeros"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.check(x, labels)
""",
        "warning layers all 16 units of 'dense' have the same weights, and will learn the same → leave "
        "kernel_initializer at its default, or use 'he_uniform'",
    ),
    (
        "a deep network of sigmoids",
        """
model = gg.Sequential([gg.Dense(16, "sigmoid") for _ in range(10)] + [gg.Dense(3)])
trainer = gg.Trainer(model, "cross_entropy")
trainer.check(x, labels)
""",
        "warning gradients 1.0e-08 in 'dense', 1.6e-01 in 'dense_10' (root mean squares): they vanish on the way to "
        "the first layer → use activation='relu' with kernel_initializer='he_normal', fewer layers, or "
        "BatchNormalization between them",
    ),
    (
        "a rate that is too large",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy", gg.Adam(30.0))
trainer.check(x, labels)
""",
        "warning learning rate too large: from 1.21 on, the mean loss of 100 steps at 30, the trainer's, is 259, at "
        "0.1 it is 0.159; 0.001 to 0.3 suit Adam → lower it to about 0.03",
    ),
    (
        "a rate that is too small",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy", gg.SGD(1e-6))
trainer.check(x, labels)
""",
        "warning learning rate too small: from 1.21 on, the mean loss of 100 steps at 1e-06, the trainer's, is 1.21, "
        "at 1 it is 0.37; 0.01 to 1 suit SGD → raise it to about 0.3, or train for long",
    ),
    (
        "hardly ever yes",
        """
rarely = np.arange(100) % 20 == 0
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(1, "sigmoid"))
trainer = gg.Trainer(model, "binary_cross_entropy", metrics=["accuracy"])
trainer.check(x, rarely)
""",
        "note targets 95 % of the rows say no: always saying no has that accuracy → look at recall or F1 as well, or "
        "give fit a class_weight",
    ),
    (
        "rows sorted by class, and validation_split",
        """
order = np.argsort(labels, kind="stable")
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.check(x[order], labels[order])
""",
        "note order the rows are sorted by class, and the last ones are all of class 2 → fit shuffles, but "
        "validation_split takes the last rows: shuffle first, with order = "
        "np.random.default_rng(0).permutation(len(x)); x, y = x[order], y[order]",
    ),
    (
        "features and targets that are not shuffled together",
        """
doubled = np.repeat(x, 2, axis=0)
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.check(doubled, np.random.default_rng(0).permutation(np.repeat(labels, 2)))
""",
        "note equal rows of 200 rows looked at, 128 have another with the same x and another y → no model can be "
        "right on all of them: look whether the rows of x and y belong together",
    ),
]


@pytest.mark.parametrize(("title", "script", "found"), MISTAKES, ids=[mistake[0] for mistake in MISTAKES])
def test_the_check_finds_it(title, script, found):
    assert found in answer(script)


@pytest.mark.parametrize(("title", "script", "found"), MISTAKES, ids=[mistake[0] for mistake in MISTAKES])
def test_training_itself_runs(title, script, found):
    assert answer(script.replace("trainer.check(", "trainer.train_on_batch(")) == ""
