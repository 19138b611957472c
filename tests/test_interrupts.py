"""Ctrl-C and other signals while the core is at work, and what they leave behind."""

import gc
import math
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest

import ganglion as gg
from small_models import LABELS, X, classifier, regressor


@pytest.mark.parametrize("use", ["evaluate", "predict"])
def test_a_long_pass_looks_for_signals(use):
    model = gg.Sequential(gg.Dense(256, "tanh", input_shape=(4,)), gg.Dense(256, "tanh"), gg.Dense(2))
    trainer = gg.Trainer(model, "cross_entropy")
    x, labels = np.zeros((3_000_000, 4), np.uint8), np.zeros(3_000_000, np.int32)
    arrived = []

    def arrive(signum, frame):
        del frame
        arrived.append(signum)
        if len(arrived) == 3:  # signals that nobody looks for until the end are one
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, arrive)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
        with pytest.raises(KeyboardInterrupt):
            trainer.evaluate(x, labels) if use == "evaluate" else trainer.predict(x)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert math.isfinite(trainer.evaluate(x[:9], labels[:9])["loss"])


@pytest.mark.parametrize("verbose", [0, 1])
def test_an_interrupt_leaves_a_usable_model(verbose, capsys):
    trainer = gg.Trainer(classifier(), "cross_entropy")

    def interrupt():
        while trainer.history is None:  # a busy machine may take its time to begin the fit
            time.sleep(0.01)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    sender = threading.Thread(target=interrupt)
    sender.start()
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(X, LABELS, epochs=10**7, batch_size=1, verbose=verbose)
    sender.join()
    assert not np.array_equal(trainer.model.get_weights()[0], classifier().get_weights()[0])
    assert math.isfinite(trainer.evaluate(X, LABELS)["loss"])
    finished = len(trainer.history.epoch)
    assert 0 < finished == len(trainer.history.history["loss"]) < 10**7
    assert trainer._latest.epoch == finished
    assert trainer.history.seconds > 0.2
    trainer.fit(X, LABELS, verbose=0)
    assert verbose == 0 or capsys.readouterr().out.endswith("\n")


@contextmanager
def collecting_all_the_time():
    """Garbage is collected at almost every allocation, and what its collector calls loses the exceptions raised in it.

    A thread gives up the interpreter only where it waits, so that no signal arrives in the midst of a method.
    """

    def collected(phase, info):
        del phase, info

    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.callbacks.append(collected)
    try:
        gc.set_threshold(1, 10**6, 10**6)
        sys.setswitchinterval(60)
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(collected)


def test_ctrl_c_between_calls_of_a_loss_of_ones_own():
    class Interrupting(gg.CustomLoss):
        """A thread of the core's sends the signal; the main thread meets it before it enters a method."""

        sent = False

        def values(self, output, target):
            if threading.current_thread() is not threading.main_thread() and not self.sent:
                object.__setattr__(self, "sent", True)
                os.kill(os.getpid(), signal.SIGINT)
            return ((output - target) ** 2).sum(axis=1)

        def gradient(self, output, target):
            return 2 * (output - target)

    x = np.tile(X, (8, 1))
    for _ in range(4):
        trainer = gg.Trainer(regressor(), Interrupting(), threads=3)
        with collecting_all_the_time(), pytest.raises(KeyboardInterrupt):
            trainer.fit(x, x[:, :2], epochs=10**4, batch_size=len(x), verbose=0)
        trainer.fit(x, x[:, :2], verbose=0)


@pytest.mark.parametrize("call", ["fit", "train_on_batch"])
def test_ctrl_c_in_a_loop_of_short_calls_leaves_the_model_free(call):
    """At 400 moments; taking and freeing the right in Python lost it at one in thirty."""
    trainer = gg.Trainer(regressor(), "mse", threads=1)
    trainer.fit(X, X[:, :2], verbose=0)
    randomness = np.random.default_rng(0)

    def arrive(signum, frame):
        raise KeyboardInterrupt

    def calls(seconds):
        signal.setitimer(signal.ITIMER_REAL, seconds)
        while True:
            trainer.fit(X, X[:, :2], verbose=0) if call == "fit" else trainer.train_on_batch(X, X[:, :2])

    before = signal.signal(signal.SIGALRM, arrive)
    try:
        for _ in range(400):
            with pytest.raises(KeyboardInterrupt):
                calls(randomness.uniform(5e-5, 3e-4))
            assert not trainer.model.access.right.locked()
    finally:
        signal.signal(signal.SIGALRM, before)
