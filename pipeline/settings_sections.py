"""The sections of the settings: limits, retries, OCR, engines, server and others, each with its keys and defaults."""

from __future__ import annotations

import ipaddress
import shlex
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from pipeline.ignored_names import IgnoredNames

Seconds = Annotated[float, Field(le=1_000_000)]
"""At most eleven days: the timers of the operating system overflow at twice that."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_command(value: Any) -> Any:
    """The words of a command that was written as a line, with the quotes of a shell; no shell is started."""
    return shlex.split(value) if isinstance(value, str) else value


Command = Annotated[tuple[str, ...], BeforeValidator(_as_command)]


class LimitSettings(_Strict):
    """What one document may cost. A document above a limit fails with a reason; the others go on."""

    megabytes: int = Field(default=2_000, gt=0)
    """Size of a file."""
    pages: int = Field(default=5_000, gt=0)
    """Pages that are read of one document; the later ones are `skipped`."""
    megapixels: int = Field(default=400, gt=0)
    """Pixels of an image after decompression, in millions."""
    seconds: Seconds = Field(default=120, gt=0)
    """Time to read one page; after it the reader process is killed."""
    document_minutes: float = Field(default=1_440, ge=0, le=1_000_000)
    """Time that readers and the engine may spend on one document until it is published, added up over all runs; pages that are left then
    fail. An engine that works on several pages at a time counts with a share for each. 0 is no limit."""
    memory_mb: int = Field(default=6_000, ge=2_000)
    """Address space of a reader process."""
    words: int = Field(default=1_000_000, gt=0)
    """Words that are read of one text, sheet or office document; what follows is one page that fails."""
    unpacked_megabytes: int = Field(default=200, gt=0)
    """Size of an office file's contents when they are unpacked."""
    passwords: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    """Passwords that are tried on every encrypted document: PDFs, archives, office files.

    `pipeline unlock` gives one to a single document.
    """


class OfficeSettings(_Strict):
    """Office files: Word, Excel, PowerPoint, OpenDocument (docs/formats.md)."""

    pages: Literal["own", "libreoffice"] = "own"
    """Who lays the pages out. `own`: this program, and every value names its cell or paragraph. `libreoffice`: pages look as they are
    printed, where LibreOffice is installed; values then have a box and no cell."""


class IntakeSettings(_Strict):
    """When a file in the inbox counts as completely written, and how new files are noticed."""

    unchanged_seconds: Seconds = Field(default=1.5, ge=0)
    """A file counts as completely written once it has not changed for this long."""
    wait_seconds: Seconds = Field(default=30.0, ge=0)
    """How long `run` waits for files that are still being written while it has nothing else to do, and for an object store that does not
    answer. For a file that no longer changes it waits `unchanged_seconds` in any case."""
    rescan_seconds: Seconds = Field(default=60.0, gt=0)
    """How often `watch` scans the whole inbox, in case the operating system lost an event."""
    change_detection: Literal["auto", "native", "polling"] = "auto"
    """How `watch` notices new files: `native` gets events from the operating system, `polling` scans (network shares give no events);
    `auto` chooses by the kind of file system."""
    poll_seconds: Seconds = Field(default=2.0, gt=0)
    """How often `polling` scans. An inbox in an object store is always polled."""
    ignore: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    """Patterns of names that are no documents, as in `.gitignore`, beside those of file servers, desktops and unfinished downloads;
    upper and lower case are the same. `!*.tmp` takes one of those back (docs/service.md)."""

    @field_validator("ignore")
    @classmethod
    def _check_patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        IgnoredNames(patterns)
        return patterns


class MailboxSettings(_Strict):
    """A mailbox as the inbox, `inbox: imaps://user@host/Folder` (docs/mailbox.md)."""

    search: str = "ALL"
    """Which messages are read, as a search of IMAP: `UNSEEN`, `FROM "billing@example.com"`, `SUBJECT "invoice" UNFLAGGED`."""
    days: int = Field(default=0, ge=0, le=36_500)
    """Only messages that arrived in the last so many days are read; 0 is all."""
    archive: str = Field(default="Archive", min_length=1)
    """Folder of the mailbox to which `after: move` moves messages. It is created if it does not exist."""
    failed: str = ""
    """Folder to which `after: move` and `delete` move messages that failed; empty: they stay where they are, as they are."""
    password_variable: str = "PIPELINE_MAILBOX_PASSWORD"  # noqa: S105 - the name of a variable
    """Name of the environment variable that holds the password. The password itself is never written to a file. In a settings file that
    is not named with `--config`, the name must begin with `PIPELINE_`."""
    keyring: str = ""
    """Name of the service under which the system's keyring has the password: `keyring set NAME USER` puts it there."""
    password_command: Command = ()
    """Command that prints the password: `pass show mail`, `[secret-tool, lookup, account, mail]`. No shell is started."""
    token_command: Command = ()
    """Command that prints an access token (OAuth 2). The server is then logged into with XOAUTH2 or OAUTHBEARER, as it offers."""
    ca_file: Path | None = None
    """Certificates (PEM) that the server's certificate is checked against, in place of the system's. It is always checked."""
    seconds: Seconds = Field(default=60, gt=0)
    """Time for one answer of the server."""

    @field_validator("search", "archive", "failed", "keyring")
    @classmethod
    def _check_text(cls, text: str) -> str:
        if not text.isprintable():
            raise ValueError("must be one line of printable letters")
        return text

    @model_validator(mode="after")
    def _check_one_secret(self) -> Self:
        given = [key for key in ("keyring", "password_command", "token_command") if getattr(self, key)]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)}: only one of them can be given")
        return self


