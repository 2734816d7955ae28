"""Which actors get units and pages, and what happens when actors, engines and machines are lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.cluster.cluster import ClusterReaders
from pipeline.cluster.messages import ImageLostError, ReplyHead, pack_page, unpack_page
from pipeline.cluster.unit_dispatch import BACKLOG
from pipeline.engines.base import Request
from pipeline.errors import EngineUnavailableError
from pipeline.records import Answer, FieldLesson, Lesson, RemoteImage, RemotePixels, Sender
from pipeline.runtime.engine_process import EngineDiedError
from pipeline.runtime.worker_pool import Reply
from tests.cluster.fake_cluster import Call, FakeCluster, node
from tests.cluster.test_engine_process import request

pytest.importorskip("ray")


def answer(call: Call) -> Answer:
    return Answer(call.argument.key)


def gone() -> Exception:
    from ray.exceptions import RayActorError

    return RayActorError()


def out_of_memory() -> Exception:
    from ray.exceptions import OutOfMemoryError

    make: Any = OutOfMemoryError
    error: Exception = make("the node runs low on memory")
    return error


def test_units_are_spread_evenly_and_no_actor_gets_more_than_it_can_hold() -> None:
    cluster = FakeCluster(machines=2)
    cluster.start(0, 1)
    cluster.submit(20)
    assert sorted(number for number, _ in cluster.assignments()) == [0] * 4 + [1] * 4
    assert cluster.units.waiting == 12
    cluster.finish(cluster.unit_calls[0], answer(cluster.unit_calls[0]))
    assert len(cluster.unit_calls) == 8, "the next one follows at once"
    assert len(cluster.units.answers) == 1


def test_no_more_pages_are_read_when_engines_have_enough() -> None:
    cluster = FakeCluster(machines=1)
    cluster.start(0)
    readers = ClusterReaders(cluster.pages, cluster.units, lambda _: cluster.handle_events())
    held, submitted = 4, 0
    while readers.room:
        submitted += 1
        cluster.units.submit(request("page", submitted))
        assert submitted <= 100
    assert submitted == held + BACKLOG + 2 + 1
    cluster.finish(cluster.unit_calls[0], answer(cluster.unit_calls[0]))
    assert readers.room, "an answer makes room for a page"


def test_a_page_keeps_its_words_on_the_way() -> None:
    page = request("some words here").page
    bare, words = pack_page(page)
    message: Any = SimpleNamespace(page=bare, words=words)
    assert bare.words == ()
    assert unpack_page(message) == page


def test_units_of_an_engine_that_died_are_answered_alone_until_the_cause_is_known() -> None:
    cluster = FakeCluster(machines=1)
    cluster.start(0)
    cluster.submit(6)
    deaths = 0
    statuses: dict[int, str] = {}
    while cluster.unit_calls:
        before = [call.argument.key.page for call in cluster.unit_calls]
        if 2 in before:
            deaths += 1
            for call in list(cluster.unit_calls):
                cluster.finish(call, EngineDiedError("killed"))
                if deaths > 1:
                    assert before == [2], "after the first death it is alone"
        else:
            cluster.finish(cluster.unit_calls[0], answer(cluster.unit_calls[0]))
        while cluster.units.answers:
            found = cluster.units.answers.popleft()
            statuses[found.key.page] = found.status
            assert found.final == (found.key.page == 2), "it has killed engines and is not asked again"
    assert deaths == 3
    assert statuses == {2: "failed", **dict.fromkeys((1, 3, 4, 5, 6), "done")}
    assert cluster.units.load == 0


def test_units_that_were_not_alone_are_not_accused_when_a_machine_leaves() -> None:
    cluster = FakeCluster(machines=1)
    cluster.start(0)
    cluster.submit(3)
    cluster.set_machines(0)
    assert cluster.unit_calls[0].actor == 0
    cluster.unit_calls.clear()
    cluster.set_machines(1)
    cluster.start(1)
    while cluster.unit_calls:
        assert len(cluster.unit_calls) == 1, "suspects are answered one by one"
        cluster.finish(cluster.unit_calls[0], answer(cluster.unit_calls[0]))
    assert [found.status for found in cluster.units.answers] == ["done"] * 3


@pytest.mark.parametrize("end", [gone, out_of_memory])
def test_an_actor_that_ray_calls_dead_is_replaced_and_its_late_answers_do_not_count(end: Callable[[], Exception]) -> None:
    cluster = FakeCluster(machines=2)
    cluster.start(0, 1)
    cluster.submit(2)
    first, late = cluster.unit_calls
    cluster.units.submit(request("third", 3))
    third = next(call for call in cluster.unit_calls if call not in (first, late))
    dead, alive = (first, late) if third.actor == first.actor else (late, first)
    cluster.finish(third, end())
    assert cluster.killed == 1
    again = [call.argument.key.page for call in cluster.unit_calls if call.actor == alive.actor]
    assert dead.argument.key.page in again or cluster.units.waiting, "the units of the lost actor are answered by the other one"
    cluster.finish(dead, answer(dead))
    assert not cluster.units.answers, "an answer of a lost actor is ignored"


def test_an_unavailable_engine_costs_no_unit_and_is_started_again_after_a_pause() -> None:
    cluster = FakeCluster(machines=2)
    cluster.start(0, 1)
    cluster.submit(1)
    call = cluster.unit_calls[0]
    cluster.finish(call, EngineUnavailableError("the server is gone"))
    assert [number for number, _ in cluster.assignments()] == [1 - call.actor]
    assert cluster.actors.unfit == {f"h{call.actor}": "the server is gone"}
    cluster.set_machines(2)
    assert len(cluster.starts) == 2, "it is not started again at once"
    cluster.finish(cluster.unit_calls[0], answer(cluster.unit_calls[0]))
    assert [found.status for found in cluster.units.answers] == ["done"]


def test_actors_whose_engine_would_be_another_one_get_no_work() -> None:
    cluster = FakeCluster(machines=2)
    cluster.start(0)
    cluster.start(1, identity="fake/2")
    cluster.submit(10)
    assert {number for number, _ in cluster.assignments()} == {0}
    assert "fake/2" in cluster.actors.unfit["h1"]


def test_an_image_whose_machine_is_gone_is_drawn_again() -> None:
    cluster = FakeCluster(machines=1)
    cluster.start(0)
    pixels = RemotePixels("lost", 0, 12, 1, b"the call that drew it")
    cluster.units.submit(replace(request("page", 1), image=RemoteImage(2, 2, pixels, 1.0)))
    cluster.finish(cluster.unit_calls[0], ImageLostError())
    assert [call.argument for call in cluster.page_calls] == [b"the call that drew it"]
    cluster.finish(cluster.page_calls[0], ReplyHead([b"{}"], (12,)))
    assert cluster.unit_calls[0].argument.image.pixels == replace(pixels, ref="pixels")
    cluster.finish(cluster.unit_calls[0], answer(cluster.unit_calls[0]))
    assert [found.status for found in cluster.units.answers] == ["done"]


def test_an_image_whose_actor_is_gone_is_drawn_again_at_once() -> None:
    cluster = FakeCluster(machines=1)
    cluster.start(0)
    pixels = RemotePixels("lost", 0, 12, 99, b"the call that drew it")
    cluster.units.submit(replace(request("page", 1), image=RemoteImage(2, 2, pixels, 1.0)))
    assert (cluster.unit_calls, [call.argument for call in cluster.page_calls]) == ([], [b"the call that drew it"])
    cluster.finish(cluster.page_calls[0], ReplyHead([b"{}"], (12,)))
    assert cluster.unit_calls[0].argument.image.pixels == replace(pixels, ref="pixels", actor=1)


def test_an_image_that_never_arrives_is_given_up() -> None:
    cluster = FakeCluster(machines=1)
    cluster.start(0)
    pixels = RemotePixels("lost", 0, 12, 1, b"the call that drew it")
    cluster.units.submit(replace(request("page", 1), image=RemoteImage(2, 2, pixels, 1.0)))
    while cluster.unit_calls:
        cluster.finish(cluster.unit_calls[0], ImageLostError())
        if cluster.page_calls:
            cluster.finish(cluster.page_calls[0], ReplyHead([b"{}"], (12,)))
    assert [found.status for found in cluster.units.answers] == ["failed"]
    assert cluster.units.load == 0


def test_a_page_over_which_actors_are_lost_again_and_again_is_unreadable() -> None:
    cluster = FakeCluster(machines=1, pause_seconds=0)
    replies: list[Reply] = []
    lost: list[str] = []
    cluster.pages.submit(b"call", replies.append, lost.append)
    for number in range(5):
        assert not replies
        cluster.set_machines(1)
        cluster.start(number)
        cluster.finish(cluster.page_calls[0], gone())
    assert [reply.error.reason for reply in replies if reply.error] == ["unreadable"]
    assert len(lost) == 5
    assert not cluster.page_calls


def submit_two(cluster: FakeCluster) -> list[tuple[bytes, Reply]]:
    """Two pages to be read, and the list to which each reply is added with its page."""
    replies: list[tuple[bytes, Reply]] = []
    for page in (b"1", b"2"):
        cluster.pages.submit(page, lambda reply, page=page: replies.append((page, reply)))  # type: ignore[misc]
    return replies


def test_a_page_is_not_given_up_when_a_unit_beside_it_kills_actors() -> None:
    cluster = FakeCluster(machines=1, pause_seconds=0)
    replies = submit_two(cluster)
    cluster.submit(1)
    cluster.start(0)
    actor = 0
    while cluster.unit_calls or cluster.page_calls:
        if cluster.unit_calls:
            assert actor == 0 or not cluster.page_calls, "a suspect has an actor for itself"
            cluster.page_calls.clear()
            cluster.finish(cluster.unit_calls[0], gone())
            actor += 1
            cluster.set_machines(1)
            cluster.start(actor)
        else:
            cluster.finish(cluster.page_calls[0], ReplyHead([b"{}"]))
    assert [found.status for found in cluster.units.answers] == ["failed"]
    assert sorted((page, reply.error) for page, reply in replies) == [(b"1", None), (b"2", None)]


def test_pages_that_were_lost_twice_with_their_machines_are_read_alone() -> None:
    cluster = FakeCluster(machines=1)
    replies = submit_two(cluster)
    for number in range(4):
        cluster.set_machines(1)
        cluster.start(number)
        assert len(cluster.page_calls) == (2 if number < 2 else 1), "the third machine reads them one by one"
        cluster.page_calls.clear()
        cluster.set_machines(0)
    cluster.set_machines(1)
    cluster.start(4)
    while cluster.page_calls:
        assert len(cluster.page_calls) == 1
        cluster.finish(cluster.page_calls[0], ReplyHead([b"{}"]))
    assert sorted((page, reply.error) for page, reply in replies) == [(b"1", None), (b"2", None)]


def test_readers_that_cannot_start_cost_no_page() -> None:
    cluster = FakeCluster(machines=1, pause_seconds=0)
    replies = submit_two(cluster)
    for number in range(7):
        cluster.set_machines(1)
        cluster.start(number)
        assert len(cluster.page_calls) == 2
        cluster.finish(cluster.page_calls[0], EngineUnavailableError("the inbox is not there"))
        cluster.page_calls.clear()
    assert not replies


def test_actors_beyond_the_room_there_is_wait_for_machines() -> None:
    cluster = FakeCluster(machines=2, actors=4)
    assert sorted(actor.place.node for actor in cluster.actors.starting.values()) == ["", "", node(0), node(1)]
    few = FakeCluster(machines=3, actors=2)
    assert len(few.starts) == 2


def test_a_new_round_does_not_wait_for_units_of_the_last_one() -> None:
    cluster = FakeCluster(machines=1)
    cluster.start(0)
    cluster.submit(2)
    old: list[Call] = list(cluster.unit_calls)
    cluster.units.reset()
    assert cluster.units.load == 0
    for call in old:
        cluster.finish(call, answer(call))
    assert not cluster.units.answers


def test_a_new_round_gets_the_actor_that_was_kept_for_a_suspect_of_the_last_one() -> None:
    cluster = FakeCluster(machines=2)
    cluster.start(0, 1)
    cluster.submit(4)
    lost = next(call for call in cluster.unit_calls if call.actor == 0)
    kept = {call.argument.key.page for call in cluster.unit_calls if call.actor == 1}
    cluster.finish(lost, gone())
    assert {call.argument.key.page for call in cluster.unit_calls if call.actor == 1} == kept, "it is to be empty for a suspect"
    cluster.units.reset()
    assert cluster.units.waiting == 0
    cluster.handle_events()
    cluster.units.submit(request("new", 9))
    assert (1, 9) in cluster.assignments()


def test_requests_arrive_unchanged() -> None:
    """All fields of a request reach the actor."""
    cluster = FakeCluster(machines=1)
    cluster.start(0)
    sent: Request = replace(request("page", 1), pages=7, temperature=0.3)
    cluster.units.submit(sent)
    message = cluster.unit_calls[0].argument
    assert (message.key, unpack_page(message), message.template, message.pages, message.temperature) == (
        sent.key, sent.page, sent.template, 7, 0.3,
    )  # fmt: skip


def test_a_lesson_about_the_sender_travels_with_the_unit() -> None:
    cluster = FakeCluster(machines=1)
    cluster.start(0)
    lesson = Lesson(3, "transcript", Sender(names=("A",)), {"text": FieldLesson(("Word",))})
    cluster.submit(1, lesson=lesson)
    assert cluster.unit_calls[0].argument.lesson == lesson
