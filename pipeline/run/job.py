"""Everything a run needs, made once from the settings: templates, engine, recipes, ledger and lock."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, get_args

from pipeline import languages
from pipeline.backoff import Backoff
from pipeline.engines.base import Engine
from pipeline.engines.registry import make_engine
from pipeline.errors import OutboxError, SettingsError
from pipeline.intake.scan import FileStates, Inbox, InboxFile, SkipCallback, scan_arguments, scan_inbox
from pipeline.intake.settle import restat_file
from pipeline.ledger.connection import LEDGER_FILE
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.recovery import UNCLEAN_FILE, open_checked_ledger
from pipeline.object_urls import local_path, parse_store_url
from pipeline.records import Source
from pipeline.remote.mirror import Mirror, mirrored, update_ledger_paths
from pipeline.remote.objects import ObjectInbox
from pipeline.run import page_requests, unit_retry
from pipeline.run.outbox_names import Namer
from pipeline.runtime.lock import locked
from pipeline.settings import STATE_FOLDER, Settings, configs_folder
from pipeline.templates.ask import PREFIX as ASKED
from pipeline.templates.ask import ask_template
from pipeline.templates.digest import digest
from pipeline.templates.load import load_templates
from pipeline.templates.model import PageKind, Template
from pipeline.templates.routing import check_routes, route, template_for_kind
from pipeline.values.times import utc_timestamp
from pipeline.words.precision import BFLOAT16_VERSION, Precision, choose_precision
from pipeline.yaml_files.explain import did_you_mean

if TYPE_CHECKING:
    from pipeline.cluster.cluster import Cluster


@dataclass
class Job:
    """Settings made real. ``forced`` templates come before every route."""

    settings: Settings
    templates: Mapping[str, Template]
    engine: Engine
    ledger: Ledger
    forced: tuple[str, ...] = ()
    cluster: Cluster | None = None
    """The machines that read and answer; None is this one."""
    notes: list[str] = field(default_factory=list)
    """What happened when it was opened and somebody should know."""
    objects: ObjectInbox | None = None
    """The inbox, where that is in an object store."""
    mirror: Mirror | None = None
    """The outbox there, for a run that may write to it."""
    precision: Precision = field(init=False)
    """How exactly the OCR reckons: decided once, and told to the readers."""
    recipes: dict[str, str] = field(init=False)
    """Recipe by template: a hash of everything that can change an answer."""
    templates_by_kind: dict[PageKind, str] = field(init=False)
    """Which template reads which kind of page when none is named."""
    known: dict[str, FileRecord] = field(init=False)
    """Files by absolute path, as the ledger knew them at the start."""
    namer: Namer = field(init=False)
    """Names of files in the outbox."""

    def __post_init__(self) -> None:
        self.precision = self.cluster.precision if self.cluster else choose_precision(self.settings)
        self.recipes = {name: self.recipe(template) for name, template in self.templates.items()}
        self.templates_by_kind = {kind: template_for_kind(kind, self.templates) for kind in get_args(PageKind)}
        self.known = self.ledger.files_by_path()
        self.namer = Namer({path: file.source.name for path, file in self.known.items()})

    def recipe(self, template: Template) -> str:
        """The recipe of a template that need not be among the job's."""
        return recipe(template, self.engine, einvoices=self.settings.read_einvoices, precision=self.precision)

    @property
    def outbox(self) -> Path:
        """Where results go."""
        return self.settings.outbox

    @property
    def inbox(self) -> Inbox:
        """Where to look, and which folders in it are ours."""
        settings = self.settings
        return Inbox(settings.inbox, (settings.outbox, settings.archive_folder, settings.failed_folder), settings.shard_numbers)

    def scan(
        self, left: SkipCallback, paths: Sequence[Path | str] = (), unchanged: FileStates | None = None
    ) -> Iterator[InboxFile]:
        """Files and objects of the inbox, or those that are named, but for those that are ``unchanged``.

        Raises SettingsError for a path or URL that is not there, StoreError.
        """
        urls = [_object_url(path) for path in paths if isinstance(path, str)]
        files = [path for path in paths if isinstance(path, Path)]
        if urls and not self.objects:
            raise SettingsError(f"{urls[0]}: the inbox is no such store", "name the store's folder with --inbox")
        if files:
            yield from scan_arguments(files, self.inbox, self.namer, left)
        if self.objects and (urls or not files):
            namer = self.namer
            yield from self.objects.named_files(urls, namer, left) if urls else self.objects.scan(namer, left, unchanged)
        elif not files:
            yield from scan_inbox(self.inbox, self.namer, left, unchanged)

    def present(self, source: Source) -> InboxFile | None:
        """The file or object that a source stands for as it is now; None when it is gone."""
        if self.objects and self.objects.is_object(source.path):
            return self.objects.restat_file(source)
        found = restat_file(InboxFile(source, 0, 0))
        return found if found and source.path.is_file() else None

    @property
    def scratch(self) -> Path:
        """Where files lie while they are half written; emptied when a run starts."""
        return self.outbox / STATE_FOLDER / "tmp"

    @property
    def unpacked(self) -> Path:
        """Where archives are unpacked; emptied when a run starts."""
        return self.outbox / STATE_FOLDER / "unpacked"

    def requested_templates(self, known: FileRecord | None) -> tuple[str, ...]:
        """Templates named on the command line for a file: now, else when it was last named."""
        named = tuple(name for name in self.forced if not name.startswith(ASKED))
        return named or (known.requested_templates if known else ())

    def plan(
        self, relative: str, requested: Sequence[str], chosen: str | None, before: Mapping[str, str]
    ) -> dict[str, str] | None:
        """Template to recipe of all that is to be published of a file; None when its pages must be looked at first.

        What the command line says now comes first, then the routes, then what it said earlier (``requested``), then the classifier
        (``chosen``). ``before`` is what is published of the same contents: a question adds its answer to it, and answers to earlier
        questions stay.
        """
        routed = list(self.forced) or route(relative, self.templates, self.settings.routes)
        templates = (
            routed or [name for name in requested if name in self.recipes] or ([chosen] if chosen in self.recipes else [])
        )
        if not templates:
            return None
        only_asked = all(name.startswith(ASKED) for name in self.forced) and bool(self.forced)
        kept = [name for name in before if name in self.recipes and (only_asked or name.startswith(ASKED))]
        return {name: self.recipes[name] for name in dict.fromkeys([*templates, *kept])}

    def up_to_date(self, file: FileRecord, found: InboxFile) -> bool:
        """Whether what is published of a file is what today's recipes would give for it as it was found."""
        if file.stale or file.published_sha256 != file.sha256 or (file.size, file.mtime_ns) != (found.size, found.mtime_ns):
            return False
        if self.is_due(file):
            return False
        return (
            bool(file.unreadable)
            or file.pinned
            or self.plan(found.source.relative, self.requested_templates(file), file.chosen_template, file.recipes)
            == file.recipes
        )

    def retry_pause(self, tried: int) -> timedelta:
        """How long something waits that failed ``tried`` times."""
        return timedelta(seconds=Backoff(60 * self.settings.retry.wait_minutes, factor=4).seconds_after(tried))

    def is_due(self, file: FileRecord) -> bool:
        """Whether a file that failed is to be read again now; also when its time lies too far ahead to be true."""
        at = file.retry_at
        return at is not None and not utc_timestamp() < at <= utc_timestamp(self.retry_pause(self.settings.retry.page_attempts))


