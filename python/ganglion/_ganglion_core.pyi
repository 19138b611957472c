"""
The C++ core of ganglion. Use the package's own names instead of these.
"""

from __future__ import annotations

import collections.abc
import types
import typing

import numpy
import numpy.typing

__all__: list[str] = [
    "Activation",
    "ActivationInfo",
    "Context",
    "Custom",
    "Dense",
    "Differential",
    "Dropout",
    "Evaluation",
    "Feed",
    "Flatten",
    "Gradients",
    "Initializer",
    "KernelSetInfo",
    "Loss",
    "Metric",
    "Network",
    "NonFiniteInputError",
    "Normalization",
    "Optimizer",
    "Pass",
    "Passes",
    "Report",
    "Rescale",
    "Schedule",
    "Snapshot",
    "Training",
    "TrainingDivergedError",
    "UpdateGroup",
    "Updates",
    "activations",
    "apply_activation",
    "default_team",
    "differentiate_activation",
    "initializers",
    "kernel_sets",
    "labels",
    "losses",
    "mean_loss",
    "measured_peak",
    "measured_update",
    "metrics",
    "operations",
    "optimizers",
    "schedules",
    "try_matmul",
]

class NonFiniteInputError(ValueError):
    pass

class TrainingDivergedError(FloatingPointError):
    pass

