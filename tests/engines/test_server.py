"""The engine `server` against scripted servers, which behave in every way that real servers do."""

from __future__ import annotations

import asyncio
import base64
import io
import itertools
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipeline.engines.base import Request
from pipeline.engines.prompting import make_prompt
from pipeline.engines.server import ServerEngine
from pipeline.engines.server.retry import LONGEST_RETRY_AFTER_SECONDS, retry_seconds
from pipeline.errors import EngineUnavailableError
from pipeline.records import Answer
from pipeline.settings import Settings
from pipeline.settings_sections import ServerSettings
from pipeline.templates.answer_schema import json_schema
from pipeline.templates.question_template import ask_template
from tests.engines.conformance import ALL_TYPES, BUILT_IN, PICTURE, request, sample_requests
from tests.engines.polling import answer_all, stream_answers
from tests.engines.scripted import Behave, Call, Handler, ScriptedServer, behave_well
from tests.llama_server import free_port

KEY = "sk-very-secret-4711"
INVOICE, TRANSCRIPT = BUILT_IN["invoice"], BUILT_IN["transcript"]


def engine_at(url: str, **changes: Any) -> ServerEngine:
    return ServerEngine(Settings(model="m", server=ServerSettings(url=url, **changes)))


def run_requests(behave: Behave, *requests: Request, **changes: Any) -> tuple[list[Answer], list[Call]]:
    """Answers of a server that behaves like this, and the requests that it got."""
    with ScriptedServer(behave) as script:
        answers = answer_all(engine_at(script.url, **changes), *(requests or (request(ALL_TYPES),)))
        return answers, script.calls


def single_answer(behave: Behave, *requests: Request, **changes: Any) -> Answer:
    (answer,), _ = run_requests(behave, *requests, **changes)
    return answer


