"""Typical mistakes with data and training, each as a beginner's script, and the answer, word for word."""

import pytest

from beginners import answer

MISTAKES = [
    (
        "labels that begin with 1",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(x, labels + 1)
""",
        "ValueError: y must hold labels 0 to 2, as the model has 3 outputs; y[5] is 3; if yours start at 1, pass y - 1",
    ),
    (
        "names for labels",
        """
animals = np.array(["cat", "dog", "fish"])[labels]
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(x, animals)
""",
        "TypeError: y must be an array of real numbers; given text; number the classes first: names, labels = "
        "np.unique(y, return_inverse=True)",
    ),
    (
        "more classes than outputs",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(2))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(x, labels)
""",
        "ValueError: y must hold labels 0 to 1, as the model has 2 outputs; y[5] is 2; give the last layer at least 3 "
        "units, or renumber them",
    ),
    (
        "labels for a loss of values",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "mse")
trainer.fit(x, labels)
""",
        "ValueError: y must have the shape of the outputs, (n, 3); given (100,); for classes pass one-hot rows, "
        "np.eye(3)[y], or use loss='cross_entropy'",
    ),
    (
        "measurements for a loss of classes",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(x, prices)
""",
        "ValueError: y must hold labels 0 to 2, as the model has 3 outputs; y[0] is 5.149, not a whole "
        "number: use loss='mse' for values that are no classes",
    ),
    (
        "three classes for a yes or no",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(1, "sigmoid"))
trainer = gg.Trainer(model, "binary_cross_entropy")
trainer.fit(x, labels)
""",
        "ValueError: y must hold 0 for no and 1 for yes, or probabilities; y[5] is 2; for more than two classes end "
        "the model in Dense(classes) and use loss='cross_entropy'",
    ),
    (
        "the header of a table read as a row of numbers",
        """
import io
table = np.genfromtxt(io.StringIO("size,rooms,price\\n50,2,300\\n70,3,420\\n"), delimiter=",")
model = gg.Sequential(gg.Dense(1))
trainer = gg.Trainer(model, "mse")
trainer.fit(table[:, :2], table[:, 2])
""",
        "ValueError: y must be finite; y[0, 0] is nan; remove such rows or fill the gaps",
    ),
    (
        "a gap in the table",
        """
x[12, 3] = np.nan
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(x, labels)
""",
        "ValueError: x[12, 3] is nan; every feature must be a finite number: remove the row or fill the gap",
    ),
    (
        "None in a list",
        """
model = gg.Sequential(gg.Dense(1))
trainer = gg.Trainer(model, "mse")
trainer.fit([[1.0, 2.0], [None, 4.0]], [1.0, 2.0])
""",
        "TypeError: x must be an array of real numbers; x[1, 0] is None: remove such rows or fill the gaps",
    ),
    (
        "a sparse matrix of words",
        """
from scipy.sparse import csr_matrix
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(csr_matrix(x), labels)
""",
        "TypeError: x must be an array of real numbers; given a sparse matrix; pass x.toarray()",
    ),
    (
        "pictures that are not flattened",
        """
pictures = np.zeros((100, 28, 28))
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(pictures, labels)
""",
        "ValueError: x must have shape (n, features); given (100, 28, 28); flatten the samples: x.reshape(100, 784)",
    ),
    (
        "samples as columns",
        """
model = gg.Sequential(gg.Dense(16, "relu", input_shape=(4,)), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(x.T, labels)
""",
        "ValueError: x must have shape (n, 4), 4 being what the model takes; given (4, 100); if its columns are the "
        "samples, pass x.T",
    ),
    (
        "one sample without its row",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(x, labels, verbose=0)
model.predict(x[0])
""",
        "ValueError: x must have shape (n, 4), 4 being what the model takes; given (4,); for one sample pass x[None, "
        ":]",
    ),
    (
        "one feature as a plain row of numbers",
        """
model = gg.Sequential(gg.Dense(13, "tanh"), gg.Dense(1))
trainer = gg.Trainer(model, "mse")
trainer.fit(x[:, 0], prices)
""",
        "ValueError: x must have shape (n, features); given (100,); for samples of one feature pass x[:, None]",
    ),
    (
        "x and y swapped",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(labels, x)
""",
        "ValueError: x has shape (100,) and y (100, 4): features (n, features) come first, then targets; are they "
        "swapped?",
    ),
    (
        "the training data's features with the test data's labels",
        """
x_train, y_train, x_test, y_test = x[:80], labels[:80], x[80:], labels[80:]
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(x_train, y_test)
""",
        "ValueError: x and y must have as many rows; x has 80, y has 20",
    ),
    (
        "no targets",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(x)
""",
        "TypeError: y is missing: give one target for each row; given None",
    ),
    (
        "no compile",
        """
model = gg.Sequential([gg.Dense(16, activation="relu"), gg.Dense(3)])
model.fit(x, labels, epochs=5)
""",
        "NotCompiledError: fit needs a compiled model: call compile(optimizer='adam', loss='mse') with your own "
        "choice first, and again after add; or use Trainer(model, loss)",
    ),
    (
        "predictions of a model that has not seen data",
        """
model = gg.Sequential([gg.Dense(16, activation="relu"), gg.Dense(3)])
model.predict(x)
""",
        "NotFittedError: the model does not know its input's size yet: give its first layer input_shape=(features,), "
        "call build((features,)), or fit it",
    ),
    (
        "the rate in the wrong place",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy", "sgd", lr=0.1)
""",
        "TypeError: unknown argument of Trainer 'lr'; known: model, loss, optimizer, metrics, accumulate, threads; it "
        "is the optimizer's: optimizer=Adam(learning_rate=0.01)",
    ),
    (
        "the rate of an optimizer that is in use",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy", gg.Adam(0.01))
trainer.optimizer.learning_rate = 0.001
""",
        "FrozenInstanceError: cannot assign to field 'learning_rate' of Adam(learning_rate=0.01), which is not changed "
        "once made: trainer.learning_rate = 0.001 sets the rate",
    ),
    (
        "epochs by position",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(x, labels, 100)
""",
        "TypeError: fit takes x and y by position and all else by name, like epochs=5; given 100",
    ),
    (
        "an optimizer without its parentheses",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy", gg.Adam)
""",
        "TypeError: optimizer must be the name of an optimizer or an object of its class; given the class itself: "
        "write Adam()",
    ),
    (
        "a function for a loss",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(1))