class KernelSetInfo:
    """
    A kernel set of this build: one instruction set.
    """
    @property
    def description(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def supported(self) -> bool:
        """
        Whether this machine can run it.
        """
    @property
    def width_float32(self) -> int:
        """
        Elements per vector.
        """
    @property
    def width_float64(self) -> int:
        """
        Elements per vector.
        """

class ActivationInfo:
    """
    A row of the activation table.
    """
    @property
    def name(self) -> str: ...
    @property
    def needs(self) -> str:
        """
        What its backward reads: "output" or "input"; "nothing" where it has none.
        """

class Context:
    """
    Where a run takes place: on which kernels, with how many threads.
    """
    def __init__(
        self, kernel_set: str | None = None, threads: typing.SupportsInt | typing.SupportsIndex | None = None
    ) -> None: ...
    @property
    def kernel_set(self) -> str: ...
    @property
    def threads(self) -> int:
        """
        The number asked for, or the most that a run would take.
        """

class Initializer:
    """
    An initializer as the core is told of it; its name alone will do.
    """
    def __init__(
        self,
        name: str,
        first: typing.SupportsFloat | typing.SupportsIndex = 0.0,
        second: typing.SupportsFloat | typing.SupportsIndex = 0.0,
    ) -> None: ...

class Dense:
    """
    A dense layer as the core is told of it.
    """
    def __init__(
        self,
        name: str,
        units: typing.SupportsInt | typing.SupportsIndex,
        use_bias: bool,
        activation: str,
        alpha: typing.SupportsFloat | typing.SupportsIndex,
        kernel_initializer: Initializer,
        bias_initializer: Initializer,
    ) -> None: ...
    @property
    def l1(self) -> float:
        """
        Of the kernel's penalty l1 Σ |w| + l2 Σ w².
        """
    @l1.setter
    def l1(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None: ...
    @property
    def l2(self) -> float: ...
    @l2.setter
    def l2(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None: ...

class Activation:
    """
    An activation layer as the core is told of it.
    """
    def __init__(self, name: str, activation: str, alpha: typing.SupportsFloat | typing.SupportsIndex) -> None: ...

class Dropout:
    """
    A dropout layer as the core is told of it.
    """
    def __init__(self, name: str, rate: typing.SupportsFloat | typing.SupportsIndex) -> None: ...

class Normalization:
    """
    A normalization of columns over the batch or of rows, as the core is told of it.
    """
    def __init__(
        self,
        name: str,
        over_batch: bool,
        epsilon: typing.SupportsFloat | typing.SupportsIndex,
        momentum: typing.SupportsFloat | typing.SupportsIndex = 0.0,
        center: bool = True,
        scale: bool = True,
    ) -> None: ...

class Rescale:
    """
    A rescale layer as the core is told of it.
    """
    def __init__(
        self,
        name: str,
        scale: typing.SupportsFloat | typing.SupportsIndex,
        offset: typing.SupportsFloat | typing.SupportsIndex,
    ) -> None: ...

class Custom:
    """
    A layer of the caller's own, as the core is told of it.
    """
    def __init__(
        self,
        name: str,
        forward: collections.abc.Callable[[typing.Any], typing.Any],
        backward: collections.abc.Callable[[typing.Any, typing.Any, typing.Any], typing.Any],
    ) -> None: ...

class Flatten:
    """
    A flatten layer as the core is told of it.
    """
    def __init__(self, name: str) -> None: ...

class Network:
    """
    A network: its architecture and its parameters, in one flat buffer.
    """
    def __init__(
        self,
        inputs: typing.SupportsInt | typing.SupportsIndex,
        layers: collections.abc.Sequence[Dense | Activation | Dropout | Normalization | Rescale | Flatten | Custom],
        dtype: str,
        seed: typing.SupportsInt | typing.SupportsIndex,
    ) -> None: ...
    def assign(self, index: typing.SupportsInt | typing.SupportsIndex, value: numpy.typing.NDArray[typing.Any]) -> None:
        """
        Copies a finite array of the parameter's shape and the network's dtype into it.
        """
    def parameters(self) -> list[typing.Any]:
        """
        Live read-only views: kernel (I, O), bias (O,) and the like of each layer in order.
        """
    def predict(self, context: Context, x: numpy.typing.NDArray[typing.Any]) -> numpy.typing.NDArray[typing.Any]:
        """
        The last layer's output (n, O) for rows of float32, float64 or uint8.
        """
    def try_predict(self, context: Context, x: typing.Any) -> typing.Any:
        """
        The same for an array that can be read where it lies and has the right columns; None for anything else.
        """
    @property
    def dtype(self) -> str: ...
    @property
    def inputs(self) -> int: ...
    @property
    def outputs(self) -> int: ...
    @property
    def trainable(self) -> tuple[typing.Any, ...]:
        """
        Of each parameter, whether training changes it by gradients; the others are moving statistics.
        """
    @property
    def version(self) -> int:
        """
        Raised by every write to the parameters.
        """

class Feed:
    """
    A data set: x read in place, targets copied.
    """
    def __init__(
        self,
        x: numpy.typing.NDArray[typing.Any],
        labels: numpy.typing.NDArray[typing.Any] | None = None,
        values: numpy.typing.NDArray[typing.Any] | None = None,
        weights: numpy.typing.NDArray[typing.Any] | None = None,
    ) -> None: ...

class Optimizer:
    """
    An optimizer as the core is told of it.
    """
    def __init__(
        self,
        name: str,
        momentum: typing.SupportsFloat | typing.SupportsIndex = 0.0,
        beta1: typing.SupportsFloat | typing.SupportsIndex = 0.9,
        beta2: typing.SupportsFloat | typing.SupportsIndex = 0.999,
        epsilon: typing.SupportsFloat | typing.SupportsIndex = 1e-08,
        weight_decay: typing.SupportsFloat | typing.SupportsIndex = 0.0,
        initial_accumulator: typing.SupportsFloat | typing.SupportsIndex = 0.0,
    ) -> None: ...
    @property
    def clip_norm(self) -> float:
        """
        The largest norm of all gradients together; 0: any.
        """
    @clip_norm.setter
    def clip_norm(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None: ...
    @property
    def clip_value(self) -> float:
        """
        The largest magnitude of a gradient; 0: any.
        """
    @clip_value.setter
    def clip_value(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None: ...
    @property
    def name(self) -> str:
        """
        Its row of the kernel sets' table.
        """

class Loss:
    """
    A loss as the core is told of it; its name does where it has no parameter.
    """
    @typing.overload
    def __init__(self, name: str, parameter: typing.SupportsFloat | typing.SupportsIndex = 0.0) -> None: ...
    @typing.overload
    def __init__(self, host: collections.abc.Callable[[typing.Any, typing.Any], typing.Any]) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def parameter(self) -> float: ...

class Schedule:
    """
    A learning-rate schedule as the core is told of it.
    """
    def __init__(
        self,
        name: str,
        initial: typing.SupportsFloat | typing.SupportsIndex = 0.0,
        final: typing.SupportsFloat | typing.SupportsIndex = 0.0,
        steps: typing.SupportsInt | typing.SupportsIndex = 0,
        *,
        factor: typing.SupportsFloat | typing.SupportsIndex = 1.0,
        peak: typing.SupportsFloat | typing.SupportsIndex = 0.0,
        peak_step: typing.SupportsFloat | typing.SupportsIndex = 0.0,
        boundaries: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex] = [],
        rates: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex] = [],
        then: Schedule | None = None,
    ) -> None: ...
    def rate(self, step: typing.SupportsInt | typing.SupportsIndex) -> float:
        """
        Of a step, counted from 0.
        """

class Metric:
    """
    A metric as the core is told of it; its name alone will do.
    """
    @typing.overload
    def __init__(
        self,
        name: str,
        threshold: typing.SupportsFloat | typing.SupportsIndex = 0.5,
        k: typing.SupportsInt | typing.SupportsIndex = 5,
        columns: bool = False,
    ) -> None: ...
    @typing.overload
    def __init__(self, host: collections.abc.Callable[[typing.Any, typing.Any], typing.Any]) -> None: ...

class Report:
    """
    What a run did, and on what.
    """
    def __repr__(self) -> str: ...
    @property
    def allotted(self) -> tuple[typing.Any, ...]:
        """
        (rows, weights): what part of that work each thread got, which comes in whole units; see taken_over.
        """
    @property
    def careful_steps(self) -> int:
        """
        Of these, the ones whose gradients were tested one by one because they might have overflowed.
        """
    @property
    def copied_lines(self) -> int:
        """
        Pieces of rows, as long as a cache line, that were copied beside the products of the batch before.
        """
    @property
    def descents(self) -> int:
        """
        Tiles of kernels that were updated by the product that makes their gradient, which was not written.
        """
    @property
    def epochs(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        (finished epochs, 1 + metrics): mean loss and metrics.
        """
    @property
    def kernel_set(self) -> str: ...
    @property
    def parts(self) -> tuple[typing.Any, ...]:
        """
        (rows, weights): what part of the batch's rows and of the weights each thread was to take in the last steps.
        """
    @property
    def plan(self) -> tuple[typing.Any, ...]:
        """
        Phases of a step, in order.
        """
    @property
    def running(self) -> tuple[typing.Any, ...]:
        """
        Mean loss and metrics of the epoch under way; empty at an epoch's end. After a run of one step NaN stands for a metric that only an epoch's end can tell.
        """
    @property
    def seconds(self) -> tuple[typing.Any, ...]:
        """
        Of each phase, the mean of a step, from a sample of steps.
        """
    @property
    def sparse_products(self) -> int:
        """
        Products of a panel of rows, or for a tile of a weight gradient, that left out the zeros of an operand.
        """
    @property
    def steps(self) -> int: ...
    @property
    def stopped(self) -> bool: ...
    @property
    def taken_over(self) -> int:
        """
        Units of work that a thread that was through took over from another, in place of waiting for it.
        """
    @property
    def team(self) -> int:
        """
        Threads that ran.
        """

class Evaluation:
    """
    Mean loss and metrics of a data set.
    """
    @property
    def loss(self) -> float: ...
    @property
    def metrics(self) -> tuple[typing.Any, ...]: ...
    @property
    def rows(self) -> int: ...

class Gradients:
    """
    Mean loss of a batch and its gradient by trainable parameter.
    """
    @property
    def arrays(self) -> list[typing.Any]: ...
    @property
    def loss(self) -> float: ...

class Snapshot:
    """
    Parameters, moments and counters: one value.
    """

class Training:
    """
    A network in training: loss, optimizer, schedule and where it is.
    """
    def __init__(
        self,
        network: Network,
        loss: Loss,
        target: str,
        optimizer: Optimizer,
        schedule: Schedule,
        metrics: collections.abc.Sequence[Metric],
        accumulate: typing.SupportsInt | typing.SupportsIndex = 1,
    ) -> None: ...
    def begin_epoch(self) -> None:
        """
        Drops an epoch under way.
        """
    def end_epoch(self) -> tuple[typing.Any, ...]:
        """
        Ends an epoch that came in parts; its mean loss and metrics.
        """
    def evaluate(self, context: Context, feed: Feed) -> Evaluation: ...
    def go_back(self) -> None:
        """
        Back to what was kept last.
        """
    def gradients(self, context: Context, feed: Feed) -> Gradients:
        """
        Of the whole feed as one batch; nothing changes.
        """
    def keep(self) -> None:
        """
        Keeps what a snapshot has, for `go_back`.
        """
    def let_go(self) -> None:
        """
        Frees what was kept, and targets that were read, where either is more than 16 MiB.
        """
    def require_derivatives(self) -> None:
        """
        Raises ValueError, naming the layer, where an activation without a derivative stands after weights.
        """
    def restore(self, snapshot: Snapshot) -> None: ...
    def run(
        self,
        context: Context,
        feed: Feed,
        *,
        batch_size: typing.SupportsInt | typing.SupportsIndex,
        steps: typing.SupportsInt | typing.SupportsIndex,
        shuffle: bool,
        plan: str = "auto",
        stop: typing.Any = None,
        part: bool = False,
        last: bool = False,
        parts: tuple[
            collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex],
            collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex],
        ]
        | None = None,
    ) -> Report:
        """
        Takes up to `steps` batches from where the state is; each makes an optimizer step unless several are accumulated. With `part` the feed is one batch of an epoch that goes on until the caller ends it, its last where `last` says so. `parts`: of the batch's rows and of the weights, what each of the context's threads takes with the named plan; else it is as they are fast.
        """
    def sample(
        self,
        first: typing.SupportsInt | typing.SupportsIndex,
        rates: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex],
    ) -> None:
        """
        Rates of the steps from `first` on, for the schedule "sampled".
        """
    def set_epoch(self, epoch: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    def set_learning_rate(self, rate: typing.SupportsFloat | typing.SupportsIndex | None) -> None:
        """
        Of all steps from now on, in place of the schedule's; None: the schedule's again.
        """
    def snapshot(self) -> Snapshot: ...
    def try_epochs(
        self,
        context: Context,
        x: typing.Any,
        y: typing.Any,
        rule: str,
        batch_size: typing.SupportsInt | typing.SupportsIndex,
        epochs: typing.SupportsInt | typing.SupportsIndex,
        shuffle: bool,
        stop: typing.Any,
    ) -> typing.Any:
        """
        New epochs in one run: its report; None, and no step, where x and y want a closer look. Weights, moments and counters are as they were where x holds NaN or infinity.
        """
    def try_step(self, context: Context, x: typing.Any, y: typing.Any, rule: str) -> typing.Any:
        """
        A step on one batch: its loss and metrics; None, and no step, where x and y want a closer look. `rule` is what values must be.
        """
    def watch(self, every: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        Looks at the layers at each step whose number `every` divides; 0: at none.
        """
    def watched(self) -> tuple[typing.Any, ...]:
        """
        The looks since the last call: steps (n,), names of the stages, and (n, stages, quantities); and the loss of every batch.
        """
    @property
    def epoch(self) -> int: ...
    @property
    def fused(self) -> bool:
        """
        Whether the network's last activation is left to the loss.
        """
    @property
    def given_rate(self) -> float | None:
        """
        What set_learning_rate was told last.
        """
    @property
    def learning_rate(self) -> float:
        """
        Of the next step.
        """
    @property
    def loss(self) -> Loss:
        """
        What is run: the loss of the logits where the last activation is left to it.
        """
    @property
    def position(self) -> int:
        """
        Batches done in this epoch.
        """
    @property
    def report(self) -> Report:
        """
        Of the latest run, also of one that an exception ended: what was done before.
        """
    @property
    def step(self) -> int:
        """
        Optimizer steps made.
        """

class Passes:
    """
    What the passes over one network share: its gradients and their memory.
    """
    def __init__(self, network: Network) -> None: ...
    def forward(self, context: Context, x: numpy.typing.NDArray[typing.Any], training: bool) -> tuple[typing.Any, ...]:
        """
        A pass over float32, float64 or uint8 rows, in training or not, and its output (n, O).
        """
    def gradient(self, index: typing.SupportsInt | typing.SupportsIndex) -> typing.Any:
        """
        A copy of a parameter's gradient, in the parameter's shape; None without one.
        """
    def zero(self, parameters: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> None:
        """
        Forgets the gradients of the parameters of these numbers.
        """

class Pass:
    """
    A forward pass with its activations.
    """
    def loss(
        self, context: Context, loss: Loss, kind: str, target: numpy.typing.NDArray[typing.Any]
    ) -> tuple[typing.Any, ...]:
        """
        The mean loss of the output, and the way back from it.
        """

class Differential:
    """
    The gradient of a loss with respect to a pass's output.
    """
    def backward(self, context: Context, factor: typing.SupportsFloat | typing.SupportsIndex = 1.0) -> None:
        """
        Adds factor times the loss's gradients.
        """

class UpdateGroup:
    """
    Numbers of parameters, and the optimizer that updates them.
    """
    def __init__(
        self, parameters: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], optimizer: Optimizer
    ) -> None: ...

class Updates:
    """
    An optimizer's moments and counters over some of a network's parameters.
    """
    def __init__(self, passes: Passes, groups: collections.abc.Sequence[UpdateGroup]) -> None: ...
    def set_optimizer(self, group: typing.SupportsInt | typing.SupportsIndex, optimizer: Optimizer) -> None: ...
    def step(
        self, context: Context, rates: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex]
    ) -> None:
        """
        One update, with a learning rate for each group.
        """

def activations() -> list[ActivationInfo]: ...
def apply_activation(
    context: Context, name: str, x: typing.Any, alpha: typing.SupportsFloat | typing.SupportsIndex = 0.0
) -> typing.Any:
    """
    An activation of an array, softmax over its last axis; None where x is no C-contiguous array of float32 or float64 that can be read as it lies.
    """

def default_team() -> int:
    """
    Threads that a run may use when nobody asks for a number.
    """

def differentiate_activation(
    context: Context, name: str, x: typing.Any, alpha: typing.SupportsFloat | typing.SupportsIndex = 0.0
) -> typing.Any:
    """
    The derivative of an elementwise activation at each element of such an array, or None.
    """

def initializers() -> list[str]: ...
def kernel_sets() -> list[KernelSetInfo]:
    """
    The kernel sets of this build, best first.
    """

def labels(y: numpy.typing.NDArray[typing.Any], classes: typing.SupportsInt | typing.SupportsIndex) -> typing.Any:
    """
    Labels as an int32 copy; None where they need a closer look.
    """

def losses() -> list[str]: ...
def mean_loss(
    context: Context,
    loss: Loss,
    kind: str,
    y: numpy.typing.NDArray[typing.Any],
    target: numpy.typing.NDArray[typing.Any],
) -> float:
    """
    Of any outputs (n, O).
    """

def measured_peak(
    context: Context, dtype: str = "float32", seconds: typing.SupportsFloat | typing.SupportsIndex = 0.2
) -> float:
    """
    Floating-point operations a second of fused multiply-adds in registers: the best of short runs.
    """

def measured_update(
    context: Context,
    optimizer: str,
    parameters: typing.SupportsInt | typing.SupportsIndex,
    dtype: str = "float32",
    seconds: typing.SupportsFloat | typing.SupportsIndex = 0.2,
) -> float:
    """
    Seconds of one optimizer update of so many parameters: the best of several.
    """

def metrics() -> list[str]: ...
def optimizers() -> list[str]: ...
def schedules() -> list[str]: ...
def try_matmul(context: Context, a: typing.Any, b: typing.Any, out: typing.Any) -> typing.Any:
    """
    a (M, K) · b (K, N), one of them perhaps a vector (K,), into `out` where it is not None; None where they are not of one float type or can not be read as they lie.
    """

__version__: str
operations: types.ModuleType
