"""The settings: one YAML file and the environment, validated. An error names the key and the file.

Precedence: command line, then environment (``PIPELINE_OUTBOX=…``, nested keys with two underscores: ``PIPELINE_LIMITS__SECONDS=60``),
then the file, then the defaults below. Paths in a file are relative to that file; defaults are relative to the current folder.
Keys of older versions are still read (``pipeline.renamed_settings``).

``inbox`` and ``outbox`` may be URLs of object stores. They then become folders of this machine that stand for the store
(``pipeline.object_urls``); ``inbox_url`` and ``outbox_url`` give the URLs back.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as EnvironmentValueError

from pipeline import found_settings, object_urls, renamed_settings
from pipeline.errors import SettingsError
from pipeline.mailbox_urls import is_mailbox_url
from pipeline.safe_open import path_problem
from pipeline.settings_file import FILE_NAME as FILE_NAME
from pipeline.settings_file import PATH_KEYS, SettingsFile, read_settings_file
from pipeline.settings_file import configs_folder as configs_folder
from pipeline.settings_file import find_settings_file as find_settings_file
from pipeline.settings_sections import (
    ChatSettings,
    CsvSettings,
    IntakeSettings,
    LimitSettings,
    LogSettings,
    MailboxSettings,
    MetricsSettings,
    OcrSettings,
    OfficeSettings,
    RaySettings,
    RetrySettings,
    ReviewSettings,
    ServerSettings,
    ServeSettings,
    StackSettings,
    VlmSettings,
    WebhookSettings,
)
from pipeline.split_records import SplitPolicy
from pipeline.templates.routing import Route
from pipeline.yaml_files.explain import did_you_mean

_MAIL_FOLDER = {key: f"; `mailbox.{key}` names a folder of it" for key in ("archive", "failed")}
STATE_FOLDER = ".pipeline"
"""Where the outbox keeps the ledger and the lock."""
OBJECTS_FOLDER = "objects"
"""Folder in it whose paths stand for objects of an object store."""
ENVIRONMENT_PREFIX = "PIPELINE_"


class Settings(BaseSettings):
    """All settings. configs/pipeline.yaml holds the same keys with comments."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)
    _deprecations: tuple[str, ...] = PrivateAttr(default=())

    inbox: Path = Path("inbox")
    """Folder that is read, with its subfolders; or the URL of one in an object store (docs/stores.md), or of a mailbox's folder
    (docs/mailbox.md)."""
    outbox: Path = Path("outbox")
    """Folder for results, and for the ledger (`outbox/.pipeline`); or the URL of one in an object store."""
    state: Path | None = None
    """Folder on this machine for the ledgers of outboxes in object stores; by default `~/.local/state/pipeline`."""
    templates: Path | None = None
    """Folder of your own templates, by default `templates` beside the settings file. They come before the built-in ones."""
    languages: Path | None = None
    """Folder of your own language files, by default `languages` beside the settings file; their words are added to the built-in ones."""
    engine: str = "auto"
    """What reads the pages: `embedded`, `vlm` or `server`; `auto` is `vlm` if its model is on this machine, else `embedded`."""
    model: str = ""
    """Name, folder or GGUF file of the model for ``vlm``, or the model's name at the ``server``; empty is the engine's default."""
    routes: tuple[Route, ...] = ()
    """Which template reads which files. The first match counts; without a match the classifier decides by the page."""
    split: SplitPolicy = "auto"
    """Whether a file with several documents is split: `auto` by all evidence, `barcode` only at separator sheets, `blank` only at blank
    pages, or `never`. A route may say otherwise for its files."""
    stacks: StackSettings = StackSettings()
    read_einvoices: bool = True
    """Whether the data of an e-invoice inside a PDF (Factur-X, ZUGFeRD) are read. If false, only the page itself is read."""
    read_codes: bool = True
    """Whether the QR codes and barcodes of payments, invoices and receipts (EPC, Swiss QR bill, ZATCA …) are read."""
    after: Literal["keep", "move", "delete", "seen", "flagged"] = "keep"
    """What happens to a file in the inbox once its result is on disk: it stays, it is moved to `archive`, or it is deleted. A message of a
    mailbox may also be marked as `seen` or `flagged`."""
    archive: Path | None = None
    """Where `after: move` puts files; by default `archive` beside the inbox. If the inbox is a URL, this is one of the same store."""
    failed: Path | None = None
    """Where `after: move` and `after: delete` put files that failed; by default `failed` beside the inbox."""
    workers: int = Field(default=0, ge=0, le=256)
    """Number of reader processes; 0 is one per core."""
    executor: Literal["local", "ray"] = "local"
    """Where pages are read and answered: on this machine, or on the machines of a Ray cluster."""
    shard: str = Field(default="", pattern=r"^([1-9][0-9]{0,4}/[1-9][0-9]{0,4})?$")
    """`3/16` reads the third of sixteen parts of the inbox, divided by a hash of each file's path; empty reads all of it."""
    limits: LimitSettings = LimitSettings()
    intake: IntakeSettings = IntakeSettings()
    mailbox: MailboxSettings = MailboxSettings()
    retry: RetrySettings = RetrySettings()
    review: ReviewSettings = ReviewSettings()
    csv: CsvSettings = CsvSettings()
    office: OfficeSettings = OfficeSettings()
    ocr: OcrSettings = OcrSettings()
    vlm: VlmSettings = VlmSettings()
    server: ServerSettings = ServerSettings()
    ray: RaySettings = RaySettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    webhooks: WebhookSettings = WebhookSettings()
    serve: ServeSettings = ServeSettings()
    chat: ChatSettings = ChatSettings()

    @model_validator(mode="before")
    @classmethod
    def _resolve_urls(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Replace URLs by the folders that stand for them."""
        values = {**values}
        urls: dict[str, str] = {}
        for key in ("inbox", "outbox", "archive", "failed"):
            if object_urls.is_url(values.get(key)):
                try:
                    place = object_urls.parse_store_url(values[key])
                except ValueError as error:
                    raise ValueError(f"{key}: {error}") from None  # the URL stays out of every traceback
                if isinstance(place, str):
                    urls[key] = place
                if is_mailbox_url(place) and key != "inbox":
                    raise ValueError(f"{key}: a mailbox can be an inbox only{_MAIL_FOLDER.get(key, '')}")
                values[key] = place
        if "outbox" in urls:
            state = Path(values.get("state") or object_urls.state_folder()).resolve()
            values["outbox"] = object_urls.outbox_folder(state, urls["outbox"])
        in_mailbox = is_mailbox_url(urls.get("inbox"))
        if values.get("after") in ("seen", "flagged") and not in_mailbox:
            raise ValueError(f"after: `{values['after']}` is for messages of a mailbox; a file can be kept, moved or deleted")
        for key in ("archive", "failed"):
            if values.get(key) and in_mailbox:
                raise ValueError(f"{key}: the inbox is a mailbox{_MAIL_FOLDER[key]}")
            if values.get(key) and ("inbox" in urls) != (key in urls):
                raise ValueError(f"{key}: must be of the same kind as the inbox: both folders, or both in one object store")
        for key in ("inbox", "archive", "failed"):
            if key in urls and urls[key].split("://")[0] != urls["inbox"].split("://")[0]:
                raise ValueError(f"{key}: must be in the same object store as the inbox")
            if key in urls:
                values[key] = object_urls.local_folder(_objects_folder(Path(values.get("outbox") or "outbox")), urls[key])
        return values

    @model_validator(mode="after")
    def _check_paths(self) -> Self:
        for key in PATH_KEYS:
            path = getattr(self, key)
            if path and (problem := path_problem(path)):
                raise ValueError(f"{key}: {problem}")
        return self

    @property
    def deprecations(self) -> tuple[str, ...]:
        """A line for each key of an older version that was given; it names the key that replaces it."""
        return self._deprecations

    @property
    def objects_folder(self) -> Path:
        """Folder whose paths stand for objects of an object store; it holds their contents while they are read."""
        return _objects_folder(self.outbox)

    @property
    def inbox_url(self) -> str | None:
        """The inbox's URL; None for a folder."""
        return object_urls.url_of(self.objects_folder, self.inbox) if OBJECTS_FOLDER in self.inbox.parts else None

    @property
    def outbox_url(self) -> str | None:
        """The outbox's URL; None for a folder."""
        if self.outbox.name != object_urls.OUTBOX:
            return None
        return object_urls.outbox_url((self.state or object_urls.state_folder()).resolve(), self.outbox)

    @property
    def is_mailbox(self) -> bool:
        """Whether the inbox is a folder of a mailbox."""
        return is_mailbox_url(self.inbox_url)

    @property
    def inbox_location(self) -> str:
        """The inbox as the user wrote it: a URL or a path."""
        return self.inbox_url or str(self.inbox)

    @property
    def outbox_location(self) -> str:
        """The outbox as the user wrote it: a URL or a path."""
        return self.outbox_url or str(self.outbox)

    @property
    def shard_numbers(self) -> tuple[int, int] | None:
        """``shard`` as two numbers: which part, and of how many."""
        number, _, of = self.shard.partition("/")
        return (int(number), int(of)) if number else None

    @field_validator("shard")
    @classmethod
    def _check_shard(cls, shard: str) -> str:
        number, _, of = shard.partition("/")
        if number and int(number) > int(of):
            raise ValueError(f"part {number} of {of} does not exist")
        return shard

    @property
    def archive_folder(self) -> Path:
        """Where files that were read are moved to."""
        return self.archive or self._beside(self.mailbox.archive if self.is_mailbox else "archive")

    @property
    def failed_folder(self) -> Path:
        """Where files that failed are moved to, each with a file that states the reason."""
        return self.failed or self._beside((self.is_mailbox and self.mailbox.failed) or "failed")

    def _beside(self, name: str) -> Path:
        url = self.inbox_url
        return (
            object_urls.local_folder(self.objects_folder, object_urls.sibling_url(url, name))
            if url
            else self.inbox.resolve().parent / name
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
        """Arguments come before the environment, the environment before the settings file."""
        del dotenv_settings, file_secret_settings
        if isinstance(env_settings, EnvSettingsSource):
            env_settings.env_vars, _ = renamed_settings.upgrade_environment(env_settings.env_vars, ENVIRONMENT_PREFIX.lower())
        return init_settings, env_settings, SettingsFile(settings_cls)


def _objects_folder(outbox: Path) -> Path:
    return outbox.resolve() / STATE_FOLDER / OBJECTS_FOLDER


def load_settings(file: Path | None = None, *, search: bool = True, **overrides: Any) -> Settings:
    """Settings from ``file``, the environment, and ``overrides`` that are not None.

    Without a ``file`` it is the one in the current folder, if there is one; such a file may not say everything (``found_settings``). With
    ``search=False`` no file is looked for.

    Raises SettingsError with every mistake, each with the name of its key.
    """
    found = find_settings_file(Path.cwd()) if file is None and search else None
    file = file or found
    values, deprecations = renamed_settings.upgrade_file(read_settings_file(file), file) if file else ({}, [])
    variables = {name.lower(): value for name, value in os.environ.items()}
    deprecations += renamed_settings.upgrade_environment(variables, ENVIRONMENT_PREFIX.lower())[1]
    for key in ("templates", "languages"):
        if file and (file.parent / key).is_dir():
            values.setdefault(key, file.parent / key)
    if found:
        found_settings.check_found_file(found, values, lambda key: _is_given(key, overrides, variables))
    SettingsFile.values = values
    try:
        settings = Settings(**{key: value for key, value in overrides.items() if value is not None})
    except EnvironmentValueError as error:
        raise SettingsError(f"{error}: {error.__cause__}", "lists and tables in the environment are written as JSON") from error
    except ValidationError as error:
        mistakes = [
            f"{'.'.join(map(str, item['loc'])) or 'settings'}: {_describe_mistake(item)}"
            for item in error.errors(include_url=False)
        ]
        lines = "\n".join(f"  {line}" for line in [*mistakes, *deprecations])
        raise SettingsError(
            f"{file or 'the settings'}: not valid:\n{lines}", f"{configs_folder() / FILE_NAME} lists every key"
        ) from error
    finally:
        SettingsFile.values = {}
    settings._deprecations = tuple(deprecations)
    return settings


def _is_given(key: str, overrides: Mapping[str, Any], variables: Mapping[str, str]) -> bool:
    """Whether the command line or the environment gives a value, whose key is written ``server.url``."""
    section, _, name = key.partition(".")
    if name and isinstance(given := overrides.get(section), Mapping) and given.get(name) is not None:
        return True
    prefix = ENVIRONMENT_PREFIX.lower()
    return (not name and overrides.get(section) is not None) or f"{prefix}{key.replace('.', '__')}" in variables


def _describe_mistake(item: ErrorDetails) -> str:
    """A mistake in words. For an unknown key, the key that was probably meant."""
    if item["type"] != "extra_forbidden":
        return item["msg"]
    section = Settings.model_fields.get(str(item["loc"][0])) if len(item["loc"]) > 1 else None
    model = section.annotation if section else None
    owner = model if isinstance(model, type) and issubclass(model, BaseModel) else Settings
    return f"there is no such key{did_you_mean(str(item['loc'][-1]), owner.model_fields)}"
