"""A save on a disk that fails at any of its calls: the old file stays, or the new one is whole."""

import errno
import io
import os
import re

import pytest

import ganglion as gg
from ganglion.atomic_file import replace_file
from model_files import assert_same_model, small_model


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.safetensors"
    small_model().save(path)
    return path


CALLS = ["open", "fchmod", "write", "fsync", "close", "replace"]


class Failing:
    """The functions of `os` that a save uses; the call of the given number does what `fail` says instead."""

    def __init__(self, monkeypatch, number, fail):
        self.made = []
        for name in CALLS:
            monkeypatch.setattr(os, name, self.wrapped(name, getattr(os, name), number, fail))

    def wrapped(self, name, function, number, fail):
        def call(*arguments, **keywords):
            self.made.append(name)
            if len(self.made) == number:
                if name == "close":
                    function(*arguments)  # Linux closes even where it reports an error
                fail()
            return function(*arguments, **keywords)

        return call


def calls_of_a_save(path):
    with pytest.MonkeyPatch.context() as monkeypatch:
        calls = Failing(monkeypatch, 0, None)
        small_model().save(path)
    return calls.made


def test_the_order_of_a_save(saved):
    made = calls_of_a_save(saved)
    writes = made.count("write")
    assert writes == 2 + len(small_model().parameters())
    before = ["open", "open", "fchmod", *["write"] * writes, "fsync", "close"]
    verify = ["open"]
    assert made == [*before, *verify, "replace", "fsync", "close"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS])
def test_a_failing_call_leaves_the_old_file_and_no_other(saved, code):
    old = saved.read_bytes()
    made = calls_of_a_save(saved)
    saved.write_bytes(old)
    renamed = made.index("replace") + 1
    for number in range(1, len(made) + 1):
        new = small_model(seed=number + 1)

        def fail():
            raise OSError(code, os.strerror(code))

        with pytest.MonkeyPatch.context() as monkeypatch:
            Failing(monkeypatch, number, fail)
            with pytest.raises(OSError, match=os.strerror(code)) as raised:
                new.save(saved)
        assert raised.value.errno == code
        assert type(raised.value) is type(OSError(code, ""))
        assert list(saved.parent.iterdir()) == [saved]
        if number <= renamed:
            assert saved.read_bytes() == old
        else:
            assert_same_model(gg.load(saved), new)
            saved.write_bytes(old)


def test_a_failing_call_names_the_file(saved, monkeypatch):
    def fail():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    Failing(monkeypatch, CALLS.index("write") + 2, fail)
    with pytest.raises(OSError, match=rf"No space left on device: '{re.escape(str(saved))}'"):
        small_model().save(saved)


def test_ctrl_c_leaves_the_old_file_and_no_other(saved):
    old = saved.read_bytes()
    made = calls_of_a_save(saved)
    saved.write_bytes(old)

    def interrupt():
        raise KeyboardInterrupt

    for number in range(2, made.index("replace") + 1):
        with pytest.MonkeyPatch.context() as monkeypatch:
            Failing(monkeypatch, number + 1, interrupt)
            with pytest.raises(KeyboardInterrupt):
                small_model(seed=9).save(saved)
        assert list(saved.parent.iterdir()) == [saved]
        assert saved.read_bytes() == old


def test_a_kill_at_any_call_leaves_the_old_file_or_the_new(saved):
    old, new = saved.read_bytes(), small_model(seed=9)
    made = calls_of_a_save(saved)
    saved.write_bytes(old)
    new.state_dict()
    for number in range(1, len(made) + 1):
        child = os.fork()
        if child == 0:
            with pytest.MonkeyPatch.context() as monkeypatch:
                Failing(monkeypatch, number, lambda: os._exit(9))
                new.save(saved)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        if number <= made.index("replace") + 1:
            assert saved.read_bytes() == old
        else:
            assert_same_model(gg.load(saved), new)


def test_short_writes_are_continued(saved, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:7]))
    other = small_model(seed=9)
    other.save(saved)
    assert_same_model(gg.load(saved), other)


def test_what_the_disk_garbles_is_noticed_before_the_old_file_goes(saved, monkeypatch):
    old = saved.read_bytes()
    write = os.write

    def garble(descriptor, data):
        garbled = bytearray(data)
        garbled[-1] ^= 1
        return write(descriptor, garbled)

    monkeypatch.setattr(os, "write", garble)
    with pytest.raises(OSError, match=rf"Errno 5. what was read back is not what was written .*: '{saved}'"):
        small_model(seed=9).save(saved)
    assert saved.read_bytes() == old
    assert list(saved.parent.iterdir()) == [saved]


def test_a_disk_that_cannot_be_read_is_noticed(saved, monkeypatch):
    class Broken(io.FileIO):
        def readinto(self, buffer):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    old = saved.read_bytes()
    monkeypatch.setattr(gg.safetensors, "open", lambda path, *_, **__: Broken(path), raising=False)
    with pytest.raises(OSError, match="Input/output error"):
        small_model(seed=9).save(saved)
    with pytest.raises(OSError, match="Input/output error"):
        gg.load(saved)
    assert saved.read_bytes() == old
    assert list(saved.parent.iterdir()) == [saved]


def test_pieces_that_cannot_be_made_leave_the_old_file(saved):
    def pieces():
        yield b"begun"
        raise RuntimeError("no more")

    old = saved.read_bytes()
    with pytest.raises(RuntimeError, match="no more"):
        replace_file(saved, pieces(), verify=lambda path: None)
    assert saved.read_bytes() == old
    assert list(saved.parent.iterdir()) == [saved]
