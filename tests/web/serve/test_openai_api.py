"""The OpenAI-compatible endpoint in front of a small random model: OpenAI's own client, raw requests, and our engine `server`."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import jsonschema
import pytest
from PIL import Image, ImageDraw
from pydantic import BaseModel

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("openai")
pytest.importorskip("fastapi")

import openai

from pipeline.engines.server import ServerEngine
from pipeline.engines.vlm.vlm_engine import VlmEngine
from pipeline.monitoring.events import Observer
from pipeline.run.chat_server import chat_server
from pipeline.run.chats import Chats
from pipeline.run.job import all_templates, open_job
from pipeline.run.loop import Loop
from pipeline.settings import Settings
from pipeline.settings_sections import ChatSettings, ServerSettings, VlmSettings
from pipeline.web import server
from pipeline.web.app import make_app, with_access_control
from pipeline.web.context import ServerContext
from pipeline.web.image_cache import PageImageCache
from pipeline.web.openai.completion_request import CompletionError, check_schema
from pipeline.web.supervisor import Supervisor
from pipeline.web.task_store import TaskStore
from tests.engines.conformance import BUILT_IN, sample_requests
from tests.engines.polling import answer_all
from tests.engines.vlm.tiny import random_checkpoint
from tests.web.serve.in_process import in_process

pytestmark = pytest.mark.slow
TOKEN = "a-token-of-this-test-only"
QUEUE, TOKENS = 4, 48
SCHEMA = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "blue"]}, "is_paid": {"type": "boolean"}},
    "required": ["colour", "is_paid"],
    "additionalProperties": False,
}


@dataclass
class ChatServed:
    """A server, and a loop in a thread that stands still while ``paused`` is set."""

    settings: Settings
    base: str = ""
    paused: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    woken: threading.Event = field(default_factory=threading.Event)
    chats: Chats | None = None
    most_at_once: int = 0
    failure: BaseException | None = None

    def read(self, socket: Path) -> None:
        """What `pipeline watch` does with conversations."""
        try:
            with (
                open_job(self.settings) as job,
                chat_server(socket, job) as self.chats,
                Loop(job, Observer(), chats=self.chats) as loop,
            ):
                assert self.chats
                self.chats.on_submit = self.woken.set
                self.woken.set()
                while not self.stopping.is_set():
                    if self.woken.wait(0.1) and not self.paused.is_set() and self.chats.waiting:
                        self.woken.clear()
                        loop.round(iter(self._watched()))
        except BaseException as error:
            self.failure = error

    def _watched(self) -> Iterator[None]:
        """No files, while the number of conversations at work is looked at."""
        while self.chats and (self.chats.active or self.chats.waiting):
            self.most_at_once = max(self.most_at_once, self.chats.active)
            yield None

    def client(self, **options: Any) -> Any:
        return openai.OpenAI(base_url=f"{self.base}/v1", api_key=TOKEN, max_retries=0, timeout=120, **options)

    def ask(self, text: str, **options: Any) -> Any:
        messages = [{"role": "user", "content": text}]
        return self.client().chat.completions.create(model="", messages=messages, temperature=0, **options)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServed]:
    folder = tmp_path_factory.mktemp("chat")
    (folder / "inbox").mkdir()
    settings = Settings(
        inbox=folder / "inbox",
        outbox=folder / "outbox",
        engine="vlm",
        model=str(random_checkpoint(folder / "model")),
        workers=1,
        vlm=VlmSettings(threads=1, dtype="float32", batch=4),
        chat=ChatSettings(queue=QUEUE, tokens=TOKENS),
    )
    running = ChatServed(settings)
    socket = folder / "chat"
    with ExitStack() as stack:
        reader = threading.Thread(target=running.read, args=(socket,))
        reader.start()
        stack.callback(reader.join)
        stack.callback(running.stopping.set)
        assert running.woken.wait(60), running.failure
        listener = stack.enter_context(server.listen("127.0.0.1", 0))
        port = listener.getsockname()[1]
        running.base = f"http://127.0.0.1:{port}"
        images = stack.enter_context(PageImageCache(settings))
        supervisor, tasks = Supervisor([], settings.outbox), TaskStore(settings.outbox / ".pipeline")
        context = ServerContext(settings, all_templates(settings), images, supervisor, tasks, socket)
        app = with_access_control(make_app(context), TOKEN, server.permitted_hosts("127.0.0.1", port, ()), port, 1_000_000)
        web_server = server.WebServer(app)
        thread = threading.Thread(target=web_server.run, kwargs={"sockets": [listener]})
        thread.start()
        stack.callback(thread.join)
        stack.callback(setattr, web_server, "should_exit", True)
        yield running


@pytest.fixture(scope="module")
def talkative(served: ChatServed) -> str:
    """A question that the random model does not answer with its end at once."""
    questions = [f"Name vendor {number}." for number in range(60)]
    return next(text for text in questions if served.ask(text, max_tokens=12).usage.completion_tokens == 12)


def data_url(text: str, kind: str = "png") -> str:
    picture = Image.new("RGB", (96, 64), "white")
    ImageDraw.Draw(picture).text((10, 20), text, "black")
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def test_the_list_of_models_names_the_one_that_answers(served: ChatServed) -> None:
    assert [model.id for model in served.client().models.list().data] == ["model"]
    assert served.client().models.retrieve("model").id == "model"
    with pytest.raises(openai.NotFoundError, match="`model` is"):
        served.client().models.retrieve("another")


def test_a_stream_has_the_text_and_the_counts_of_the_whole_answer(served: ChatServed, talkative: str) -> None:
    whole = served.ask(talkative)
    assert whole.choices[0].finish_reason in ("stop", "length")
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    assert 0 < whole.usage.completion_tokens <= TOKENS
    chunks = list(served.ask(talkative, stream=True, stream_options={"include_usage": True}))
    assert (
        "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == whole.choices[0].message.content
    )
    assert len(chunks) > 4, "it comes in pieces"
    assert chunks[-1].usage == whole.usage
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason


def test_an_answer_ends_at_its_limit_and_before_a_stop_text(served: ChatServed, talkative: str) -> None:
    whole = served.ask(talkative).choices[0].message.content
    short = served.ask(talkative, max_tokens=3)
    assert (short.choices[0].finish_reason, short.usage.completion_tokens) == ("length", 3)
    assert whole.startswith(short.choices[0].message.content.rstrip("\ufffd"))
    stop = whole[4:7]
    stopped = served.ask(talkative, stop=[stop, "never in it"])
    assert stopped.choices[0].finish_reason == "stop"
    assert stopped.choices[0].message.content == whole[: whole.index(stop)]


def test_an_answer_meets_its_json_schema(served: ChatServed) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}
    answer = served.ask("Which colour?", response_format=form)
    jsonschema.validate(json.loads(answer.choices[0].message.content), SCHEMA)
    assert answer.choices[0].finish_reason == "stop"
    free = served.ask("Which colour?", response_format={"type": "json_object"}, max_tokens=12)
    assert free.choices[0].message.content.startswith("{")
    wrong = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "no such type"}}}
    with pytest.raises(openai.BadRequestError, match="schema"):
        served.ask("Which colour?", response_format=wrong)


class Slip(BaseModel):
    """What a program asks for with a class."""

    colour: Literal["red", "blue"]
    is_paid: bool


def test_openais_client_gets_an_object_of_a_class_from_an_image_at_once_and_as_a_stream(served: ChatServed) -> None:
    content = [
        {"type": "text", "text": "Which colour, and is it paid?"},
        {"type": "image_url", "image_url": {"url": data_url("PAID")}},
    ]
    options: Any = {"model": "model", "messages": [{"role": "user", "content": content}], "temperature": 0}
    client = served.client()
    whole = client.chat.completions.parse(response_format=Slip, **options).choices[0].message.parsed
    assert isinstance(whole, Slip)
    with client.chat.completions.stream(response_format=Slip, **options) as stream:
        assert stream.get_final_completion().choices[0].message.parsed == whole


def test_requests_of_several_users_are_answered_in_one_batch_each_with_its_own_answer(served: ChatServed) -> None:
    answers: dict[str, str] = {}  # a random model gives some questions one answer
    for number in range(40):
        answer = served.ask(question := f"Question {number}: what is the date?").choices[0].message.content
        if len(answers) < 4 and answer and answer not in answers.values():
            answers[question] = answer
    questions, alone = list(answers), list(answers.values())
    assert len(questions) == 4
    served.most_at_once = 0
    served.paused.set()
    with ThreadPoolExecutor(len(questions)) as users:
        asked = [users.submit(served.ask, question) for question in questions]
        wait_for_chats(served, len(questions))
        served.paused.clear()
        together = [future.result().choices[0].message.content for future in asked]
    assert together == alone
    assert served.most_at_once > 1


def wait_for_chats(served: ChatServed, count: int) -> None:
    """Until so many conversations are there."""
    until = time.monotonic() + 60
    while served.chats and served.chats.count < count:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_one_request_too_many_is_refused_and_told_when_to_come_again(served: ChatServed) -> None:
    served.paused.set()
    try:
        with ThreadPoolExecutor(QUEUE) as users:
            asked = [users.submit(served.ask, f"Wait {number}", max_tokens=2) for number in range(QUEUE)]
            wait_for_chats(served, QUEUE)
            with pytest.raises(openai.RateLimitError) as refused:
                served.ask("One more")
            assert int(refused.value.response.headers["retry-after"]) > 0
            served.paused.clear()
            served.woken.set()
            assert all(future.result().usage.completion_tokens <= 2 for future in asked)
    finally:
        served.paused.clear()


def test_a_request_of_the_kind_of_paperless_gpt_with_an_image(served: ChatServed) -> None:
    def ask(url: str) -> httpx.Response:
        content = [
            {"type": "text", "text": "Just transcribe the text in this image."},
            {"type": "image_url", "image_url": {"url": url, "detail": "auto"}},
        ]
        body = {
            "model": "model",
            "messages": [{"role": "user", "content": content}],
            "max_tokens": 8,
            "temperature": 0,
            "top_p": 1,
        }
        headers = {"authorization": f"Bearer {TOKEN}"}
        return httpx.post(f"{served.base}/v1/chat/completions", json=body, headers=headers, timeout=120)

    one, other = ask(data_url("A7")), ask(data_url("B8", "jpeg"))
    assert (one.status_code, other.status_code) == (200, 200)
    assert one.json()["usage"]["prompt_tokens"] == other.json()["usage"]["prompt_tokens"] > 6
    for url in (
        "https://elsewhere.example/a.png",
        "file:///etc/passwd",
        "data:image/png;base64,####",
        "data:image/png;base64,YQ==",
    ):
        refused = ask(url)
        assert refused.status_code == 400
        assert refused.json()["error"]["type"] == "invalid_request_error"


def test_a_schema_that_would_take_minutes_to_compile_is_refused() -> None:
    patterns = [{"type": "string", "pattern": f".*{letter}.*"} for letter in "abcdefghijklmnopqrst"]
    deep: dict[str, Any] = {}
    for _ in range(10_000):
        deep = {"items": deep}
    for schema in ({"allOf": patterns}, {"$ref": "#/$defs/a", "type": "string", "$defs": {"a": {"oneOf": patterns}}}, deep):
        with pytest.raises(CompletionError, match="JSON Schema"):
            check_schema(schema)
    check_schema({"properties": {f"p{number}": pattern for number, pattern in enumerate(patterns)}})
    check_schema({"allOf": patterns[:8]})


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "role"),
        ({"messages": [{"role": "user", "content": "x"}], "n": 2}, "n"),
        ({"messages": [{"role": "user", "content": "x"}], "tools": [{"type": "function"}]}, "tools"),
        ({"messages": [{"role": "user", "content": "x"}], "temperature": -1}, "temperature"),
        ({"messages": [{"role": "user", "content": "word " * 20_000}]}, "context"),
    ],
)
def test_what_is_not_understood_is_refused_in_openais_form(served: ChatServed, body: dict[str, Any], part: str) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    refused = httpx.post(f"{served.base}/v1/chat/completions", json=body, headers=headers, timeout=120)
    assert refused.status_code == 400
    assert part in refused.json()["error"]["message"]


def test_the_token_and_the_name_of_the_model_are_checked(served: ChatServed) -> None:
    with pytest.raises(openai.AuthenticationError, match="token"):
        openai.OpenAI(base_url=f"{served.base}/v1", api_key="wrong", max_retries=0).models.list()
    with pytest.raises(openai.NotFoundError, match="no-such-model"):
        served.client().chat.completions.create(model="no-such-model", messages=[{"role": "user", "content": "x"}])


def test_a_client_that_goes_away_ends_its_answer(served: ChatServed, talkative: str) -> None:
    with served.ask("Write a long text", stream=True) as stream:
        next(iter(stream))
    assert served.ask(talkative, max_tokens=2).usage.completion_tokens == 2
    assert served.chats
    assert served.chats.count == 0


def test_our_own_engine_server_gets_the_answers_that_the_model_gives_to_pages(
    served: ChatServed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_SERVER_KEY", TOKEN)
    template = BUILT_IN["receipt"].model_copy(
        update={"answer": BUILT_IN["receipt"].answer.model_copy(update={"tokens": TOKENS})}
    )
    settings = served.settings.model_copy(
        update={"engine": "server", "model": "", "server": ServerSettings(url=f"{served.base}/v1", concurrency=2)}
    )
    theirs, ours = ServerEngine(settings), VlmEngine(served.settings)
    assert theirs.identity.startswith("server/")
    assert "model@127.0.0.1" in theirs.identity
    requests = sample_requests([template], 2, ours)
    by_server = {answer.key: answer for answer in answer_all(theirs, *requests)}
    by_model = {answer.key: answer for answer in answer_all(ours, *requests)}
    assert {key: {name: claim.value for name, claim in answer.claims.items()} for key, answer in by_server.items()} == {
        key: {name: claim.value for name, claim in answer.claims.items()} for key, answer in by_model.items()
    }
    assert [answer.status for answer in by_server.values()] == [answer.status for answer in by_model.values()]


def test_an_engine_without_a_language_model_says_so(tmp_path: Path) -> None:
    with in_process(tmp_path) as served:
        body = {"messages": [{"role": "user", "content": "x"}]}
        for answer in (served.client.get("/v1/models"), served.client.post("/v1/chat/completions", json=body)):
            assert answer.status_code == 404
            assert "no language model" in answer.json()["error"]["message"]
            assert answer.json()["error"]["code"] == "model_not_found"
        refused = served.client.get("/v1/models", headers={"authorization": ""})
        assert (refused.status_code, "token" in refused.json()["error"]["message"]) == (401, True)
