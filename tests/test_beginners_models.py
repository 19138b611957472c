"""Typical mistakes with models, loops and other libraries' words, each as a beginner's script, and the answer."""

import pytest

from beginners import answer

MISTAKES = [
    (
        "inputs and outputs of a layer",
        """
model = gg.Sequential(gg.Dense(4, 16), gg.Dense(16, 3))
""",
        "TypeError: Dense takes its outputs alone, Dense(16), and input_shape=(4,) where it is the first; given "
        "Dense(4, 16), which is Linear's way",
    ),
    (
        "the shape of the data for the shape of a row",
        """
model = gg.Sequential(gg.Dense(16, "relu", input_shape=x.shape), gg.Dense(3))
""",
        "ValueError: input_shape must hold one size, like (784,); given (100, 4); flatten each row: (400,), or leave "
        "out the number of rows: (4,)",
    ),
    (
        "layers that do not fit together",
        """
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(8, 3))
""",
        "ValueError: layer '2' has input_shape (8,), but layer '1' gives (16,)",
    ),
    (
        "an activation between the layers by its name",
        """
model = gg.Sequential(gg.Dense(16), "relu", gg.Dense(3))
""",
        "TypeError: layer 1 must be a layer, like Dense(10) or ReLU(); given 'relu'",
    ),
    (
        "a misspelled activation",
        """
model = gg.Sequential(gg.Dense(16, "sigmod"), gg.Dense(3))
""",
        "ValueError: unknown activation 'sigmod'; known: identity, linear, sigmoid, tanh, relu, leaky_relu, elu, "
        "selu, softplus, swish, silu, gelu, step, heaviside, softmax; did you mean 'sigmoid'?",
    ),
    (
        "a function for an activation",
        """
model = gg.Sequential(gg.Dense(16, np.tanh), gg.Dense(3))
""",
        "TypeError: activation must be the name of an activation or an object of its class; given the function tanh: "
        "write Tanh()",
    ),
    (
        "a percentage for a share",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dropout(50), gg.Dense(3))
""",
        "ValueError: rate must be finite and >= 0 and < 1; given 50; for 50 % write 0.5",
    ),
    (
        "a softmax twice",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3, "softmax"), gg.Softmax())
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(x, labels)
""",
        "ValueError: layer 'dense_1': a second softmax follows this one, and the loss 'cross_entropy' is made for the "
        "outputs of a single one; remove one of them",
    ),
    (
        "a softmax before a loss of logits",
        """
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), nn.Softmax(dim=1))
loss = nn.CrossEntropyLoss()(model(x), labels)
""",
        "ValueError: CrossEntropyLoss takes logits and applies the softmax itself, and the model ends in one: remove "
        "the model's last layer, Softmax()",
    ),
    (
        "logits for a loss of probabilities",
        """
model = gg.Sequential([gg.Dense(16, activation="relu"), gg.Dense(3)])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, labels)
""",
        "ValueError: layer 'dense_1': the loss 'categorical_crossentropy' takes probabilities, and these outputs may "
        "be negative; end the model in softmax, or keep Dense(classes) and use from_logits=True, which is "
        "loss='cross_entropy'",
    ),
    (
        "a sigmoid for classes that exclude each other",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3, "sigmoid"))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(x, labels)
