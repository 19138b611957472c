"""Everything that the core computes, once more in plain float64 NumPy, to read and to compare with.

Nothing here imports the core, and nothing is fast. A network is a `Sequential` of `Dense` and `Activation` layers, and
`train` runs it. Each family has a table from the names that descriptions use: `ACTIVATIONS`, `LOSSES`, `OPTIMIZERS`,
`SCHEDULES`, `INITIALIZERS`, `METRICS`.
"""

from .activations import ACTIVATIONS as ACTIVATIONS
from .activations import elu as elu
from .activations import elu_derivative as elu_derivative
from .activations import identity as identity
from .activations import identity_derivative as identity_derivative
from .activations import leaky_relu as leaky_relu
from .activations import leaky_relu_derivative as leaky_relu_derivative
from .activations import relu as relu
from .activations import relu_derivative as relu_derivative
from .activations import sigmoid as sigmoid
from .activations import sigmoid_derivative as sigmoid_derivative
from .activations import softmax as softmax
from .activations import softmax_backward as softmax_backward
from .activations import tanh as tanh
from .activations import tanh_derivative as tanh_derivative
from .array import Array as Array
from .bounds import forward_bounds as forward_bounds
from .bounds import gradient_bounds as gradient_bounds
from .bounds import precision as precision
from .bounds import update_bounds as update_bounds
from .clipping import clipped as clipped
from .initializers import INITIALIZERS as INITIALIZERS
from .initializers import initialize as initialize
from .initializers import orthogonal as orthogonal
from .layers import Activation as Activation
from .layers import Dense as Dense
from .layers import matmul as matmul
from .layers import matmul_backward as matmul_backward
from .losses import LOSSES as LOSSES
from .losses import cross_entropy as cross_entropy
from .losses import mse as mse
from .losses import one_hot as one_hot
from .metrics import METRICS as METRICS
from .metrics import accuracy as accuracy
from .metrics import auc as auc
from .metrics import classes as classes
from .metrics import f1 as f1
from .metrics import mean_absolute_error as mean_absolute_error
from .metrics import mean_squared_error as mean_squared_error
from .metrics import r2 as r2
from .metrics import recall as recall
from .metrics import top_k_accuracy as top_k_accuracy
from .optimizers import OPTIMIZERS as OPTIMIZERS
from .optimizers import SGD as SGD
from .optimizers import AdaGrad as AdaGrad
from .optimizers import Adam as Adam
from .optimizers import AdamW as AdamW
from .optimizers import Optimizer as Optimizer
from .optimizers import RMSprop as RMSprop
from .random import normal as normal
from .random import philox as philox
from .random import shuffle as shuffle
from .random import uniform as uniform
from .random import words as words
from .regularizers import penalty as penalty
from .schedules import SCHEDULES as SCHEDULES
from .schedules import Constant as Constant
from .schedules import Cosine as Cosine
from .schedules import Exponential as Exponential
from .schedules import Linear as Linear
from .schedules import OneCycle as OneCycle
from .schedules import Piecewise as Piecewise
from .schedules import Sampled as Sampled
from .schedules import Schedule as Schedule
from .schedules import Staircase as Staircase
from .schedules import WarmUp as WarmUp
from .sequential import Sequential as Sequential
from .training import Losses as Losses
from .training import batches as batches
from .training import train as train
from .weights import weighted as weighted