def recipe(template: Template, engine: Engine, *, einvoices: bool = True, precision: Precision = "float32") -> str:
    """Sixteen hexadecimal digits that change whenever an answer could.

    ``einvoices``: whether their data are read; ``precision``: of the OCR.
    """
    asking_again = [unit_retry.VERSION, engine.retries] if engine.retries else []
    pages_alone = [] if einvoices else ["without e-invoices"]
    rounded = [] if precision == "float32" else [f"OCR in {precision}", BFLOAT16_VERSION]
    own_words = [f"words {languages.active().additions}"] if languages.active().additions else []
    content = json.dumps(
        [digest(template), engine.identity, page_requests.VERSION, *asking_again, *pages_alone, *rounded, *own_words]
    )
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def all_templates(settings: Settings) -> dict[str, Template]:
    """Built-in templates and the user's own, which come first and win; the settings' languages are in force from here on.

    Raises LanguageError, TemplateError.
    """
    languages.use(settings.languages)
    built_in = configs_folder() / "templates"
    folders = [built_in, settings.templates] if settings.templates else [built_in]
    templates = load_templates(folders)
    check_routes(settings.routes, templates)
    return templates


def _check_folders(settings: Settings) -> None:
    """Raises OutboxError when results would be read as documents."""
    if settings.inbox_url:
        inside = f"{settings.inbox_url}/".startswith(f"{settings.outbox_url}/")
    else:
        inside = settings.inbox.resolve().is_relative_to(settings.outbox.resolve())
    if inside:
        raise OutboxError(
            f"the inbox {settings.inbox_location} lies inside the outbox {settings.outbox_location}",
            "choose an outbox that does not hold the inbox",
        )


def open_ledger(settings: Settings) -> Ledger:
    """The outbox's ledger. Raises LedgerError, OutboxError."""
    _check_folders(settings)
    return Ledger(settings.outbox / STATE_FOLDER)


