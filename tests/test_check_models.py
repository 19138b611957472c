"""What the pre-flight check says of layers, losses, gradients and learning rates, word for word."""

import numpy as np
import pytest

import ganglion as gg
from check_cases import VALUES, YES, X, assert_found, check, regress
from ganglion import Dense

SCALE = "scale the inputs, and leave the initializers at their defaults"
BY_HEART = (
    "a model that cannot learn a few rows by heart will not learn all: scale the inputs, give it more units, or "
    "another activation"
)

FINDINGS = [
    (
        lambda: gg.Trainer(gg.Sequential(), "mse").check(X, VALUES, verbose=False),
        "layers",
        "error",
        "a model needs at least one layer: add(Dense(10)) appends one",
        "",
    ),
    (
        lambda: check(Dense(16), gg.Dropout(0.1), Dense(8), Dense(3)),
        "layers",
        "warning",
        "between 'dense' and 'dense_1' is no activation: both together do what one could",
        "write Dense(16, activation='relu')",
    ),
    (
        lambda: check(Dense(16, "softmax"), Dense(3)),
        "layers",
        "warning",
        "layer 'dense' has a softmax inside the model: its outputs share a sum of 1",
        "use activation='relu' in all layers but the last",
    ),
    (
        lambda: check(Dense(16, "relu"), Dense(3), gg.Dropout(0.5)),
        "layers",
        "warning",
        "layer 'dropout' comes last, so that in training 50 % of the outputs are dropped",
        "put it between the layers before",
    ),
    (
        lambda: check(Dense(16, "relu", kernel_initializer="zeros"), Dense(3)),
        "layers",
        "warning",
        "all 16 units of 'dense' have the same weights, and will learn the same",
        "leave kernel_initializer at its default, or use 'he_uniform'",
    ),
    (
        lambda: check(Dense(16, "relu"), Dense(3, "softmax"), gg.Softmax()),
        "last layer",
        "error",
        "layer 'dense_1': a second softmax follows this one, and the loss 'cross_entropy' is made for the outputs of "
        "a single one; remove one of them",
        "",
    ),
    (
        lambda: check(loss="categorical_crossentropy"),
        "last layer",
        "error",
        "layer 'dense_1': the loss 'categorical_crossentropy' takes probabilities, and these outputs may be negative;"
        " end the model in softmax, or keep Dense(classes) and use from_logits=True, which is loss='cross_entropy'",
        "",
    ),
    (
        lambda: check(Dense(16, "relu"), Dense(3, "sigmoid")),
        "last layer",
        "error",
        "layer 'dense_1': the loss 'cross_entropy' has a softmax of its own, so that the model must not end in "
        "sigmoid as well; for classes that exclude each other, of which there are two or more, end the model in "
        "softmax or in logits; for independent yes or no answers use loss='binary_cross_entropy'",
        "",
    ),
    (
        lambda: check(Dense(16, "relu"), Dense(1, "softmax"), loss="binary_cross_entropy", y=YES),
        "last layer",
        "error",
        "layer 'dense_1': the loss 'binary_cross_entropy' has a sigmoid of its own, so that the model must not end in"
        " softmax as well; for independent yes or no answers end the model in sigmoid or in logits; for classes that "
        "exclude each other use loss='cross_entropy'",
        "",
    ),
    (
        lambda: check(Dense(16, "relu"), Dense(1, "softmax"), loss="binary_crossentropy", y=YES),
        "last layer",
        "error",
        "layer 'dense_1': a softmax over one output is 1 whatever the weights are, so that nothing would be learned; "
        "for yes or no end the model in sigmoid",
        "",
    ),
    (
        lambda: check(Dense(16, "relu"), Dense(3, "sigmoid"), loss="categorical_crossentropy"),
        "last layer",
        "warning",
        "layer 'dense_1' ends in sigmoid, whose outputs the loss divides by their sum",
        "end the model in softmax",
    ),
    (
        lambda: check(Dense(16, "relu"), Dense(1, "relu"), loss="binary_crossentropy", y=YES),
        "last layer",
        "warning",
        "layer 'dense_1' ends in relu, whose outputs the loss takes for probabilities, and cuts off above 1",
        "end the model in sigmoid",
    ),
    (
        lambda: check(Dense(16, "relu"), Dense(3, "relu")),
        "last layer",
        "warning",
        "layer 'dense_1' ends in relu, but the loss takes logits, any numbers, and these are never negative",
        "end the model in a plain Dense(classes), without an activation",
    ),
    (
        lambda: check(Dense(16, "relu"), Dense(1, "tanh"), loss="binary_cross_entropy", y=YES),
        "last layer",
        "warning",
        "layer 'dense_1' ends in tanh, but the loss takes logits, any numbers, and these stay between −1 and 1",
        "end the model in a plain Dense(1), without an activation",
    ),
    (
        lambda: regress(Dense(16, "relu"), Dense(1, "sigmoid")),
        "last layer",
        "warning",
        "layer 'dense_1' ends in sigmoid, which gives 0 to 1, but y is -6.6 to 6.37",
        "end the model in a plain Dense, without an activation, or scale y",
    ),
    (
        lambda: regress(Dense(16, "relu"), Dense(2, "relu"), y=np.hstack([abs(VALUES), VALUES])),
        "last layer",
        "warning",
        "layer 'dense_1' ends in relu, which gives 0 and more, but y is -6.6 to 6.6 (column 1)",
        "end the model in a plain Dense, without an activation, or scale y",
    ),
    (
        lambda: check(Dense(16, "step"), Dense(3)),
        "last layer",
        "error",
        "layer 'dense': a step is flat on both sides, so that no gradient passes it and the weights before it cannot "
        'be trained; train with activation="sigmoid", and put these weights into a model with the step to predict',
        "",
    ),
    (
        lambda: check(metrics=["auc"]),
        "last layer",
        "error",
        "metric 'auc' needs one output, or one for each of two classes; the network has 3 outputs",
        "",
    ),
    (
        lambda: check(x=1000 * X),
        "first loss",
        "warning",
        "454 with initial weights, where ln 3 = 1.1 is that of knowing nothing: the model begins sure of wrong answers",
        SCALE,
    ),
    (
        lambda: regress(y=1e-5 * VALUES),
        "first loss",
        "warning",
        "0.185 with initial weights; always saying the mean of y has 6.18e-10",
        "standardize y, and x if it is not: (y - y.mean(axis=0)) / y.std(axis=0)",
    ),
    (
        lambda: check(Dense(16, "relu", kernel_regularizer=gg.L2(100.0)), Dense(3)),
        "first loss",
        "warning",
        "1.15 with initial weights, and 607 of penalties for the weights",
        "give the layers a smaller kernel_regularizer, like L2(1e-4)",
    ),
    (
        lambda: check(*[Dense(16, "sigmoid") for _ in range(10)], Dense(3)),
        "gradients",
        "warning",
        "7.6e-08 in 'dense', 8.5e-02 in 'dense_10' (root mean squares): they vanish on the way to the first layer",
        "use activation='relu' with kernel_initializer='he_normal', fewer layers, or BatchNormalization between them",
    ),
    (
        lambda: check(Dense(16, "relu", kernel_initializer="zeros"), Dense(3)),
        "gradients",
        "warning",
        "that of 'dense' is 0: nothing that its weights do reaches the loss",
        "begin with other weights, and scale the inputs",
    ),
    (
        lambda: check(optimizer=gg.SGD(100.0)),
        "learning rate",
        "warning",
        "too large: from 1.15 on, the mean loss of 100 steps at 100, the trainer's, is beyond all numbers, at 1 it is"
        " 0.208; 0.01 to 3 suit SGD",
        "lower it to about 0.3",
    ),
    (
        lambda: check(optimizer=gg.SGD(10.0)),
        "learning rate",
        "warning",
        "too large: from 1.15 on, the mean loss of 100 steps at 10, the trainer's, is 17.3, at 1 it is 0.208; 0.01 to"
        " 3 suit SGD",
        "lower it to about 0.3",
    ),
    (
        lambda: check(optimizer=gg.SGD(6.0)),
        "learning rate",
        "note",
        "large: from 1.15 on, the mean loss of 100 steps at 6, the trainer's, is 1.27, at 1 it is 0.208; 0.01 to 3 "
        "suit SGD",
        "lower it to about 0.3",
    ),
    (
        lambda: check(optimizer=gg.Adam(3e-4)),
        "learning rate",
        "note",
        "small: from 1.15 on, the mean loss of 100 steps at 0.0003, the trainer's, is 1.06, at 0.1 it is 0.0894; "
        "0.001 to 1 suit Adam",
        "raise it to about 0.03, or train for long",
    ),
    (
        lambda: check(optimizer=gg.Adam(1e-6)),
        "learning rate",
        "warning",
        "too small: from 1.15 on, the mean loss of 100 steps at 1e-06, the trainer's, is 1.15, at 0.1 it is 0.0894; "
        "0.001 to 1 suit Adam",
        "raise it to about 0.03, or train for long",
    ),
    (
        lambda: check(optimizer=gg.Adam(gg.Cosine(1e-6, 0.0, 1000))),
        "learning rate",
        "warning",
        "too small: from 1.15 on, the mean loss of 100 steps at 1e-06, the schedule's largest, is 1.15, at 0.1 "
        "it is 0.0894; 0.001 to 1 suit Adam",
        "raise it to about 0.03, or train for long",
    ),
    (
        lambda: check(Dense(16, "relu", kernel_initializer="zeros"), Dense(3, "relu", kernel_initializer="zeros")),
        "learning rate",
        "warning",
        "none from 1e-6 to 10 lowers the loss, 1.1, in 100 steps on 128 rows",
        "see to the other findings first",
    ),
    (
        lambda: check(Dense(16, "relu", kernel_initializer="zeros"), Dense(3)),
        "overfits a batch",
        "warning",
        "a copy brings the loss of 8 rows from 1.1 to 1.08 in 1000 steps, not near to 0",
        BY_HEART,
    ),
    (
        lambda: regress(Dense(16, "relu"), Dense(1, "sigmoid")),
        "overfits a batch",
        "warning",
        "a copy brings the loss of 8 rows from 9.4 to 6.69 in 1000 steps, not near to 0",
        BY_HEART,
    ),
]


@pytest.mark.parametrize(("call", "name", "level", "message", "remedy"), FINDINGS)
def test_what_is_said(call, name, level, message, remedy):
    assert_found(call(), name, level, message, remedy)
