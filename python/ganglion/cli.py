"""The command ``ganglion``: bench, demo, info, verify. Each imports what it needs; none waits for the others."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["main"]


def _whole(minimum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < minimum:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {minimum}, got {text!r}")
        return int(text)

    return parse


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def _parser() -> argparse.ArgumentParser:
    from ganglion import __version__

    parser = argparse.ArgumentParser(prog="ganglion", description="Dense neural networks on the CPU.")
    parser.add_argument("--version", action="version", version=f"ganglion {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    bench = commands.add_parser(
        "bench",
        help="compare speed with the libraries installed here",
        description="Train, predict and multiply with ganglion and with NumPy, PyTorch, JAX, Keras, scikit-learn and "
        "ONNX Runtime where they are installed, each in processes of its own; compare the answers, then the times.",
    )
    bench.add_argument(
        "--work",
        type=_names,
        default=["train", "predict", "matmul", "import"],
        metavar="NAME,...",
        help="workloads or groups: train, features, predict, matmul, import, activation, update "
        "(default: train, predict, matmul, import)",
    )
    bench.add_argument("--only", type=_names, default=[], metavar="NAME,...", help="peers (default: all)")
    bench.add_argument("--rounds", type=_whole(1), metavar="N", help="rounds (default: 7)")
    bench.add_argument("--quick", action="store_true", help="two short rounds: a look, not a measurement")
    bench.add_argument("--shuffle", action="store_true", help="train on rows in a new order each epoch")
    bench.add_argument("--json", type=Path, metavar="FILE", help="where to write every round")
    bench.set_defaults(run=_bench)

    demo = commands.add_parser(
        "demo",
        help="train on real digits, beside NumPy",
        description="Train on scans of digits with three seeds; print accuracy and speed beside NumPy; write the model "
        "and a picture of its learning curves.",
    )
    demo.add_argument(
        "data", nargs="?", choices=("digits", "mnist"), default="digits", help="what to train on (default: %(default)s)"
    )
    demo.add_argument("--data", dest="folder", type=Path, metavar="DIR", help="folder of MNIST's four files")
    demo.add_argument(
        "--out", type=Path, default=Path("ganglion-demo"), metavar="DIR", help="where to write (default: %(default)s)"
    )
    demo.add_argument("--epochs", type=_whole(1), metavar="N", help="epochs per seed (default: 12; mnist: 5)")
    demo.add_argument(
        "--seed", type=_whole(0), default=0, metavar="N", help="the first of the seeds (default: %(default)s)"
    )
    demo.set_defaults(run=_demo)

    info = commands.add_parser(
        "info", help="what runs here: CPU, kernel sets, threads", description="Show what runs here."
    )
    info.set_defaults(run=_info)

    verify = commands.add_parser(
        "verify",
        help="test that this machine computes the published bits",
        description="Train a small network on every kernel set of this machine and compare the bits with the published "
        "ones; compare forward pass, gradients and update with the float64 reference.",
    )
    verify.set_defaults(run=_verify)
    return parser


def _bench(arguments: argparse.Namespace) -> bool:
    from ganglion import benchmark

    given = {name: getattr(arguments, name) for name in ("rounds", "quick", "shuffle", "json")}
    return benchmark.run(arguments.work, arguments.only, **given)


def _demo(arguments: argparse.Namespace) -> bool:
    if (arguments.data == "mnist") != (arguments.folder is not None):
        raise ValueError("mnist and --data DIR go together: ganglion demo mnist --data FOLDER")
    from ganglion import demo

    recipe = demo.MNIST if arguments.data == "mnist" else demo.DIGITS
    data = demo.mnist(arguments.folder) if arguments.data == "mnist" else demo.digits()
    return demo.run(recipe, data, arguments.out, arguments.epochs, arguments.seed)


def _info(arguments: argparse.Namespace) -> bool:
    del arguments
    from ganglion import info

    print(info())
    return True


def _verify(arguments: argparse.Namespace) -> bool:
    del arguments
    from ganglion import self_test

    return self_test.run()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.

    Returns
    -------
    int
        0 if all is well, 1 if not, 130 after Ctrl-C; wrong arguments raise SystemExit(2).
    """
    arguments = _parser().parse_args(argv)
    try:
        return 0 if arguments.run(arguments) else 1
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        print(f"ganglion {arguments.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nganglion {arguments.command}: interrupted", file=sys.stderr)
        return 130
