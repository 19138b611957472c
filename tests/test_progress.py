"""Progress lines: what they say, when they are refreshed, and how they look in a terminal and in a log."""

import io

import numpy as np
import pytest

import ganglion as gg
from ganglion.errors import TrainingDivergedError
from ganglion.progress import REFRESH_SECONDS, Progress, duration, rate, style
from ganglion.sources import Arrays


class Terminal(io.StringIO):
    """A terminal that nothing is known about, or one of a given encoding."""

    def __init__(self, encoding="utf-8"):
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self):
        return self._encoding

    def isatty(self):
        return True

    def screen(self):
        """The lines as they stand in the end."""
        lines = []
        for line in self.getvalue().split("\n"):
            shown = ""
            for piece in line.split("\r"):
                shown = piece + shown[len(piece) :]
            lines.append(shown.rstrip())
        return lines


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def progress(stream, *, living=True, rows=1000, names=("loss", "accuracy"), **options):
    clock = Clock()
    options = {"epochs": 12, "batch_size": 100} | options
    return clock, Progress(living, rows=rows, names=names, stream=stream, clock=clock, **options)


@pytest.mark.parametrize(
    ("verbose", "terminal", "expected"),
    [("auto", True, 1), ("auto", False, 2), (0, True, 0), (1, False, 1), (2, True, 2), (np.int64(2), True, 2)],
)
def test_style(verbose, terminal, expected):
    assert style(verbose, Terminal() if terminal else io.StringIO()) == expected


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.00 s"),
        (0.994, "0.99 s"),
        (1.0, "1.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1:00"),
        (119.6, "2:00"),
        (3599.7, "1:00:00"),
        (7322, "2:02:02"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("rows", "seconds", "text"),
    [
        (10, 2.0, "5 samples/s"),
        (999.4, 1.0, "999 samples/s"),
        (999.6, 1.0, "1.00k samples/s"),
        (123_456, 1.0, "123k samples/s"),
        (60_000, 0.05, "1.20M samples/s"),
        (5, 0.0, "5.00G samples/s"),
    ],
)
def test_rate(rows, seconds, text):
    assert rate(rows, seconds) == text


def test_a_terminal_s_line_lives():
    terminal = Terminal()
    clock, lines = progress(terminal)
    clock.now += 2.0
    assert lines.stop(0, 5, 0.25, (0.5,)) is False
    assert terminal.screen() == ["epoch  1/12   50%  loss 0.2500  accuracy 0.5000  250 samples/s  46.0 s left"]
    clock.now += 2.0
    lines.end_epochs(["loss", "accuracy", "val_loss", "val_accuracy"], np.array([[0.2, 0.6, 0.00012349, 0.0]]), 3.0)
    assert terminal.screen() == [
        "epoch  1/12  loss 0.2000  accuracy 0.6000  val_loss 0.0001235  val_accuracy 0.0000  333 samples/s  4.0 s",
        "",
    ]


def test_a_line_of_unknown_length_has_no_end():
    terminal = Terminal()
    clock, lines = progress(terminal, rows=None, epochs=3)
    clock.now += 2.0
    lines.show(1500, (0.25, 0.5))
    assert terminal.screen() == ["epoch 1/3  1,500 samples  loss 0.2500  accuracy 0.5000  750 samples/s"]
    lines.end_epochs(["loss"], np.array([[0.2]]), 3.0, rows=3000)
    clock.now += 1.0
    lines.show(1500, (0.25, 0.5))
    assert terminal.screen()[1:] == ["epoch 2/3   50%  loss 0.2500  accuracy 0.5000  1.50k samples/s  3.0 s left"]


def test_an_epoch_that_is_not_the_first_to_begin_with():
    terminal = Terminal()
    clock, lines = progress(terminal, epochs=12, first=10)
    clock.now += 2.0
    lines.show(500, (0.25, 0.5))
    assert terminal.screen() == ["epoch 11/12   50%  loss 0.2500  accuracy 0.5000  250 samples/s  6.0 s left"]


def test_a_wide_terminal_has_a_bar(monkeypatch):
    for encoding, bar in (("utf-8", "━" * 12 + "─" * 12), ("ascii", "=" * 12 + "-" * 12), (None, "=" * 12 + "-" * 12)):
        terminal = Terminal(encoding)
        clock, lines = progress(terminal, epochs=1)
        monkeypatch.setattr(lines, "_columns", lambda: 120)
        clock.now += 2.0
        lines.stop(0, 5, 0.25, (0.5,))
        assert terminal.screen() == [f"epoch 1/1  {bar}  loss 0.2500  accuracy 0.5000  250 samples/s  2.0 s left"]


