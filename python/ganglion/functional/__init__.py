"""A textbook's functions, NumPy in and NumPy out: products, activations, losses, and what is done with values alone.

Activations run on the core's own kernels. They take any array of real numbers, of any shape, and give an array of that
shape: float32 and float64 of the same type, float16 computed in float32 and rounded back, integers, bool and long
doubles in float64. NaN and infinity pass through them, and nothing is flushed to zero.

Examples
--------
>>> import numpy as np, ganglion.functional as F
>>> F.relu([[-1.0, 2.0], [3.0, -4.0]])
array([[0., 2.],
       [3., 0.]])
>>> F.numerical_gradient(lambda x: np.sum(x**2), np.array([3.0, 4.0])).round(9)
array([6., 8.])
"""

from ganglion.arguments import no_attribute
from ganglion.functional.activations import elu as elu
from ganglion.functional.activations import elu_derivative as elu_derivative
from ganglion.functional.activations import gelu as gelu
from ganglion.functional.activations import gelu_derivative as gelu_derivative
from ganglion.functional.activations import identity as identity
from ganglion.functional.activations import identity_derivative as identity_derivative
from ganglion.functional.activations import leaky_relu as leaky_relu
from ganglion.functional.activations import leaky_relu_derivative as leaky_relu_derivative
from ganglion.functional.activations import relu as relu
from ganglion.functional.activations import relu_derivative as relu_derivative
from ganglion.functional.activations import selu as selu
from ganglion.functional.activations import selu_derivative as selu_derivative
from ganglion.functional.activations import sigmoid as sigmoid
from ganglion.functional.activations import sigmoid_derivative as sigmoid_derivative
from ganglion.functional.activations import softmax as softmax
from ganglion.functional.activations import softmax_derivative as softmax_derivative
from ganglion.functional.activations import softplus as softplus
from ganglion.functional.activations import softplus_derivative as softplus_derivative
from ganglion.functional.activations import step as step
from ganglion.functional.activations import swish as swish
from ganglion.functional.activations import swish_derivative as swish_derivative
from ganglion.functional.activations import tanh as tanh
from ganglion.functional.activations import tanh_derivative as tanh_derivative
from ganglion.functional.calculus import gradient_descent as gradient_descent
from ganglion.functional.calculus import newton_method as newton_method
from ganglion.functional.calculus import numerical_diff as numerical_diff
from ganglion.functional.calculus import numerical_gradient as numerical_gradient
from ganglion.functional.losses import cross_entropy_error as cross_entropy_error
from ganglion.functional.losses import cross_entropy_error_derivative as cross_entropy_error_derivative
from ganglion.functional.losses import mean_absolute_error as mean_absolute_error
from ganglion.functional.losses import mean_absolute_error_derivative as mean_absolute_error_derivative
from ganglion.functional.losses import mean_squared_error as mean_squared_error
from ganglion.functional.losses import mean_squared_error_derivative as mean_squared_error_derivative
from ganglion.functional.losses import sum_squares_error as sum_squares_error
from ganglion.functional.losses import sum_squares_error_derivative as sum_squares_error_derivative
from ganglion.functional.products import matmul as matmul

ELSEWHERE = {
    **dict.fromkeys(("cross_entropy", "nll_loss"), "it is cross_entropy_error(y, t), of probabilities y = softmax(z)"),
    "mse_loss": "it is mean_squared_error(y, t)",
    "l1_loss": "it is mean_absolute_error(y, t)",
    **dict.fromkeys(("linear", "dropout", "batch_norm"), "it is a layer: see ganglion.nn"),
}


def __getattr__(name: str) -> object:
    raise no_attribute(__name__, name, [known for known in globals() if not known.startswith("_")], ELSEWHERE.get(name))
