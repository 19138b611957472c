"""Names, order and defaults of arguments that users have written into their programs."""

import inspect

import pytest

import ganglion as gg
from ganglion import nn, optim

DESCENT = "weight_decay=0.0, *, clip_norm=None, clip_value=None"
SIGNATURES = {
    "Sequential": (gg.Sequential, "*layers, seed=0, dtype='float32'"),
    "Trainer": (gg.Trainer, "model, loss, optimizer='adam', metrics=(), *, accumulate=1, threads=None"),
    "Trainer.fit": (
        gg.Trainer.fit,
        "self, x, y=None, *others, epochs=1, batch_size=32, validation_split=0.0, validation_data=None, shuffle=True, "
        "sample_weight=None, class_weight=None, callbacks=(), initial_epoch=0, verbose='auto'",
    ),
    "Trainer.check": (gg.Trainer.check, "self, x, y, *, verbose=True"),
    "Adam": (gg.Adam, f"learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08, {DESCENT}"),
    "SGD": (gg.SGD, f"learning_rate=0.01, momentum=0.0, nesterov=False, {DESCENT}"),
    "Dense": (
        gg.Dense,
        "units, activation=None, *, input_shape=None, name=None, use_bias=True, "
        "kernel_initializer='glorot_uniform', bias_initializer='zeros', kernel_regularizer=None",
    ),
    "data.mnist": (gg.data.mnist, "path, *, raw=False"),
    "verify": (gg.verify, "model, x, y, loss='cross_entropy', optimizer=None, *, numerical=False"),
    "nn.Linear": (nn.Linear, "in_features, out_features, bias=True"),
    "optim.SGD": (
        optim.SGD,
        "params, lr=0.001, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False",
    ),
    "optim.Adam": (optim.Adam, "params, lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0"),
    "optim.AdamW": (optim.AdamW, "params, lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01"),
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures(name):
    called, expected = SIGNATURES[name]
    signature = inspect.signature(called)
    parameters = [parameter.replace(annotation=parameter.empty) for parameter in signature.parameters.values()]
    bare = signature.replace(parameters=parameters, return_annotation=signature.empty)
    assert str(bare) == f"({expected})"