def test_a_line_never_wraps():
    terminal = Terminal()
    clock, lines = progress(terminal, names=[f"metric_{i}" for i in range(20)])
    clock.now += 1.0
    lines.stop(0, 5, 1.0, (1.0,) * 19)
    (line,) = terminal.getvalue().split("\r")[1:]
    assert len(line) == 79  # of 80 columns where the size is not known


def test_ten_refreshes_a_second_at_most():
    terminal = Terminal()
    clock, lines = progress(terminal)
    for step in range(1000):
        clock.now += 0.01
        lines.stop(0, step % 10, 0.5, (0.5,))
    assert 10 / REFRESH_SECONDS * 0.8 < terminal.getvalue().count("\r") <= 10 / REFRESH_SECONDS + 1


def test_a_log_has_a_plain_line_an_epoch():
    log = io.StringIO()
    clock, lines = progress(log, living=False, epochs=2)
    for _ in range(2):
        for step in range(1, 10):
            clock.now += 0.5
            lines.stop(0, step, 0.25, (0.5,))
        lines.end_epochs(["loss", "accuracy"], np.array([[12345.678, 1.0]]), 4.5)
    lines.close()
    assert log.getvalue() == (
        "epoch 1/2  loss 1.235e+04  accuracy 1.0000  222 samples/s  4.5 s\n"
        "epoch 2/2  loss 1.235e+04  accuracy 1.0000  222 samples/s  4.5 s\n"
    )


def test_of_many_epochs_ten_a_second_leave_a_line():
    log = io.StringIO()
    clock, lines = progress(log, living=False, epochs=1000)
    for epoch in range(1, 1001):
        clock.now += 0.0041
        lines.end_epochs(["loss"], np.array([[epoch]]), 0.004)
    lines.close()
    written = log.getvalue().splitlines()
    assert written[0] == "epoch   25/1000  loss 25.0000  250k samples/s  0.10 s"
    assert [line.split("/")[0] for line in written] == [f"epoch {i:>4}" for i in range(25, 1001, 25)]


@pytest.mark.parametrize(("first", "count"), [(0, 100), (900, 100), (0, 101)])
def test_of_a_hundred_epochs_all_leave_a_line(first, count):
    terminal = Terminal()
    clock, lines = progress(terminal, epochs=first + count, first=first)
    clock.now += 0.1
    lines.stop(0, 5, 0.25, (0.5,))
    clock.now += 0.15 * (count - 1) - 0.1
    lines.end_epochs(["loss"], np.arange(count - 1.0)[:, np.newaxis], 0.1 * (count - 1))
    lines.end_epochs(["loss"], np.array([[0.5]]), 0.1)
    last = first + count
    shown, seconds = (range(99), "0.15") if count == 100 else ([99], "15.0")
    label = f"{{:>{len(str(last))}}}/{last}"
    expected = [
        *(f"epoch {label.format(first + i + 1)}  loss {i:.4f}  10.0k samples/s  {seconds} s" for i in shown),
        f"epoch {last}/{last}  loss 0.5000  10.0k samples/s  0.00 s",
    ]
    assert terminal.screen() == [*expected, ""]


def test_epochs_at_once_reach_to_the_next_line():
    log = io.StringIO()
    clock, lines = progress(log, living=False, epochs=1000)
    assert lines.epochs_at_once() == 1  # until it is known how long they take
    clock.now += 0.003
    lines.end_epochs(["loss"], np.array([[0.5]]), 0.003)
    assert lines.epochs_at_once() == 33
    clock.now += 0.05
    lines.end_epochs(["loss"], np.array([[0.25]] * 33), 0.05)  # faster than thought
    assert log.getvalue() == ""
    assert lines.epochs_at_once() == 32
    clock.now += 0.048
    lines.end_epochs(["loss"], np.array([[0.125]] * 32), 0.048)
    assert log.getvalue() == "epoch   66/1000  loss 0.1250  653k samples/s  0.10 s\n"
    clock.now += 1.0
    assert lines.epochs_at_once() == 1


def test_the_running_line_counts_epochs_that_nobody_told_of():
    terminal = Terminal()
    clock, lines = progress(terminal, epochs=200)
    clock.now += 1.0
    lines.end_epochs(["loss"], np.array([[0.5]] * 5), 1.0)
    clock.now += 1.0
    lines.stop(4, 5, 0.25, (0.5,))
    assert terminal.screen() == [
        "epoch   5/200  loss 0.5000  5.00k samples/s  1.0 s",
        "epoch  10/200   50%  loss 0.2500  accuracy 0.5000  4.50k samples/s  40.1 s left",
    ]