trainer = gg.Trainer(model, lambda y, t: ((y - t) ** 2).mean())
trainer.fit(x, prices, verbose=0)
""",
        "TypeError: <lambda> must return a pair, the loss of each row (n,) and its derivative by y_pred (n, outputs); "
        "it returned one of type float32: nothing is differentiated by itself",
    ),
    (
        "PyTorch's objects for a trainer",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(1))
trainer = gg.Trainer(model, nn.MSELoss())
""",
        "TypeError: loss must be the name of a loss or an object of its class; given MSELoss() of type MSELoss: use "
        "'mse'",
    ),
    (
        "PyTorch's optimizer for a trainer",
        """
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
trainer = gg.Trainer(model, "cross_entropy", optim.SGD(model.parameters(), lr=0.1))
""",
        "TypeError: optimizer must be the name of an optimizer or an object of its class; given one of "
        "ganglion.optim.SGD: write SGD()",
    ),
    (
        "a function for a metric",
        """
def share(y, t):
    return (y == t).mean()

model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy", metrics=[share])
""",
        "TypeError: metric must be the name of a metric or an object of its class; given the function share: a metric "
        "of your own is a class derived from CustomMetric",
    ),
    (
        "a rate that is much too large",
        """
model = gg.Sequential(gg.Dense(1))
trainer = gg.Trainer(model, "mse", gg.SGD(10.0))
trainer.fit(x, prices, epochs=100, verbose=0)
""",
        "TrainingDivergedError: layer 'dense': the loss of step 15 is not a finite number; the weights are those of "
        'the step before. Lower the learning rate, scale the inputs, or train with dtype="float64"',
    ),
    (
        "early stopping without validation data",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(x, labels, epochs=100, callbacks=[gg.EarlyStopping(patience=3)])
""",
        "ValueError: EarlyStopping watches 'val_loss', but this fit reports loss: give it validation_data or "
        "validation_split, or watch one of these",
    ),
    (
        "20 for 20 percent of validation data",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(x, labels, validation_split=20)
""",
        "ValueError: validation_split must be finite and >= 0 and < 1; given 20; for 20 % write 0.2",
    ),
    (
        "a generator for several epochs",
        """
def batches():
    for i in range(0, 100, 20):
        yield x[i : i + 20], labels[i : i + 20]

model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(3))
trainer = gg.Trainer(model, "cross_entropy")
trainer.fit(batches(), epochs=5, verbose=0)
""",
        "ValueError: x is a generator, which can be gone through only once, and 5 epochs were asked for: give an "
        "object whose __iter__ begins anew, or call fit once for each epoch with a new one",
    ),
    (
        "1 and 2 for no and yes",
        """
model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(1, "sigmoid"))
trainer = gg.Trainer(model, "binary_cross_entropy")
trainer.fit(x, 1 + (labels > 0))
""",
        "ValueError: y must hold 0 for no and 1 for yes, or probabilities; y[0] is 2; if 2 means yes and 1 no, pass "
        "np.equal(y, 2)",
    ),
    (
        "a picture of a list of losses",
        """
from ganglion import plotting
plotting.learning_curves([2.3, 1.1, 0.7])
""",
        "TypeError: history: expected what fit returned, or names with numbers like {'loss': [2.3, 0.5]}, got list",
    ),
]


@pytest.mark.parametrize(("title", "script", "said"), MISTAKES, ids=[mistake[0] for mistake in MISTAKES])
def test_a_mistake_is_answered(title, script, said):
    assert answer(script) == said
