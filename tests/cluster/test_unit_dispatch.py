"""Whom units and pages are given, and what becomes of them when actors, engines and machines are lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.cluster.cluster import BACKLOG, Cluster, ClusterReaders
from pipeline.cluster.messages import Head, PicturesLostError, Pixels, packed, unpacked
from pipeline.engines.base import Request
from pipeline.errors import EngineUnavailableError
from pipeline.records import Answer, PageImage
from pipeline.runtime.engine_process import EngineDiedError
from pipeline.runtime.worker_pool import Reply
from tests.cluster.paper import Paper, Ref, node
from tests.cluster.test_engine_process import request

pytest.importorskip("ray")


def answer(ref: Ref) -> Answer:
    return Answer(ref.what.key)


def gone() -> Exception:
    from ray.exceptions import RayActorError

    return RayActorError()


def out_of_memory() -> Exception:
    from ray.exceptions import OutOfMemoryError

    make: Any = OutOfMemoryError
    error: Exception = make("the node runs low on memory")
    return error


def test_units_are_shared_out_evenly_and_no_actor_gets_more_than_it_can_hold() -> None:
    paper = Paper(machines=2)
    paper.ready(0, 1)
    paper.ask(20)
    assert sorted(number for number, _ in paper.pages()) == [0] * 4 + [1] * 4
    assert paper.units.waiting == 12
    paper.tell(paper.asked[0], answer(paper.asked[0]))
    assert len(paper.asked) == 8, "the next one follows at once"
    assert len(paper.units.answers) == 1


def test_no_more_pages_are_read_when_engines_have_enough() -> None:
    paper = Paper(machines=1)
    paper.ready(0)
    cluster = Cluster(paper.settings, "handler")
    cluster._units, cluster._crew = paper.units, paper.crew
    readers = ClusterReaders(paper.reads, cluster)
    held, asked = 4, 0
    while readers.room:
        asked += 1
        paper.units.ask(request("page", asked))
        assert asked <= 100
    assert asked == held + BACKLOG + 2 + 1
    paper.tell(paper.asked[0], answer(paper.asked[0]))
    assert readers.room, "an answer makes room for a page"


def test_a_page_keeps_its_words_on_the_way() -> None:
    page = request("some words here").page
    bare, words = packed(page)
    asked: Any = SimpleNamespace(page=bare, words=words)
    assert bare.words == ()
    assert unpacked(asked) == page


def test_whoever_was_with_an_engine_that_died_is_asked_alone_until_the_guilty_one_is_known() -> None:
    paper = Paper(machines=1)
    paper.ready(0)
    paper.ask(6)
    deaths = 0
    told: dict[int, str] = {}
    while paper.asked:
        before = [ref.what.key.page for ref in paper.asked]
        if 2 in before:
            deaths += 1
            for ref in list(paper.asked):
                paper.tell(ref, EngineDiedError("killed"))
                if deaths > 1:
                    assert before == [2], "after the first death it is alone"
        else:
            paper.tell(paper.asked[0], answer(paper.asked[0]))
        while paper.units.answers:
            found = paper.units.answers.popleft()
            told[found.key.page] = found.status
    assert deaths == 3
    assert told == {2: "failed", **dict.fromkeys((1, 3, 4, 5, 6), "done")}
    assert paper.units.load == 0


def test_a_machine_that_leaves_three_times_accuses_nobody_who_was_not_alone() -> None:
    paper = Paper(machines=1)
    paper.ready(0)
    paper.ask(3)
    paper.see(0)
    assert paper.asked[0].number == 0
    paper.asked.clear()
    paper.see(1)
    paper.ready(1)
    while paper.asked:
        assert len(paper.asked) == 1, "suspects are asked one by one"
        paper.tell(paper.asked[0], answer(paper.asked[0]))
    assert [found.status for found in paper.units.answers] == ["done"] * 3


@pytest.mark.parametrize("end", [gone, out_of_memory])
def test_an_actor_that_ray_calls_dead_is_replaced_and_its_late_answers_do_not_count(end: Callable[[], Exception]) -> None:
    paper = Paper(machines=2)
    paper.ready(0, 1)
    paper.ask(2)
    first, late = paper.asked
    paper.units.ask(request("third", 3))
    third = next(ref for ref in paper.asked if ref not in (first, late))
    dead, alive = (first, late) if third.number == first.number else (late, first)
    paper.tell(third, end())
    assert paper.killed == 1
    again = [ref.what.key.page for ref in paper.asked if ref.number == alive.number]
    assert dead.what.key.page in again or paper.units.waiting, "what the dead one had is asked elsewhere"
    paper.tell(dead, answer(dead))
    assert not paper.units.answers, "an answer of one that was given up comes too late"


def test_an_engine_that_is_unavailable_costs_no_unit_and_its_place_rests() -> None:
    paper = Paper(machines=2)
    paper.ready(0, 1)
    paper.ask(1)
    ref = paper.asked[0]
    paper.tell(ref, EngineUnavailableError("the server is gone"))
    assert [number for number, _ in paper.pages()] == [1 - ref.number]
    assert paper.crew.unfit == {f"h{ref.number}": "the server is gone"}
    paper.see(2)
    assert len(paper.started) == 2, "it is not started again at once"
    paper.tell(paper.asked[0], answer(paper.asked[0]))
    assert [found.status for found in paper.units.answers] == ["done"]


def test_actors_whose_engine_would_be_another_one_get_no_work() -> None:
    paper = Paper(machines=2)
    paper.ready(0)
    paper.ready(1, identity="paper/2")
    paper.ask(10)
    assert {number for number, _ in paper.pages()} == {0}
    assert "paper/2" in paper.crew.unfit["h1"]


def test_a_picture_whose_machine_is_gone_is_drawn_again() -> None:
    paper = Paper(machines=1)
    paper.ready(0)
    pixels: Any = Pixels("lost", 0, 12, 1, b"the call that drew it")
    paper.units.ask(replace(request("page", 1), image=PageImage(2, 2, pixels, 1.0)))
    paper.tell(paper.asked[0], PicturesLostError())
    assert [ref.what for ref in paper.read] == [b"the call that drew it"]
    paper.tell(paper.read[0], Head([b"{}"], pixels=(12,)))
    assert paper.asked[0].what.pixels == replace(pixels, ref="pixels")
    paper.tell(paper.asked[0], answer(paper.asked[0]))
    assert [found.status for found in paper.units.answers] == ["done"]


def test_a_picture_whose_actor_is_gone_is_not_waited_for() -> None:
    paper = Paper(machines=1)
    paper.ready(0)
    pixels: Any = Pixels("lost", 0, 12, 99, b"the call that drew it")
    paper.units.ask(replace(request("page", 1), image=PageImage(2, 2, pixels, 1.0)))
    assert (paper.asked, [ref.what for ref in paper.read]) == ([], [b"the call that drew it"])
    paper.tell(paper.read[0], Head([b"{}"], pixels=(12,)))
    assert paper.asked[0].what.pixels == replace(pixels, ref="pixels", station=1)


def test_a_picture_that_never_arrives_is_given_up() -> None:
    paper = Paper(machines=1)
    paper.ready(0)
    pixels: Any = Pixels("lost", 0, 12, 1, b"the call that drew it")
    paper.units.ask(replace(request("page", 1), image=PageImage(2, 2, pixels, 1.0)))
    while paper.asked:
        paper.tell(paper.asked[0], PicturesLostError())
        if paper.read:
            paper.tell(paper.read[0], Head([b"{}"], pixels=(12,)))
    assert [found.status for found in paper.units.answers] == ["failed"]
    assert paper.units.load == 0


def test_a_page_over_which_actors_are_lost_again_and_again_is_unreadable() -> None:
    paper = Paper(machines=1, pause_seconds=0)
    replies: list[Reply] = []
    lost: list[str] = []
    paper.reads.submit(b"call", replies.append, lost.append)
    for number in range(5):
        assert not replies
        paper.see(1)
        paper.ready(number)
        paper.tell(paper.read[0], gone())
    assert [reply.error.reason for reply in replies if reply.error] == ["unreadable"]
    assert len(lost) == 5
    assert not paper.read


def submit_two(paper: Paper) -> list[tuple[bytes, Reply]]:
    """Two pages to be read, and the list to which each reply is added with its page."""
    replies: list[tuple[bytes, Reply]] = []
    for page in (b"1", b"2"):
        paper.reads.submit(page, lambda reply, page=page: replies.append((page, reply)))  # type: ignore[misc]
    return replies


def test_pages_are_not_given_up_for_what_kills_actors_beside_them() -> None:
    paper = Paper(machines=1, pause_seconds=0)
    replies = submit_two(paper)
    paper.ask(1)
    paper.ready(0)
    actor = 0
    while paper.asked or paper.read:
        if paper.asked:
            assert actor == 0 or not paper.read, "a suspect has an actor for itself"
            paper.read.clear()
            paper.tell(paper.asked[0], gone())
            actor += 1
            paper.see(1)
            paper.ready(actor)
        else:
            paper.tell(paper.read[0], Head([b"{}"]))
    assert [found.status for found in paper.units.answers] == ["failed"]
    assert sorted((page, reply.error) for page, reply in replies) == [(b"1", None), (b"2", None)]


def test_pages_that_machines_took_along_are_read_alone_at_last() -> None:
    paper = Paper(machines=1)
    replies = submit_two(paper)
    for number in range(4):
        paper.see(1)
        paper.ready(number)
        assert len(paper.read) == (2 if number < 2 else 1), "the third machine reads them one by one"
        paper.read.clear()
        paper.see(0)
    paper.see(1)
    paper.ready(4)
    while paper.read:
        assert len(paper.read) == 1
        paper.tell(paper.read[0], Head([b"{}"]))
    assert sorted((page, reply.error) for page, reply in replies) == [(b"1", None), (b"2", None)]


def test_readers_that_cannot_start_cost_no_page() -> None:
    paper = Paper(machines=1, pause_seconds=0)
    replies = submit_two(paper)
    for number in range(7):
        paper.see(1)
        paper.ready(number)
        assert len(paper.read) == 2
        paper.tell(paper.read[0], EngineUnavailableError("the inbox is not there"))
        paper.read.clear()
    assert not replies


def test_with_a_number_of_actors_those_without_room_wait_for_machines() -> None:
    paper = Paper(machines=2, actors=4)
    assert sorted(actor.place.node for actor in paper.crew.starting.values()) == ["", "", node(0), node(1)]
    few = Paper(machines=3, actors=2)
    assert len(few.started) == 2


def test_a_new_round_does_not_wait_for_what_the_last_one_asked() -> None:
    paper = Paper(machines=1)
    paper.ready(0)
    paper.ask(2)
    old: list[Ref] = list(paper.asked)
    paper.units.begin()
    assert paper.units.load == 0
    for ref in old:
        paper.tell(ref, answer(ref))
    assert not paper.units.answers


def test_a_new_round_gets_the_actor_that_was_kept_for_a_suspect_of_the_last_one() -> None:
    paper = Paper(machines=2)
    paper.ready(0, 1)
    paper.ask(4)
    lost = next(ref for ref in paper.asked if ref.number == 0)
    kept = {ref.what.key.page for ref in paper.asked if ref.number == 1}
    paper.tell(lost, gone())
    assert {ref.what.key.page for ref in paper.asked if ref.number == 1} == kept, "it is to be empty for a suspect"
    paper.units.begin()
    assert paper.units.waiting == 0
    paper.turn()
    paper.units.ask(request("new", 9))
    assert (1, 9) in paper.pages()


def test_requests_are_what_they_were() -> None:
    """Nothing of a request is lost on its way."""
    paper = Paper(machines=1)
    paper.ready(0)
    sent: Request = replace(request("page", 1), pages=7, temperature=0.3)
    paper.units.ask(sent)
    asked = paper.asked[0].what
    assert (asked.key, unpacked(asked), asked.template, asked.pages, asked.temperature) == (
        sent.key, sent.page, sent.template, 7, 0.3,
    )  # fmt: skip