class ReviewSettings(_Strict):
    """Which values are marked for a person to check."""

    accepted_error: float = Field(default=0.05, ge=0, le=1)
    """Share of a document's values that may be wrong and not marked. A smaller share marks more values; all are marked where the documents
    that the program was calibrated on are too few to promise it (docs/confidence.md)."""


class CsvSettings(_Strict):
    """The CSV files of the outbox (docs/output.md)."""

    dialect: Literal["standard", "excel", "excel-de"] = "standard"
    """`standard` has commas and UTF-8; `excel` has the mark by which Excel knows UTF-8 when the file is opened by a double click;
    `excel-de` also has semicolons between columns and decimal commas, as Excel expects them in German and in many other languages."""


class StackSettings(_Strict):
    """Barcodes that say where documents begin in a scanned stack; `*` stands for any letters (docs/stacks.md)."""

    separators: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ("PATCHT",)
    """Texts of barcodes on separator sheets. The sheet itself belongs to no document."""
    first_pages: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ("ASN*",)
    """Texts of barcodes that are put on the first page of a document."""


class RetrySettings(_Strict):
    """What is tried again, and how often. Every number of attempts counts the first attempt too."""

    page_attempts: int = Field(default=3, ge=1, le=20)
    """How often a page is processed in all when it failed for a reason that may pass (an error of the engine, a time limit). Later
    attempts happen in later rounds and runs; 1 is never again."""
    wait_minutes: float = Field(default=10, gt=0, le=100_000)
    """Pause before the second of these attempts; the pause is four times as long before each further one."""
    answer_attempts: int = Field(default=3, ge=1, le=11)
    """How often a model answers for a page in all when its answer fails the checks. `embedded` answers once."""
    reader_attempts: int = Field(default=2, ge=1, le=10)
    """How often a page is read in all when its reader process crashed or ran out of time."""
    crash_attempts: int = Field(default=3, ge=1)
    """How often a page is processed in all when the whole program, or the engine's process, died while it worked on that page."""
    stop_after_failures: int = Field(default=10, ge=1)
    """Number of documents in a row on which the engine failed, after which `run` stops and `watch` pauses."""
    watchdog_seconds: Seconds = Field(default=1800, gt=0)
    """The program restarts itself when the engine has given no sign of life for this long."""


OcrLanguage = Annotated[str, Field(pattern=r"^[a-z]{2}$")]


class OcrSettings(_Strict):
    """How the words of scans and photographs are read (OCR)."""

    precision: Literal["auto", "bfloat16", "float32"] = "auto"
    """Number format in which the OCR networks compute; `auto` is bfloat16 where the processor supports it and the extra `fast-ocr` is
    installed, else float32. It is part of every recipe: set it where machines of several kinds write to one outbox."""
    languages: Annotated[tuple[OcrLanguage, ...], BeforeValidator(_as_list)] = ()
    """Languages of your documents (ISO 639-1: `[en, ar, he]`). OCR then looks for their scripts only, and `pipeline doctor` names what is
    missing for them; empty is every script that can be read here. It is part of every recipe once it is set."""


class VlmSettings(_Strict):
    """The engine ``vlm``: a vision-language model in this process."""

    revision: str | None = None
    """Commit, branch or tag of a model from the hub; None is the revision that was downloaded last."""
    dtype: Literal["auto", "bfloat16", "float32", "int8"] = "auto"
    """Number format of the model; `auto` is bfloat16 where the processor supports it or memory is short, else float32. `int8` takes half
    the memory and rounds; it is faster on processors with AVX-512 VNNI and without AMX."""
    threads: int = Field(default=0, ge=0, le=1024)
    """Threads that compute; 0 is one per physical core."""
    batch: int = Field(default=16, ge=1, le=64)
    """Pages that are answered at the same time, as far as memory allows."""
    cache_gb: float = Field(default=1.0, gt=0, le=10_000)
    """Memory for the KV cache: what the model keeps of these pages."""


