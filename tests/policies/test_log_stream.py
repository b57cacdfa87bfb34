from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from bridge.policies.log_stream import LogStream

LINE = "x" * 200 + "\n"


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    ends = [reading, writing]
    yield ends
    for end in ends:
        if end >= 0:
            os.close(end)


@pytest.fixture
def stream(pipe):
    made = LogStream(pipe[1])
    yield made
    if made._own not in (None, pipe[1]):
        os.close(made._own)


def test_a_line_is_written_whole(stream, pipe):
    stream("one\n")
    stream("zwei é\n")
    assert os.read(pipe[0], 100) == b"one\nzwei \\xe9\n"
    assert stream.lost == 0


def test_a_reader_that_has_stopped_reading_holds_nobody_up(stream, pipe):
    thread = threading.Thread(target=lambda: [stream(LINE) for _ in range(2_000)])
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert stream.lost > 1_000
    lost = stream.lost
    os.read(pipe[0], 1_000_000)
    stream(LINE)
    assert stream.lost == lost


def test_a_reader_that_has_gone_fails_nobody(stream, pipe):
    os.close(pipe[0])
    pipe[0] = -1
    stream(LINE)
    assert stream.lost == 1


def test_a_full_disk_fails_nobody():
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    fd = os.open(full, os.O_WRONLY)
    try:
        stream = LogStream(fd)
        stream(LINE)
        assert stream.lost == 1
    finally:
        os.close(fd)


def test_lines_in_a_file_stand_behind_what_others_write_there(tmp_path):
    path = tmp_path / "log"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        os.write(fd, b"before\n")
        stream = LogStream(fd)
        stream("ours\n")
        os.write(fd, b"after\n")
    finally:
        os.close(fd)
    assert path.read_text() == "before\nours\nafter\n"


def test_lines_of_many_threads_do_not_mix(tmp_path):
    path = tmp_path / "log"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        stream = LogStream(fd)
        threads = [
            threading.Thread(target=lambda name=name: [stream(name * 100 + "\n") for _ in range(200)]) for name in "abcd"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        os.close(fd)
    lines = path.read_text().splitlines()
    assert len(lines) == 800
    assert set(lines) == {name * 100 for name in "abcd"}


def test_a_line_that_was_torn_does_not_tear_the_next(stream, pipe):
    stream("y" * 1_000_000 + "\n")
    assert stream.lost == 1
    os.read(pipe[0], 1_000_000)
    stream("next\n")
    assert os.read(pipe[0], 100) == b"\nnext\n"