def mended_ledger(settings: Settings, told: list[str]) -> Ledger:
    """See open_checked_ledger; the lock must be held."""
    url = settings.inbox_url

    def place(relative: str) -> Path:
        return local_path(settings.objects_folder, f"{url}/{relative}") if url else settings.inbox.resolve() / relative

    return open_checked_ledger(settings.outbox / STATE_FOLDER, settings.outbox, place, told)


@contextmanager
def _own_ledger(settings: Settings, told: list[str]) -> Iterator[Ledger]:
    """The ledger for a run that holds the lock: checked and mended, and marked until the run ends in good order."""
    folder = settings.outbox / STATE_FOLDER
    mark = folder / UNCLEAN_FILE
    with mended_ledger(settings, told) as ledger:
        mark.touch()
        if settings.inbox_url or settings.outbox_url:
            update_ledger_paths(settings, ledger)
        yield ledger
    mark.unlink(missing_ok=True)


def known_templates(templates: Mapping[str, Template], ledger: Ledger) -> dict[str, Template]:
    """``templates``, and those that were made from earlier questions about documents."""
    return {**templates, **{template.name: template for template in map(ask_template, ledger.questions())}}


@contextmanager
def open_job(
    settings: Settings,
    *,
    template: str | None = None,
    ask: str | None = None,
    engine: Engine | None = None,
    cluster: Cluster | None = None,
) -> Iterator[Job]:
    """Take the outbox's lock and open everything. With the executor ``ray`` joins the cluster, unless there is one, or an ``engine``.

    Raises SettingsError, TemplateError, LockedError, LedgerError, OutboxError, EngineUnavailableError.
    """
    _check_folders(settings)
    names = named_templates(settings, template)
    notes: list[str] = []
    with ExitStack() as stack:
        if settings.executor == "ray" and engine is None and cluster is None:
            from pipeline.cluster.cluster import Cluster

            cluster = stack.enter_context(Cluster(settings, page_requests.HANDLER))
        ready = engine or (cluster.engine if cluster else make_engine(settings))
        with locked(settings.outbox), mirrored(settings) as mirror, _own_ledger(settings, notes) as ledger:
            for leftover in ("tmp", "unpacked", "objects"):  # of a run that was killed
                shutil.rmtree(settings.outbox / STATE_FOLDER / leftover, ignore_errors=True)
            if ask is not None:
                question = ask_template(ask)
                ledger.record_question(question.name, ask)
                names.append(question.name)
            if mirror:
                mirror.attach(ledger)
            yield Job(
                settings,
                known_templates(all_templates(settings), ledger),
                ready,
                ledger,
                tuple(names),
                cluster,
                notes,
                objects=_objects(settings),
                mirror=mirror,
            )
            if mirror:
                mirror.finish()


def _objects(settings: Settings) -> ObjectInbox | None:
    return ObjectInbox(settings, settings.inbox_url) if settings.inbox_url else None


def _object_url(written: str) -> str:
    """A URL named on the command line. Raises SettingsError."""
    try:
        place = parse_store_url(written)
    except ValueError as error:
        raise SettingsError(str(error), "name files and folders, or URLs below the inbox") from None
    return str(place)


def named_templates(settings: Settings, template: str | None) -> list[str]:
    """The templates of ``--template``. Raises SettingsError for one that is not there."""
    names = [name.strip() for name in (template or "").split(",") if name.strip()]
    for name in names:
        check_template(name, all_templates(settings))
    return names


@contextmanager
def looking_job(settings: Settings, engine: Engine, template: str | None = None) -> Iterator[Job]:
    """A job to look with, beside a run that holds the lock: what is known, what would be read. Writes nothing.

    Raises SettingsError, TemplateError, LedgerError, OutboxError.
    """
    names = tuple(named_templates(settings, template))
    with ExitStack() as stack:
        if (settings.outbox / STATE_FOLDER / LEDGER_FILE).is_file():
            ledger = stack.enter_context(open_ledger(settings))
        else:
            _check_folders(settings)
            ledger = stack.enter_context(Ledger(Path(stack.enter_context(TemporaryDirectory(prefix="pipeline-")))))
        yield Job(settings, known_templates(all_templates(settings), ledger), engine, ledger, names, objects=_objects(settings))


def check_template(name: str, templates: Mapping[str, Template]) -> None:
    """Raises SettingsError with a suggestion when there is no such template."""
    if name not in templates:
        raise SettingsError(
            f"there is no template `{name}`{did_you_mean(name, templates)}", f"templates: {', '.join(sorted(templates))}"
        )