def reply_in_turn(*replies: tuple[int, Any]) -> Behave:
    """One reply after the other; then well-behaved."""
    turns = iter(replies)

    def behave(handler: Handler, call: Call) -> None:
        status, body = next(turns, (0, None))
        handler.respond(status, body) if status else behave_well(handler, call)

    return behave


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts are short."""
    monkeypatch.setattr("pipeline.engines.server.retry.FIRST_SECONDS", 0.02)


# ---- what is sent -----------------------------------------------------------------------------------


def test_the_page_arrives_as_pixels_before_the_question() -> None:
    answers, (call,) = run_requests(behave_well, request(INVOICE, image=PICTURE))
    assert answers[0].status == "done"
    assert call.path == "/v1/chat/completions"
    assert [part["type"] for part in call.body["messages"][1]["content"]] == ["image_url", "text"]
    picture = Image.open(io.BytesIO(base64.b64decode(call.picture.removeprefix("data:image/png;base64,"))))
    assert (picture.format, picture.size) == ("PNG", (PICTURE.width, PICTURE.height))
    assert picture.tobytes() == PICTURE.rgb
    assert (call.body["model"], call.body["max_tokens"], call.body["temperature"]) == ("m", INVOICE.answer.tokens, 0)
    assert call.body["messages"][0]["role"] == "system"
    assert call.schema == json_schema(INVOICE)


def test_a_model_without_images_gets_the_words_as_plain_text() -> None:
    _, (call,) = run_requests(behave_well, request(TRANSCRIPT), accepts_images=False)
    assert isinstance(call.body["messages"][1]["content"], str)
    assert "EN-20417" in call.text
    assert "response_format" not in call.body, "a transcript is text, not JSON"


def test_seeds_repeat_for_the_same_request_and_differ_between_attempts() -> None:
    def seed(number: int, temperature: float) -> int:
        one = request(ALL_TYPES, number=number)
        return make_prompt(Request(one.key, one.page, ALL_TYPES, temperature=temperature)).seed

    seeds = [seed(1, 0), seed(1, 0.3), seed(2, 0)]
    assert seeds == [seed(1, 0), seed(1, 0.3), seed(2, 0)]
    assert len(set(seeds)) == 3
    assert all(0 <= one < 2**31 for one in seeds)


def test_a_page_with_nothing_to_read_is_not_sent() -> None:
    (answer,), calls = run_requests(behave_well, request(INVOICE, words=()))
    assert not calls
    assert answer.status == "done"
    assert {claim.value for claim in answer.claims.values()} == {None}


def test_the_key_goes_to_the_server_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    refusal = (400, {"error": {"message": f"Incorrect API key provided: {KEY}. " + "x" * 5000}})
    with ScriptedServer(reply_in_turn(*[refusal] * 3)) as script:
        engine = engine_at(script.url, key_variable="MY_KEY")
        (failed,) = answer_all(engine, request(ALL_TYPES))
        assert script.calls[0].headers["Authorization"] == f"Bearer {KEY}"
        script.behave = lambda handler, call: handler.respond(401, refusal[1])
        with pytest.raises(EngineUnavailableError, match="answered 401: Incorrect API key") as error:
            answer_all(engine, request(ALL_TYPES))
    assert (failed.status, failed.reason) == ("failed", "engine")
    assert "Incorrect API key" in failed.detail
    assert len(failed.detail) <= 300
    assert KEY not in f"{failed}{error.value}{engine.identity}{vars(engine)}"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://models.example:8000/v1", "unencrypted"),
        (f"https://me:{KEY}@models.example/v1", "scheme, host, port and path only"),
        (f"https://models.example/v1?key={KEY}", "scheme, host, port and path only"),
        ("http://localhost.models.example/v1", "unencrypted"),
        ("http://127.0.0.1:99999/v1", "no URL"),
    ],
)
def test_an_address_that_would_reveal_the_key_is_refused(monkeypatch: pytest.MonkeyPatch, url: str, why: str) -> None:
    monkeypatch.setenv("PIPELINE_SERVER_KEY", KEY)
    with pytest.raises(EngineUnavailableError, match=why) as error:
        engine_at(url)
    assert KEY not in str(error.value)
    assert error.value.cure


def test_proxies_are_not_used_for_servers_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert single_answer(behave_well).status == "done"


def test_proxies_are_used_for_other_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with ScriptedServer() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        (answer,) = answer_all(engine_at("http://models.example:8000/v1"), request(ALL_TYPES))
    assert answer.status == "done"
    assert [call.path for call in proxy.calls] == ["http://models.example:8000/v1/chat/completions"]


# ---- which model -------------------------------------------------------------------------------------


def test_without_a_name_the_first_listed_model_is_used() -> None:
    with ScriptedServer() as script:
        engine = ServerEngine(Settings(server=ServerSettings(url=f"{script.url}/")))
        answer_all(engine, request(ALL_TYPES))
        assert engine.identity == f"server/3 scripted@127.0.0.1:{script.port}"
        assert script.calls[0].body["model"] == "scripted"


def test_the_models_are_listed_inside_a_running_event_loop_too() -> None:
    """As in notebooks, and in browser tests."""

    async def within() -> str:
        return ServerEngine(Settings(server=ServerSettings(url=script.url))).identity

    with ScriptedServer() as script, ThreadPoolExecutor(1) as thread:  # a browser of another test may have a loop in this one
        assert thread.submit(asyncio.run, within()).result() == f"server/3 scripted@127.0.0.1:{script.port}"


def test_answers_from_words_only_have_another_recipe() -> None:
    seeing, blind = (engine_at("http://127.0.0.1:1/v1", accepts_images=sees).identity for sees in (True, False))
    assert blind == f"{seeing} (words only)"


def test_a_model_that_is_named_needs_no_server_yet() -> None:
    port = free_port()
    assert engine_at(f"http://127.0.0.1:{port}/v1").identity == f"server/3 m@127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (200, {"data": []}, "answered no model"),
        (200, b"<html>", "answered no model"),
        (404, {"detail": "Not Found"}, "404: Not Found"),
        (500, b"", "500"),
    ],
)
def test_a_server_that_lists_nothing(monkeypatch: pytest.MonkeyPatch, status: int, body: Any, why: str) -> None:
    monkeypatch.setattr(Handler, "do_GET", lambda handler: handler.respond(status, body))
    with ScriptedServer() as script, pytest.raises(EngineUnavailableError, match=why) as error:
        ServerEngine(Settings(server=ServerSettings(url=script.url)))
    assert error.value.cure


def test_without_a_server_the_engine_is_unavailable() -> None:
    with pytest.raises(EngineUnavailableError, match="no server answers") as error:
        ServerEngine(Settings(server=ServerSettings(url=f"http://127.0.0.1:{free_port()}/v1")))
    assert "PIPELINE_SERVER__URL" in error.value.cure


def test_importing_the_engine_does_not_import_http() -> None:
    script = "import sys, pipeline.engines.server; assert 'httpx' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])


# ---- what comes back ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("supported", "requested"), [(["json_object"], ["json_schema", "json_object"]), ([], ["json_schema", "json_object", None])]
)
def test_a_server_without_grammars_gets_a_simpler_form_from_then_on(supported: list[str], requested: list[str | None]) -> None:
    def behave(handler: Handler, call: Call) -> None:
        form = call.body.get("response_format", {}).get("type")
        if form and form not in supported:
            handler.respond(400, {"error": {"message": "response_format is not supported"}})
        else:
            handler.complete('```json\n{"e": "1.234,50", "c": "24 March 2025"}\n```')

    with ScriptedServer(behave) as script:
        engine = engine_at(script.url)
        first, second = [answer_all(engine, request(ALL_TYPES, number=number))[0] for number in (1, 2)]
        forms = [call.body.get("response_format", {}).get("type") for call in script.calls]
    assert forms == [*requested, requested[-1]]
    assert (first.status, second.status) == ("done", "done")
    assert (first.claims["e"].value, first.claims["c"].value) == ("1234.50", "2025-03-24")


def test_a_truncated_answer_keeps_its_fields() -> None:
    answer = single_answer(lambda handler, call: handler.complete('{"a": "whole", "b": "EN-20', finish="length"))
    assert (answer.status, answer.reason) == ("failed", "too_large")
    assert f"({ALL_TYPES.answer.tokens})" in answer.detail
    assert answer.claims["a"].value == "whole"
    assert answer.claims["b"].flags == ("truncated",)


@pytest.mark.parametrize(
    ("content", "more", "status", "detail"),
    [
        ("", {}, "failed", "empty"),
        (None, {}, "failed", "empty"),
        (None, {"refusal": "I cannot help"}, "failed", "refused: I cannot help"),
        ([{"type": "text", "text": '{"a":'}, {"type": "text", "text": ' "x"}'}], {}, "done", ""),
        ('<think>{"a": "thought"}</think>{"a": "x"}', {}, "done", ""),
        ("no JSON at all", {}, "failed", "cannot be read"),
        ("[1, 2]", {}, "failed", "no JSON object"),
        ('{"a": ' + "[" * 100_000, {}, "failed", "cannot be read"),
        ({"a": 1}, {}, "failed", "empty"),
    ],
)
def test_contents_of_every_kind(content: Any, more: dict[str, Any], status: str, detail: str) -> None:
    answer = single_answer(lambda handler, call: handler.complete(content, **more))
    assert (answer.status, detail in answer.detail) == (status, True), answer.detail
    assert answer.reason == (None if status == "done" else "engine")
    if status == "done":
        assert answer.claims["a"].value == "x"


@pytest.mark.parametrize("body", [b"", b"<html>", b"null", b"[]", {"choices": []}, {"choices": [{}]}, {"error": "overloaded"}])
def test_responses_that_are_no_completion(body: Any) -> None:
    answer = single_answer(reply_in_turn((200, body)))
    assert (answer.status, answer.reason) == ("failed", "engine")
    assert "holds no answer" in answer.detail
    assert "overloaded" in answer.detail or body != {"error": "overloaded"}


def test_a_prompt_that_exceeds_the_context_is_too_large_and_sent_once() -> None:
    error = {"error": {"code": 400, "message": "exceeds the available context size", "type": "exceed_context_size_error"}}
    (answer,), calls = run_requests(reply_in_turn((400, error)))
    assert (answer.status, answer.reason, len(calls)) == ("failed", "too_large", 1)


def test_a_huge_response_is_not_read_to_its_end() -> None:
    sent = 0

    def behave(handler: Handler, call: Call) -> None:
        nonlocal sent
        handler.send_response(200)
        handler.end_headers()
        for _ in range(400):
            sent += handler.wfile.write(b" " * 1_000_000)

    answer = single_answer(behave)
    assert (answer.status, answer.reason) == ("failed", "engine")
    assert "larger than 16 MB" in answer.detail
    assert sent < 40_000_000


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"], ids=["headers", "body"])
def test_a_response_that_arrives_too_slowly_times_out(quick: None, start: bytes) -> None:
    def drip(handler: Handler, call: Call) -> None:
        handler.wfile.write(start or b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(100):
            handler.wfile.write(b"a")
            handler.wfile.flush()
            time.sleep(0.1)

    begun = time.monotonic()
    (answer,), calls = run_requests(drip, seconds=0.5)
    assert (answer.status, answer.reason) == ("failed", "timeout")
    assert "0.5 s (server.seconds)" in answer.detail
    assert len(calls) == 2, "one retry, then no more"
    assert time.monotonic() - begun < 5


def test_redirects_are_not_followed_and_the_key_stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_SERVER_KEY", KEY)
    with ScriptedServer() as elsewhere:
        location = f"{elsewhere.url}/chat/completions"
        with pytest.raises(EngineUnavailableError, match="sends requests on to another address"):
            run_requests(lambda handler, call: handler.respond(307, b"", Location=location))
        assert not elsewhere.calls


# ---- retries --------------------------------------------------------------------------


def hang_up(handler: Handler, call: Call) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 0])
def test_after_a_temporary_error_the_request_is_sent_again(quick: None, status: int) -> None:
    turns = itertools.chain([True] * 3, itertools.repeat(False))

    def behave(handler: Handler, call: Call) -> None:
        if next(turns):
            handler.respond(status, {"error": "busy"}) if status else hang_up(handler, call)
        else:
            behave_well(handler, call)

    (answer,), calls = run_requests(behave)
    assert (answer.status, len(calls)) == ("done", 4)


@pytest.mark.parametrize("status", [400, 403, 413, 418])
def test_after_a_final_error_the_request_is_not_sent_again(quick: None, status: int) -> None:
    def behave(handler: Handler, call: Call) -> None:
        bad = call.text.startswith("Bad")
        handler.respond(status, {"error": {"message": "this page will not do"}}) if bad else handler.complete("Fine")

    bad = TRANSCRIPT.model_copy(update={"prompt": "Bad", "name": "bad"})
    answers, calls = run_requests(behave, request(TRANSCRIPT, number=1), request(bad, number=2), concurrency=1)
    assert [answer.status for answer in answers] == ["done", "failed"]
    assert answers[1].detail == f"the server answered {status}: this page will not do"
    assert len(calls) == 2


def test_after_the_last_attempt_the_page_fails_and_the_others_go_on(quick: None) -> None:
    def behave(handler: Handler, call: Call) -> None:
        poison = call.text.startswith("Bad")
        handler.respond(500, {"error": {"message": "out of memory"}}) if poison else handler.complete("Fine")

    bad = TRANSCRIPT.model_copy(update={"prompt": "Bad", "name": "bad"})
    pages = [request(bad if number in (2, 4) else TRANSCRIPT, number=number) for number in range(1, 8)]
    answers, calls = run_requests(behave, *pages, request_attempts=3, concurrency=1)
    assert [answer.status for answer in answers] == ["done", "failed", "done", "failed", "done", "done", "done"]
    assert (answers[1].reason, answers[1].detail) == ("engine", "the server answered 500: out of memory")
    assert len(calls) == 5 + 2 * 3


def test_the_wait_is_what_the_server_requests() -> None:
    times: list[float] = []

    def behave(handler: Handler, call: Call) -> None:
        times.append(time.monotonic())
        if len(times) == 1:
            handler.respond(429, {"error": "slowly"}, Retry_After="2")
        else:
            behave_well(handler, call)

    assert single_answer(behave).status == "done"
    assert times[1] - times[0] >= 2


def test_waits_grow_and_are_bounded() -> None:
    assert [round(retry_seconds(failures) / 2 ** (failures - 1)) for failures in (1, 2, 3)] == [1, 1, 1]
    assert max(retry_seconds(failures) for failures in range(1, 40)) <= 75
    assert retry_seconds(1, "3") == 3
    assert retry_seconds(1, "999999999999") == retry_seconds(1, "Fri, 31 Dec 2100 23:59:59 GMT") == LONGEST_RETRY_AFTER_SECONDS
    assert retry_seconds(1, "Fri, 31 Dec 1999 23:59:59 GMT") == 0
    assert 0.75 <= retry_seconds(1, "soon") <= 1.25


def test_a_server_that_is_gone_ends_the_work_after_the_complete_answers(quick: None) -> None:
    with ScriptedServer() as script:
        engine = engine_at(script.url, concurrency=2, request_attempts=3)
        taken = 0

        def requests() -> Iterator[Request]:
            nonlocal taken
            for number in range(1, 10_000):
                taken += 1
                if number == 5:
                    script.__exit__()
                yield request(ALL_TYPES, number=number)

        answers: list[Answer] = []
        with pytest.raises(EngineUnavailableError, match="does not answer") as error:
            answers.extend(stream_answers(engine, requests()))  # keeps the answers before the error
    assert {answer.status for answer in answers} == {"done"}
    assert taken < 10
    assert "run the same command again" in error.value.cure


@pytest.mark.parametrize("status", [0, 429, 500, 503])
def test_a_server_that_never_answers_ends_the_work_too(quick: None, status: int) -> None:
    behave: Behave = reply_in_turn(*[(status, {"error": "out of order"})] * 500) if status else hang_up
    with pytest.raises(EngineUnavailableError, match="does not answer"):
        run_requests(behave, *sample_requests([ALL_TYPES], 50), request_attempts=2)


def test_a_server_that_comes_back_in_time_is_waited_for(quick: None) -> None:
    port = free_port()
    scripts: list[ScriptedServer] = []
    starter = threading.Timer(0.3, lambda: scripts.append(ScriptedServer(port=port).__enter__()))
    starter.start()
    answers = answer_all(engine_at(f"http://127.0.0.1:{port}/v1", request_attempts=8), *sample_requests([ALL_TYPES], 4))
    starter.join()
    scripts[0].__exit__()
    assert [answer.status for answer in answers] == ["done"] * 4


# ---- side by side ------------------------------------------------------------------------------------


def test_requests_run_side_by_side_up_to_concurrency_and_fast_ones_end_first() -> None:
    busy, most, lock = 0, 0, threading.Lock()

    def behave(handler: Handler, call: Call) -> None:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.6 if call.text.startswith("Slow") else 0.1)
        with lock:
            busy -= 1
        handler.complete("Fine")

    slow = TRANSCRIPT.model_copy(update={"prompt": "Slow", "name": "slow"})
    pages = [request(slow, number=1), *[request(TRANSCRIPT, number=number) for number in range(2, 10)]]
    answers, _ = run_requests(behave, *pages, concurrency=3)
    assert most == 3
    assert answers[0].key.page != 1
    assert sorted(answer.key.page for answer in answers) == list(range(1, 10))


def test_polling_waits_without_work_and_reset_does_not_wait() -> None:
    gate = threading.Event()

    def behave(handler: Handler, call: Call) -> None:
        gate.wait(20)
        handler.complete("Fine")

    with ScriptedServer(behave) as script:
        engine = engine_at(script.url)
        engine.submit(request(TRANSCRIPT, number=1))
        started, work = time.monotonic(), time.process_time()
        assert engine.poll(0) == []
        assert time.monotonic() - started < 0.2, "0 seconds is not to wait at all"
        assert engine.poll(0.8) == []
        assert 0.8 <= time.monotonic() - started < 2
        assert time.process_time() - work < 0.5
        gate.set()
        assert [answer.status for answer in engine.poll(20)] == ["done"]
        assert time.monotonic() - started < 10, "the first answer ends the wait"
        gate.clear()
        for one in sample_requests([TRANSCRIPT], 3):
            engine.submit(one)
        started = time.monotonic()
        engine.reset()
        assert time.monotonic() - started < 5, "unfinished requests are dropped, not waited for"
        gate.set()
    assert "server-engine" not in {thread.name for thread in threading.enumerate()}


def test_answers_before_an_error_are_returned_first_and_reset_forgets_the_error(quick: None) -> None:
    def behave(handler: Handler, call: Call) -> None:
        if call.text.startswith("Bad"):
            time.sleep(0.3)
            handler.respond(401, {"error": "no such key"})
        else:
            handler.complete("Fine")

    bad = TRANSCRIPT.model_copy(update={"prompt": "Bad", "name": "bad"})
    with ScriptedServer(behave) as script:
        engine = engine_at(script.url)
        engine.submit(request(TRANSCRIPT, number=1))
        engine.submit(request(bad, number=2))
        time.sleep(1)
        assert [answer.key.page for answer in engine.poll(10)] == [1]
        for _ in range(2):
            with pytest.raises(EngineUnavailableError, match="401"):
                engine.poll(10)
        engine.reset()
        assert [answer.status for answer in answer_all(engine, request(TRANSCRIPT))] == ["done"]
        engine.reset()


# ---- answers in pieces --------------------------------------------------------------------------------


def follow(behave: Behave) -> tuple[Answer, list[str], list[Call]]:
    """The answer to a person's question, the texts that the engine passed on before, and the requests."""
    heard: list[str] = []
    asked = replace(request(ask_template("Who wrote this?")), listen=heard.append)
    (answer,), calls = run_requests(behave, asked)
    return answer, heard, calls


