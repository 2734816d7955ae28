"""Webhooks: the result of a task is sent to a URL, signed, until it is accepted. No host delays the calls to another one."""

from __future__ import annotations

import http.client
import json
import logging
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

from pipeline.backoff import Backoff
from pipeline.errors import PipelineError
from pipeline.ledger.document_search import change_marker
from pipeline.values.times import utc_timestamp
from pipeline.web.context import ServerContext
from pipeline.web.task_state import has_ended, task_object
from pipeline.web.task_store import Task
from pipeline.web.webhook_call import TIMEOUT_SECONDS, WebhookRefusedError, call, check_url, signed_headers, webhook_key

log = logging.getLogger(__name__)
POLL_SECONDS = 1.0
AGAIN_SECONDS = 60.0
"""How often all tasks are looked at again, also where the ledger has not changed."""
PER_HOST = 2
"""Calls to one host at the same time: a slow one keeps only its own calls waiting."""
MAX_SENDERS = 32
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 6 * 3600.0


class WebhookSender:
    """Calls the webhooks of tasks that have ended. Use as a context manager."""

    def __init__(self, context: ServerContext) -> None:
        self._context, self._tasks = context, context.tasks
        self._settings = context.settings.webhooks
        self._backoff = Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, factor=4, jitter=0.2)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._lock = threading.Lock()
        self._calling: dict[str, str] = {}
        """Task to host of the calls in progress."""
        self._marker, self._passed = "", ("", "")
        """Of the ledger; and the time and name of the task up to which all were looked at since it had this marker."""
        self._waiting = set[str]()
        """Tasks whose documents were not read yet at that marker."""
        self._again, self._is_behind = 0.0, False

    def __enter__(self) -> WebhookSender:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(TIMEOUT_SECONDS)

    def _run(self) -> None:
        senders = min(MAX_SENDERS, PER_HOST * (len(self._settings.hosts) + 1))
        with ThreadPoolExecutor(senders, thread_name_prefix="webhook") as pool:
            while not self._stopping.wait(POLL_SECONDS):
                try:
                    for task in self.ended_tasks(senders):
                        pool.submit(self._call, task)
                except Exception as error:  # a locked or full disk passes; the tasks stay
                    log.warning("webhooks: %s: %s", type(error).__name__, error)
            pool.shutdown(cancel_futures=True)

    def ended_tasks(self, most: int = MAX_SENDERS) -> list[Task]:
        """Tasks that are to be called now, at most ``most`` in all and ``PER_HOST`` to a host. They count as called from here on.

        Tasks are looked at in the order of their next attempt, each once until the ledger changes: those whose documents are never read
        stand in no other's way.
        """
        with self._context.ledger() as ledger:
            marker = change_marker(ledger)
            if marker != self._marker or time.monotonic() > self._again:
                self._marker, self._again, self._is_behind = marker, time.monotonic() + AGAIN_SECONDS, True
                self._waiting.clear()
            if self._is_behind:
                self._passed, self._is_behind = ("", ""), False
            with self._lock:
                calling = dict(self._calling)
            busy, ended = Counter(calling.values()), list[Task]()
            while due := self._tasks.due(self._passed):
                for task in due:
                    self._passed = (task.next_at or "", task.id)
                    host = _host(task)
                    if task.id in calling or task.id in self._waiting:
                        continue
                    if not has_ended(ledger, task):
                        self._waiting.add(task.id)
                        continue
                    if busy[host] >= PER_HOST or len(calling) >= most:
                        self._is_behind = True  # it is looked at again when there is room
                        continue
                    busy[host] += 1
                    calling[task.id] = host
                    ended.append(task)
        with self._lock:
            self._calling |= {task.id: _host(task) for task in ended}
        return ended

    def _call(self, task: Task) -> None:
        try:
            self._send(task)
        except Exception as error:  # of one document or of the disk: the task stays, and is looked at again
            log.warning("webhook of task %s: its result cannot be sent: %s", task.id, type(error).__name__)
        finally:
            with self._lock:
                del self._calling[task.id]

    def _send(self, task: Task) -> None:
        value = {name: item for name, item in task_object(self._context, task).items() if name != "webhook"}
        if value["status"] == "waiting":  # it is being read again
            return
        body = json.dumps({"type": "task.ended", "task": value}, ensure_ascii=False).encode(errors="replace")
        final = False
        try:
            target = check_url(task.webhook, self._settings)  # the settings may have changed since
            headers = signed_headers(webhook_key(self._settings), task.id, body, int(time.time()))
            status = call(target, headers, body, private=self._settings.private_addresses)
            error, final = f"it answered {status}", status == 410  # Gone: it wants no more of them
            if 200 <= status < 300:
                self._tasks.delivered(task.id)
                return
        except WebhookRefusedError as refused:
            error, final = str(refused), True
        except (OSError, http.client.HTTPException, PipelineError, ValueError) as failure:
            error = f"{type(failure).__name__}: {failure}"
        attempts = task.attempts + 1
        if final or attempts >= self._settings.attempts:
            self._tasks.failed(task.id, error[:300], None)
            log.warning("webhook of task %s given up after %d attempts: %s", task.id, attempts, error[:300])
        else:
            self._tasks.failed(task.id, error[:300], utc_timestamp(timedelta(seconds=self._backoff.seconds_after(attempts))))


def _host(task: Task) -> str:
    with suppress(ValueError):
        return (urlsplit(task.webhook).hostname or "").lower()
    return ""
