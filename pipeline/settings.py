"""Settings: one YAML file and the environment, validated; mistakes name the key and the file.

``inbox`` and ``outbox`` may be URLs of object stores. They then become the folders of this machine that stand for them
(``pipeline.object_urls``), from which ``inbox_url`` and ``outbox_url`` tell the URLs again.

Precedence: command line, then environment (``PIPELINE_OUTBOX=…``, nested keys with two underscores: ``PIPELINE_LIMITS__SECONDS=60``),
then the file, then the defaults below. Paths written in a file are relative to that file; defaults are relative to the
current folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as EnvironmentValueError

from pipeline import object_urls
from pipeline.errors import SettingsError
from pipeline.templates.explain import did_you_mean
from pipeline.templates.routing import Route

FILE_NAME = "pipeline.yaml"
PATH_KEYS = ("inbox", "outbox", "templates", "state", "archive", "failed")
STATE_FOLDER = ".pipeline"
"""Where the outbox keeps the ledger and the lock."""
OBJECTS = "objects"
"""Folder in it whose paths stand for objects."""
Seconds = Annotated[float, Field(le=1_000_000)]
"""Up to eleven days; the system's timers take no more than twice that."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Limits(_Strict):
    """What one document may cost; a document above a limit ends with a reason, the others go on."""

    megabytes: int = Field(default=2_000, gt=0)
    """Size of a file."""
    pages: int = Field(default=5_000, gt=0)
    """Pages read of one document; those after it are `skipped`."""
    megapixels: int = Field(default=400, gt=0)
    """Pixels an image file may unpack to."""
    seconds: Seconds = Field(default=120, gt=0)
    """Time for one page, after which its reader is killed."""
    memory_mb: int = Field(default=6_000, ge=2_000)
    """Address space of a reader process."""
    attempts: int = Field(default=2, ge=1, le=10)
    """How often a page is tried whose reader crashed or ran out of time."""
    passwords: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    """Tried on encrypted PDFs."""


class Intake(_Strict):
    """When a file in the inbox counts as fully written."""

    quiet_seconds: Seconds = Field(default=1.5, ge=0)
    """A file must not have changed for this long."""
    patience_seconds: Seconds = Field(default=30.0, ge=0)
    """How long `run` waits for files that are still being written before it leaves them for later, and for an object store to come back."""
    rescan_seconds: Seconds = Field(default=60.0, gt=0)
    """How often `watch` looks through the whole inbox, in case the system lost an event."""
    observer: Literal["auto", "native", "polling"] = "auto"
    """How `watch` hears of changes: from the operating system, or by looking (network shares tell nothing of what others write)."""
    poll_seconds: Seconds = Field(default=2.0, gt=0)
    """How often a polling observer looks; an inbox in an object store is always polled."""


class Review(_Strict):
    """Which values are marked for a person to look at."""

    accepted_error: float = Field(default=0.05, ge=0, le=1)
    """Share of wrong values that is accepted among those that are not marked."""


class Retry(_Strict):
    """What failed for a reason that may pass (an engine's mistake, a time limit) is read again by itself."""

    attempts: int = Field(default=3, ge=1, le=20)
    """How often a page is read in all; 1: never again by itself."""
    minutes: float = Field(default=10, gt=0, le=100_000)
    """Pause before the second attempt; four times as long before each further one."""
    breaker: int = Field(default=10, ge=1)
    """Documents in a row on which the engine failed, after which the run ends; `watch` pauses instead."""
    engine_seconds: Seconds = Field(default=1800, gt=0)
    """Without a sign of life from the engine for this long, the program starts itself anew."""
    deaths: int = Field(default=3, ge=1)
    """How often the program may die over a page before that page counts as failed."""


class Ocr(_Strict):
    """How the words of scans and photographs are read."""

    precision: Literal["auto", "bfloat16", "float32"] = "auto"
    """Precision of the networks' numbers; `auto` is bfloat16 where the processor multiplies it and the extra `fast-ocr` is installed.
    Part of every recipe: set it where machines of several kinds share an outbox."""