def in_pieces(*pieces: str, finish: str | None = "stop", rest: bytes = b"data: [DONE]\r\n\r\n") -> Behave:
    def behave(handler: Handler, call: Call) -> None:
        assert call.body["stream"]
        handler.begin_pieces()
        for piece in pieces:
            handler.piece(piece)
        if finish:
            handler.piece(finish=finish)
        handler.wfile.write(rest)

    return behave


def test_the_answer_to_a_question_is_passed_on_as_it_is_written() -> None:
    answer, heard, (call,) = follow(in_pieces("<think>Who?</think>", '{"answer": "Harrow', " Lane", ' Tools Ltd"}'))
    assert (answer.status, answer.claims["answer"].value) == ("done", "Harrow Lane Tools Ltd")
    assert heard[-1] == '{"answer": "Harrow Lane Tools Ltd"}'
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(heard)), "each is the text so far"
    assert call.schema, "its form is demanded as well"


def test_pages_and_servers_without_streams_get_an_answer_in_one_piece() -> None:
    _, calls = run_requests(behave_well, request(INVOICE))
    assert "stream" not in calls[0].body
    answer, heard, _ = follow(behave_well)
    assert (answer.status, heard) == ("done", [])

    def refuse(handler: Handler, call: Call) -> None:
        if "stream" in call.body:
            handler.respond(400, {"error": {"message": "no streams here"}})
        else:
            behave_well(handler, call)

    answer, heard, calls = follow(refuse)
    assert (answer.status, heard) == ("done", [])
    assert calls[-1].schema


@pytest.mark.parametrize(
    ("behave", "detail"),
    [
        (in_pieces('{"answer": "Har', finish=None, rest=b""), "ends in the middle"),
        (in_pieces(finish=None, rest=b'data: {"error": {"message": "out of memory"}}\n\n'), "out of memory"),
        (in_pieces('{"answer": "Har', finish="length"), "answer.tokens"),
        (in_pieces(finish=None, rest=b"data: no JSON\n\ndata: [1]\n\ndata: [DONE]\n\n"), "empty"),
    ],
)
def test_an_answer_in_pieces_without_a_good_end_says_so(behave: Behave, detail: str) -> None:
    answer, _, _ = follow(behave)
    assert answer.status == "failed"
    assert detail in answer.detail