class ServerSettings(_Strict):
    """The engine ``server``: any server with OpenAI's chat completions API."""

    url: str = Field(default="http://127.0.0.1:8000/v1", pattern=r"^https?://")
    """Scheme, host, port and path; it mostly ends in `/v1`."""
    key_variable: str = "PIPELINE_SERVER_KEY"
    """Name of the environment variable that holds the API key, if the server needs one. The key itself is never written to a file. In a
    settings file that is not named with `--config`, the name must begin with `PIPELINE_`."""
    accepts_images: bool = True
    """Whether the model reads images; a model that does not gets only the words of the page."""
    concurrency: int = Field(default=4, ge=1, le=256)
    """Requests that are sent at the same time."""
    seconds: Seconds = Field(default=600, gt=0)
    """Time for one answer."""
    request_attempts: int = Field(default=5, ge=1, le=20)
    """How often one request is sent in all to a server that is down, busy or broken, with growing pauses."""


class RaySettings(_Strict):
    """The executor ``ray``: pages are read and answered on the machines of a Ray cluster; see docs/cluster.md."""

    address: str = "auto"
    """The cluster: `host:port`, `auto` for the cluster of this machine, `local` to start one here for this run."""
    cpus: int = Field(default=0, ge=0, le=4096)
    """Cores of an actor; 0 is one actor for each NUMA node of a machine."""
    memory_gb: float = Field(default=0, ge=0, le=100_000)
    """Memory that Ray reserves for an actor; 0 reserves none."""
    actors: int = Field(default=0, ge=0, le=100_000)
    """Largest number of actors; 0 is as many as the machines have room for. With `cpus`, actors without room wait until an autoscaler
    adds machines."""
    units_per_actor: int = Field(default=0, ge=0, le=1_000)
    """Units that an actor holds at the same time; 0 is one batch of its engine and a quarter more that wait."""
    timeout_seconds: Seconds = Field(default=120, gt=0)
    """The run ends when no actor has worked for this long; the next run goes on."""


class LogSettings(_Strict):
    """The log of a run; see docs/monitoring.md."""

    file: Path | None = None
    """Log file; by default there is none."""
    megabytes: float = Field(default=10, gt=0, le=1_000_000)
    """Size at which the log file is renamed and a new one begins."""
    keep: int = Field(default=5, ge=1, le=1_000)
    """Number of renamed log files that are kept."""
    as_json: bool = Field(default=False, alias="json")
    """One JSON object a line, in the file and on standard error, instead of text."""
    level: Literal["debug", "info", "warning"] = "info"
    """The lowest level that is written; at `debug` every page has a line."""


class MetricsSettings(_Strict):
    """Metrics for Prometheus."""

    port: int = Field(default=0, ge=0, le=65_535)
    """Port that serves them while `run` or `watch` works; 0 is off."""
    host: str = "127.0.0.1"
    """Address to listen on; with 0.0.0.0 other machines can connect."""


class ServeSettings(_Strict):
    """How `pipeline serve` is reached by other machines; see docs/people.md."""

    certificate: Path | None = None
    """File in PEM form with the certificate of the server and those that it was signed with: it is served with TLS then."""
    certificate_key: Path | None = None
    """File in PEM form with the private key of the certificate; by default it is in the same file."""
    proxies: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    """Addresses or networks of proxies whose headers are believed: `X-Forwarded-Proto`, `X-Forwarded-For` and the one below."""
    user_header: str = Field(default="", pattern=r"^[A-Za-z0-9-]{0,80}$")
    """Header in which these proxies name the person that they have signed in; empty: none does."""
    new_people: Literal["", "read", "correct"] = ""
    """Role of a person whom a proxy names and who has no account; empty: such a person is refused."""
    trash_days: int = Field(default=30, ge=1, le=3_650)
    """Days until documents that people delete in the list are deleted for good."""

    @model_validator(mode="after")
    def _check(self) -> ServeSettings:
        for proxy in self.proxies:
            ipaddress.ip_network(proxy, strict=False)
        if self.user_header and not self.proxies:
            raise ValueError("`user_header` needs `proxies`: from everybody else the header would be a forgery")
        if self.certificate_key and not self.certificate:
            raise ValueError("`certificate_key` needs `certificate`")
        return self


class ChatSettings(_Strict):
    """The OpenAI-compatible endpoint of `pipeline serve`, which asks the model of the engine ``vlm`` (docs/api.md)."""

    queue: int = Field(default=32, ge=1, le=1_000)
    """Requests that are at work or wait, all together; one more gets status 429."""
    tokens: int = Field(default=2_048, ge=16, le=100_000)
    """The longest answer; a request may ask for a shorter one."""


class WebhookSettings(_Strict):
    """Where `pipeline serve` sends the results of tasks; see docs/api.md."""

    url: str = Field(default="", pattern=r"^(https?://.*)?$")
    """URL that gets the result of every task that names no webhook itself; empty is none."""
    hosts: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    """Host names that requests may name as their webhook."""
    key_variable: str = "PIPELINE_WEBHOOK_KEY"
    """Name of the environment variable with the key that signs. In a settings file that is not named with `--config`, the name must begin
    with `PIPELINE_`."""
    private_addresses: bool = False
    """Whether a webhook may be a host of the own network or machine, and may do without https."""
    attempts: int = Field(default=10, ge=1, le=50)
    """How often a webhook is called in all; the pauses grow from 5 seconds to 6 hours."""