class Vlm(_Strict):
    """The engine ``vlm``: a model in this process."""

    revision: str | None = None
    """Commit, branch or tag of a model from the hub; None is the one that was pulled last."""
    dtype: Literal["auto", "bfloat16", "float32", "int8"] = "auto"
    """Precision of its numbers; `auto` is bfloat16 where the processor multiplies it or memory asks for it. `int8` is quicker where the
    processor multiplies bytes (AVX-512 VNNI) and has no AMX, takes half the memory, and rounds."""
    threads: int = Field(default=0, ge=0, le=1024)
    """Threads that multiply; 0 is one per physical core."""
    batch: int = Field(default=16, ge=1, le=64)
    """Pages answered at the same time, if memory allows."""
    cache_gb: float = Field(default=1.0, gt=0, le=10_000)
    """Memory for what the model has read of these pages (keys and values)."""


class Server(_Strict):
    """The engine ``server``: any server that speaks OpenAI's chat completions."""

    url: str = Field(default="http://127.0.0.1:8000/v1", pattern=r"^https?://")
    """Scheme, host, port and path; mostly ends in `/v1`."""
    key_variable: str = "PIPELINE_SERVER_KEY"
    """Environment variable that holds the key, if the server wants one; a key never stands in a file of ours."""
    sees: bool = True
    """Whether its model reads images; else it gets the page's words alone."""
    concurrency: int = Field(default=4, ge=1, le=256)
    """Requests at the same time."""
    seconds: Seconds = Field(default=600, gt=0)
    """Time for one answer."""
    attempts: int = Field(default=5, ge=1, le=20)
    """How often a request is sent to a server that is down, busy or broken, with growing pauses."""


class Ray(_Strict):
    """The executor ``ray``: readers and engines on the machines of a Ray cluster; see docs/cluster.md."""

    address: str = "auto"
    """The cluster: `host:port`, `auto` for the one that this machine belongs to, `local` to start one here for this run."""
    cpus: int = Field(default=0, ge=0, le=4096)
    """Cores of an actor; 0 is one actor for each NUMA node of a machine."""
    memory_gb: float = Field(default=0, ge=0, le=100_000)
    """Memory that Ray is to set aside for an actor; 0 is no matter."""
    actors: int = Field(default=0, ge=0, le=100_000)
    """Actors at most; 0 is as many as the machines have room for. With `cpus`, those beyond wait, for an autoscaler to add machines."""
    ahead: int = Field(default=0, ge=0, le=1_000)
    """Units that an actor holds at the same time; 0 is what its engine answers together, and some that wait."""
    wait_seconds: Seconds = Field(default=120, gt=0)
    """Without any actor at work for so long, the run ends; the next one goes on."""


class Log(_Strict):
    """What is written down about a run; see docs/monitoring.md."""

    file: Path | None = None
    """Log file; None is none."""
    megabytes: float = Field(default=10, gt=0, le=1_000_000)
    """Size at which the log file is put aside and a new one begun."""
    keep: int = Field(default=5, ge=1, le=1_000)
    """Log files put aside that are kept."""
    as_json: bool = Field(default=False, alias="json")
    """One JSON object a line: in the file, and on standard error in place of what is written there for people."""
    level: Literal["debug", "info", "warning"] = "info"
    """The least that is worth a line; at debug every page has one."""


class Metrics(_Strict):
    """Numbers for Prometheus."""

    port: int = Field(default=0, ge=0, le=65_535)
    """Port that serves them while `run` or `watch` is at work; 0 is none."""
    host: str = "127.0.0.1"
    """Address it listens on; 0.0.0.0 is every machine that can reach this one."""