def test_what_is_not_said_yet_is_said_in_the_end():
    log = io.StringIO()
    clock, lines = progress(log, living=False, epochs=1000)
    for _ in range(3):
        clock.now += 0.01
        lines.end_epochs(["loss"], np.array([[0.5]] * 2), 0.01)
    assert log.getvalue() == ""
    lines.close()
    lines.close()
    assert log.getvalue() == "epoch    6/1000  loss 0.5000  200k samples/s  0.03 s\n"


def test_an_unfinished_line_is_ended_once():
    terminal = Terminal()
    clock, lines = progress(terminal)
    clock.now += 1.0
    lines.stop(0, 5, 0.25, (0.5,))
    lines.close()
    lines.close()
    assert terminal.getvalue().count("\n") == 1


def test_fit_prints_a_line_an_epoch(capsys):
    x, y = np.eye(4), [0, 1, 0, 1]
    trainer = gg.Trainer(gg.Sequential(gg.Dense(2)), "cross_entropy", metrics=["accuracy"])
    trainer.fit(x, y, epochs=10, validation_data=(x, y))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  loss ")[0] for line in lines] == [f"epoch {i:>2}/10" for i in range(1, 11)]
    for line in lines:
        assert [part.split(" ")[0] for part in line.partition("/10  ")[2].split("  ")[:4]] == [
            "loss",
            "accuracy",
            "val_loss",
            "val_accuracy",
        ]
        assert line.count("samples/s") == 1
    trainer.fit(x, y, verbose=0)
    assert capsys.readouterr().out == ""


def count_runs(monkeypatch):
    """How many epochs each run of the core is asked for, from now on."""
    asked, run = [], Arrays.run
    monkeypatch.setattr(Arrays, "run", lambda source, epochs, stop: asked.append(epochs) or run(source, epochs, stop))
    return asked


def test_lines_are_no_reason_for_a_run_an_epoch(capsys, monkeypatch):
    asked = count_runs(monkeypatch)
    trained = {}
    for verbose in (0, 1, 2):
        trainer = gg.Trainer(gg.Sequential(gg.Dense(1, input_shape=(2,)), seed=0), "mse", metrics=["mae"])
        history = trainer.fit(np.eye(2), np.ones(2), epochs=5000, verbose=verbose)
        trained[verbose] = (history.history["loss"], history.history["mae"], trainer.model.get_weights()[0].tobytes())
        assert sum(asked) == 5000
        assert len(asked) < 500
        assert max(asked) > 10
        asked.clear()
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) < 500
        if verbose:
            loss = f"{history.history['loss'][-1]:.4g}"
            assert lines[-1].split("\r")[-1].startswith(f"epoch 5000/5000  loss {loss}  mae ")
    assert trained[0] == trained[1] == trained[2]


def test_who_listens_to_epochs_hears_each_but_not_all_leave_a_line(capsys, monkeypatch):
    asked, heard = count_runs(monkeypatch), []
    trainer = gg.Trainer(gg.Sequential(gg.Dense(1)), "mse")

    def stop_early(epoch, logs):
        heard.append((epoch, logs["loss"]))
        trainer.stop_training = epoch == 299

    history = trainer.fit(np.eye(2), np.ones(2), epochs=500, callbacks=[stop_early])
    assert heard == list(enumerate(history.history["loss"]))
    assert asked == [1] * 300
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("epoch 300/500  loss ")
    assert len(lines) < 300


def test_the_last_line_before_an_error_is_of_the_last_epoch(capsys):
    x, y = np.eye(2), np.ones(2)
    trainer = gg.Trainer(gg.Sequential(gg.Dense(1)), "mse", gg.SGD(3.0))
    with pytest.raises(TrainingDivergedError):
        trainer.fit(x, y, epochs=100_000)
    ended = len(trainer.history.epoch)
    assert ended > 10
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"epoch {ended:>6}/100000  loss ")


def test_a_long_epoch_shows_itself(capsys):
    x, y = np.tile(np.eye(4), (50_000, 1)), np.tile([0, 1, 0, 1], 50_000)
    gg.Trainer(gg.Sequential(gg.Dense(64, "tanh"), gg.Dense(2)), "cross_entropy").fit(x, y, batch_size=1, verbose=1)
    written = capsys.readouterr().out
    assert written.count("\n") == 1
    assert "% " in written
    assert " left" in written