""",
        "ValueError: layer 'dense_1': the loss 'cross_entropy' has a softmax of its own, so that the model must not "
        "end in sigmoid as well; for classes that exclude each other, of which there are two or more, end the model "
        "in softmax or in logits; for independent yes or no answers use loss='binary_cross_entropy'",
    ),
    (
        "a single output for classes",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(1))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(x, labels)
""",
        "ValueError: cross_entropy needs one output per class, at least 2; the model has 1: end it in Dense(2) for "
        "two classes, or use loss='binary_cross_entropy' or loss='mse'",
    ),
    (
        "a perceptron's step in the hidden layer",
        """
model = gg.Sequential(gg.Dense(16, "step"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(x, labels)
""",
        "ValueError: layer 'dense': a step is flat on both sides, so that no gradient passes it and the weights "
        'before it cannot be trained; train with activation="sigmoid", and put these weights into a model with the '
        "step to predict",
    ),
    (
        "no zero_grad",
        """
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(10):
    loss = loss_fn(model(x), labels)
    loss.backward()
    optimizer.step()
""",
        "RuntimeError: backward() after step() without zero_grad(): the gradients that the step used are still there "
        "and these would be added to them; call optimizer.zero_grad() before loss.backward()",
    ),
    (
        "backward without parentheses",
        """
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(10):
    optimizer.zero_grad()
    loss = loss_fn(model(x), labels)
    loss.backward
    optimizer.step()
""",
        "RuntimeError: step() without gradients: call loss.backward() after zero_grad() and before step()",
    ),
    (
        "a loss that is made and called at once",
        """
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
loss = nn.CrossEntropyLoss(model(x), labels)
""",
        "TypeError: CrossEntropyLoss is made first, without data, and then called: CrossEntropyLoss()(output, target)",
    ),
    (
        "target and output swapped",
        """
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
loss = nn.CrossEntropyLoss()(labels, model(x))
""",
        "TypeError: the model's output comes first, then the target: loss_fn(model(x), y)",
    ),
    (
        "the model for its parameters",
        """
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = optim.SGD(model, lr=0.1)
""",
        "TypeError: params must be model.parameters(); given the model itself",
    ),
    (
        "parameters without parentheses",
        """
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = optim.SGD(model.parameters, lr=0.1)
""",
        "TypeError: params must be model.parameters(); given the method: call it",
    ),
    (
        "a loss of one's own arithmetic",
        """
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
loss = ((model(x).squeeze() - prices) ** 2).mean()
loss.backward()
""",
        "RuntimeError: only losses from nn are differentiated; use nn.MSELoss()",
    ),
    (
        "convolutions",
        """
model = nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU())
""",
        "AttributeError: module 'ganglion.nn' has no attribute 'Conv2d': ganglion has dense networks: nn.Linear, "
        "activations, normalizations and nn.Dropout",
    ),
    (
        "a network as a class",
        """
class Network(nn.Module):
    pass
""",
        "AttributeError: module 'ganglion.nn' has no attribute 'Module': a network is an nn.Sequential of layers",
    ),
    (
        "tensors",
        """
inputs = gg.tensor(x)
""",
        "AttributeError: module 'ganglion' has no attribute 'tensor': arrays are NumPy's: np.array([1.0, 2.0])",
    ),
    (
        "logits for a textbook's cross entropy",
        """
print(F.cross_entropy_error(np.array([[2.0, -1.0, 0.3]]), np.array([0])))
""",
        "ValueError: y must hold probabilities; y[0, 1] is -1.0: if these are logits, pass softmax(y)",
    ),
    (
        "PyTorch's name of a function",
        """
print(F.cross_entropy(np.array([[0.7, 0.2, 0.1]]), np.array([0])))
""",
        "AttributeError: module 'ganglion.functional' has no attribute 'cross_entropy': it is cross_entropy_error(y, "
        "t), of probabilities y = softmax(z)",
    ),
    (
        "the check of a compiled model",
        """
model = gg.Sequential([gg.Dense(16, activation="relu"), gg.Dense(3)])
model.compile("adam", gg.CrossEntropy())
model.check(x, labels)
""",
        "AttributeError: a model has no check: it is a trainer's: Trainer(model, loss, optimizer).check(x, y)",
    ),
    (
        "PyTorch's modes for a model of ours",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
model.train()
""",
        "AttributeError: a model has no train: fit trains and predict does not, by themselves; an nn.Sequential has "
        "modes",
    ),
    (
        "a layer called on the one before",
        """
inputs = gg.layers.Input((4,))
hidden = gg.Dense(16, "relu")(inputs)
""",
        "TypeError: a layer is not called, neither on data nor on another layer: layers stand in a row, model = "
        "Sequential([Dense(16, 'relu'), Dense(10)]), and the model computes: model.predict(x), or model(x) of an "
        "nn.Sequential",
    ),
    (
        "a log-softmax and its loss",
        """
model = nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(dim=1))
loss_fn = nn.NLLLoss()
""",
        "AttributeError: module 'ganglion.nn' has no attribute 'LogSoftmax': leave it out: nn.CrossEntropyLoss() takes "
        "logits and applies it",
    ),
    (
        "a loss of log-probabilities",
        """
loss_fn = nn.NLLLoss()
""",
        "AttributeError: module 'ganglion.nn' has no attribute 'NLLLoss': nn.CrossEntropyLoss() is the same of logits: "
        "end the model in nn.Linear, without a log-softmax",
    ),
    (
        "logits for PyTorch's loss of probabilities",
        """
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1), seed=1)
loss = nn.BCELoss()(model(x), labels > 0)
""",
        "ValueError: BCELoss takes probabilities, from 0 to 1; input[2, 0] is -0.294: end the model in nn.Sigmoid(), "
        "or use nn.BCEWithLogitsLoss(), which takes logits",
    ),
    (
        "batches by PyTorch's loader",
        """
batches = gg.data.DataLoader(x, batch_size=32)
""",
        "AttributeError: module 'ganglion.data' has no attribute 'DataLoader': arrays go to fit(x, y, batch_size=32) "
        "as they are, which draws and shuffles batches",
    ),
    (
        "Keras's one-hot rows",
        """
y = gg.utils.to_categorical(labels)
""",
        "AttributeError: module 'ganglion' has no attribute 'utils': labels are taken as they are; one-hot rows are "
        "np.eye(classes)[y]",
    ),
    (
        "a seed for everything",
        """
gg.random.set_seed(0)
""",
        "AttributeError: module 'ganglion' has no attribute 'random': the seed is the model's: Sequential(layers, "
        "seed=0)",
    ),
    (
        "an initializer without its module",
        """
model = gg.Sequential(gg.Dense(16, "relu", bias_initializer=gg.Constant(0.1)), gg.Dense(3))
""",
        "AttributeError: module 'ganglion' has no attribute 'Constant': it is ganglion.initializers.Constant",
    ),
    (
        "the number of features for a normalization",
        """
model = gg.Sequential(gg.Dense(16), gg.BatchNormalization(16), gg.ReLU(), gg.Dense(3))
""",
        "TypeError: BatchNormalization(16): by position it takes nothing, and by name input_shape, name, epsilon, "
        "center, scale, momentum",
    ),
]


@pytest.mark.parametrize(("title", "script", "said"), MISTAKES, ids=[mistake[0] for mistake in MISTAKES])
def test_a_mistake_is_answered(title, script, said):
    assert answer(script) == said
