"""A suspect gets a place that has nothing else to do, and keeps it until it is released."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.runtime.quarantine import Quarantine


@dataclass(eq=False)
class Worker:
    """A place with so much to do."""

    in_flight: int = 0
    reserved: bool = False


def quarantine(*suspects: str) -> tuple[Quarantine[str, Worker], list[tuple[str, Worker]]]:
    """A quarantine with these suspects, and the list to which each is added with its place."""
    made, handed_out = Quarantine[str, Worker](), list[tuple[str, Worker]]()
    for suspect in suspects:
        made.add(suspect, lambda place, suspect=suspect: handed_out.append((suspect, place)))  # type: ignore[misc]
    return made, handed_out


def test_one_suspect_at_a_time_gets_the_only_place() -> None:
    process = Worker()
    suspects, handed_out = quarantine("a", "b")
    suspects.assign([process])
    suspects.assign([process])
    assert handed_out == [("a", process)]
    assert (process.reserved, suspects.suspect_at(process), suspects.count_waiting()) == (True, "a", 1)
    suspects.release("b", process)
    suspects.assign([process])
    assert handed_out == [("a", process)], "another suspect's answer does not free the place"
    suspects.release("a", process)
    assert not process.reserved
    suspects.assign([process])
    assert handed_out == [("a", process), ("b", process)]


def test_a_busy_place_is_reserved_and_gets_its_suspect_when_it_is_idle() -> None:
    busy, busier = Worker(1), Worker(2)
    suspects, handed_out = quarantine("a")
    suspects.assign([busier, busy])
    assert (busy.reserved, busier.reserved, handed_out) == (True, False, [])
    assert suspects.count_waiting() == 1
    busy.in_flight = 0
    suspects.assign([busier, busy])
    assert handed_out == [("a", busy)]
    assert suspects.count_waiting() == 0


def test_at_most_a_quarter_of_the_places_is_reserved() -> None:
    places = [Worker() for _ in range(11)]
    suspects, handed_out = quarantine("a", "b", "c")
    suspects.assign(places)
    assert [suspect for suspect, _ in handed_out] == ["a", "b"]


def test_a_suspect_whose_place_is_gone_before_it_was_idle_is_the_next_one_again() -> None:
    first, second = Worker(1), Worker()
    suspects, handed_out = quarantine("a", "b")
    suspects.assign([first])
    suspects.remove_place(first)
    suspects.assign([second])
    assert handed_out == [("a", second)]
    suspects.remove_place(second)
    assert suspects.count_waiting() == 1, "one that was there is not queued again: it is accused"


def test_suspects_that_are_discarded_free_the_place_that_waited_for_them() -> None:
    freed: list[Worker] = []
    place = Worker(1)
    suspects = Quarantine[str, Worker](freed.append)
    suspects.add("a", lambda _: None)
    suspects.assign([place])
    suspects.discard(lambda suspect: suspect == "a")
    assert (place.reserved, freed, suspects.count_waiting()) == (False, [place], 0)
