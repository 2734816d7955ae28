"""A reader that goes in circles costs its page, not the run."""

from __future__ import annotations

import re
import threading
import time

import pytest

from pipeline.engines.deadline import DeadlineError, deadline


def test_endless_code_ends() -> None:
    def spin() -> None:
        while True:
            pass

    with pytest.raises(DeadlineError), deadline(0.05):
        spin()


def test_an_exploding_pattern_ends() -> None:
    with pytest.raises(DeadlineError), deadline(0.05):
        re.match(r"(a+)+$", "a" * 40 + "b")


def test_fast_code_is_not_interrupted_later() -> None:
    with deadline(0.05):
        answer = 1 + 1
    time.sleep(0.1)
    assert answer == 2


def test_other_threads_run_without_a_limit() -> None:
    ended: list[int] = []

    def work() -> None:
        with deadline(0.01):
            time.sleep(0.05)
            ended.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended == [1]