class Settings(BaseSettings):
    """Everything that can be set; see configs/pipeline.yaml for the same with comments."""

    model_config = SettingsConfigDict(env_prefix="PIPELINE_", env_nested_delimiter="__", extra="forbid", frozen=True)
    _file_values: ClassVar[dict[str, Any]] = {}

    inbox: Path = Path("inbox")
    """Folder that is read, with the folders in it; or the URL of one in an object store (docs/stores.md)."""
    outbox: Path = Path("outbox")
    """Folder for results, and for the ledger (`outbox/.pipeline`); or the URL of one in an object store."""
    state: Path | None = None
    """Folder on a disk of this machine for the ledgers of outboxes in object stores; by default among the user's own state."""
    templates: Path | None = None
    """Folder of your own templates, by default `templates` beside the settings file; they come before built-in ones."""
    engine: str = "auto"
    """What reads the pages: `embedded`, `vlm`, `server`; `auto` is `vlm` where its model is here, else `embedded`."""
    model: str = ""
    """Name, folder or GGUF file of the model that ``vlm`` runs, or the model's name at the ``server``; empty: the engine's default."""
    retries: int = Field(default=2, ge=0, le=10)
    """How often a model is asked again about a page whose answer fails its checks."""
    routes: tuple[Route, ...] = ()
    """Which template reads which files: the first match wins, without one the classifier looks at the page."""
    einvoices: Literal["read", "ignore"] = "read"
    """Whether the data of an e-invoice inside a PDF are read; ``ignore`` reads the page as if it carried none."""
    after: Literal["keep", "move", "delete"] = "keep"
    """What happens to a file in the inbox once its result is safely on disk."""
    archive: Path | None = None
    """Where `after: move` puts files; by default `archive` beside the inbox. In the same store, where the inbox is a URL."""
    failed: Path | None = None
    """Where `after: move` and `after: delete` put files that failed; by default `failed` beside the inbox."""
    workers: int = Field(default=0, ge=0, le=256)
    """Reader processes; 0 is one per core."""
    executor: Literal["local", "ray"] = "local"
    """Where pages are read and answered: on this machine, or on those of a Ray cluster."""
    shard: str = Field(default="", pattern=r"^([1-9][0-9]{0,4}/[1-9][0-9]{0,4})?$")
    """`3/16`: only the third of sixteen parts of the inbox, told apart by a hash of the path in it; empty is all of it."""
    limits: Limits = Limits()
    intake: Intake = Intake()
    retry: Retry = Retry()
    review: Review = Review()
    ocr: Ocr = Ocr()
    vlm: Vlm = Vlm()
    server: Server = Server()
    ray: Ray = Ray()
    log: Log = Log()
    metrics: Metrics = Metrics()

    @model_validator(mode="before")
    @classmethod
    def _places(cls, values: dict[str, Any]) -> dict[str, Any]:
        """URLs become the folders that stand for them."""
        values = {**values}
        urls: dict[str, str] = {}
        for key in ("inbox", "outbox", "archive", "failed"):
            if object_urls.is_url(values.get(key)):
                try:
                    place = object_urls.parse(values[key])
                except ValueError as error:
                    raise ValueError(f"{key}: {error}") from None  # the URL stays out of every traceback
                if isinstance(place, str):
                    urls[key] = place
                values[key] = place
        if "outbox" in urls:
            state = Path(values.get("state") or object_urls.state_folder()).resolve()
            values["outbox"] = object_urls.outbox_folder(state, urls["outbox"])
        for key in ("archive", "failed"):
            if values.get(key) and ("inbox" in urls) != (key in urls):
                raise ValueError(f"{key}: wants a place of the same kind as the inbox: both folders, or both in one store")
        for key in ("inbox", "archive", "failed"):
            if key in urls and urls[key].split("://")[0] != urls["inbox"].split("://")[0]:
                raise ValueError(f"{key}: wants a place in the same store as the inbox")
            if key in urls:
                values[key] = object_urls.local_folder(_objects(Path(values.get("outbox") or "outbox")), urls[key])
        return values

    @property
    def objects(self) -> Path:
        """Folder whose paths stand for objects, and hold them while they are read."""
        return _objects(self.outbox)

    @property
    def inbox_url(self) -> str | None:
        """The inbox's URL; None for a folder."""
        return object_urls.url_of(self.objects, self.inbox) if OBJECTS in self.inbox.parts else None

    @property
    def outbox_url(self) -> str | None:
        """The outbox's URL; None for a folder."""
        if self.outbox.name != object_urls.OUTBOX:
            return None
        return object_urls.outbox_url((self.state or object_urls.state_folder()).resolve(), self.outbox)

    @property
    def told_inbox(self) -> str:
        """The inbox as people know it."""
        return self.inbox_url or str(self.inbox)

    @property
    def told_outbox(self) -> str:
        """The outbox as people know it."""
        return self.outbox_url or str(self.outbox)

    @property
    def part(self) -> tuple[int, int] | None:
        """``shard`` as numbers."""
        number, _, of = self.shard.partition("/")
        return (int(number), int(of)) if number else None

    @field_validator("shard")
    @classmethod
    def _is_a_part(cls, shard: str) -> str:
        number, _, of = shard.partition("/")
        if number and int(number) > int(of):
            raise ValueError(f"there is no part {number} of {of}")
        return shard

    @property
    def archive_folder(self) -> Path:
        """Where files that were read are moved to."""
        return self.archive or self._beside("archive")

    @property
    def failed_folder(self) -> Path:
        """Where files that failed are moved to, with the reason beside them."""
        return self.failed or self._beside("failed")

    def _beside(self, name: str) -> Path:
        url = self.inbox_url
        return (
            object_urls.local_folder(self.objects, object_urls.beside(url, name)) if url else self.inbox.resolve().parent / name
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment stands above the file, whose values come in through ``_File``."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, _File(settings_cls)


def _objects(outbox: Path) -> Path:
    return outbox.resolve() / STATE_FOLDER / OBJECTS


class _File(PydanticBaseSettingsSource):
    """The values of the settings file, as read by ``load_settings``."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        """One value of the file."""
        del field
        return Settings._file_values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """All values of the file, also unknown keys, so that they are refused."""
        return dict(Settings._file_values)


def configs_folder() -> Path:
    """The folder of the built-in settings and templates: inside an installed package, beside it in a checkout."""
    inside = Path(__file__).parent / "configs"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "configs"


def find_settings_file(folder: Path) -> Path | None:
    """The settings file that a command without ``--config`` uses in ``folder``."""
    return folder / FILE_NAME if (folder / FILE_NAME).is_file() else None


def load_settings(file: Path | None = None, **overrides: Any) -> Settings:
    """Settings from ``file`` (or the one found in the current folder), the environment and ``overrides`` that are not None.

    Raises SettingsError with every mistake, each with the name of its key.
    """
    file = file or find_settings_file(Path.cwd())
    values = _read(file) if file else {}
    if file and (file.parent / "templates").is_dir():
        values.setdefault("templates", file.parent / "templates")
    Settings._file_values = values
    try:
        return Settings(**{key: value for key, value in overrides.items() if value is not None})
    except EnvironmentValueError as error:
        raise SettingsError(f"{error}: {error.__cause__}", "lists and tables in the environment are written as JSON") from error
    except ValidationError as error:
        mistakes = "\n".join(
            f"  {'.'.join(map(str, item['loc'])) or 'settings'}: {_plainly(item)}" for item in error.errors(include_url=False)
        )
        where = file or "the settings"
        raise SettingsError(
            f"{where}: not valid:\n{mistakes}", "compare with configs/pipeline.yaml (pipeline init writes one)"
        ) from error
    finally:
        Settings._file_values = {}


def _plainly(item: ErrorDetails) -> str:
    """A mistake in words; an unknown key with the one that was probably meant."""
    if item["type"] != "extra_forbidden":
        return item["msg"]
    sections: dict[str, type[BaseModel]] = {
        "limits": Limits,
        "intake": Intake,
        "retry": Retry,
        "review": Review,
        "ocr": Ocr,
        "vlm": Vlm,
        "server": Server,
        "ray": Ray,
        "log": Log,
        "metrics": Metrics,
    }
    known = sections.get(str(item["loc"][0]), Settings) if len(item["loc"]) > 1 else Settings
    return f"there is no such key{did_you_mean(str(item['loc'][-1]), known.model_fields)}"


def _read(file: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except Exception as error:  # YAML's dates, numbers and tags raise whatever a wrong one leads them to
        raise SettingsError(
            f"{file}: cannot be read: {error}", "check the path after --config, and that it is YAML in UTF-8"
        ) from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise SettingsError(f"{file}: is not a list of `key: value` lines", "compare with configs/pipeline.yaml")
    for key in PATH_KEYS:
        if isinstance(values.get(key), str) and not object_urls.is_url(values[key]):
            values[key] = file.parent / _home(file, key, values[key])
    log = values.get("log")
    if isinstance(log, dict) and isinstance(log.get("file"), str):
        log["file"] = file.parent / _home(file, "log.file", log["file"])
    return values


def _home(file: Path, key: str, written: str) -> Path:
    """A path with its ``~`` or ``~user`` replaced."""
    try:
        return Path(written).expanduser()
    except RuntimeError as error:
        raise SettingsError(f"{file}: {key}: `{written}`: {error}", "write the path out") from error
