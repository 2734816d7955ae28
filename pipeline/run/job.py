"""All that a run needs, made once from the settings: templates, engine, recipes, ledger and lock."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, get_args

from pipeline import languages
from pipeline.backoff import Backoff
from pipeline.engines.base import Engine
from pipeline.engines.registry import make_engine
from pipeline.errors import OutboxError, SettingsError, TemplateError
from pipeline.ignored_names import IgnoredNames
from pipeline.intake.folder_walk import SkipCallback
from pipeline.intake.scan import FileStates, Inbox, InboxFile, file_of_source, scan_arguments, scan_inbox
from pipeline.ledger.contained_records import records_of_parts
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.recovery import UNCLEAN_FILE, open_checked_ledger
from pipeline.ledger.replacement import has_ledger
from pipeline.object_urls import local_path, parse_store_url
from pipeline.records import WRAPPER_KINDS, Source
from pipeline.remote.mail_inbox import is_mail_inbox, open_inbox
from pipeline.remote.mirror import Mirror, mirrored, update_ledger_paths
from pipeline.remote.objects import ObjectInbox
from pipeline.run import answer_retry, page_requests
from pipeline.run.inline_templates import inline_templates, may_be_recorded
from pipeline.run.outbox_names import OutboxNames
from pipeline.run.overlapping_folders import check_folders, check_paths
from pipeline.runtime.lock import locked
from pipeline.settings import STATE_FOLDER, Settings, configs_folder
from pipeline.split_records import SplitPolicy
from pipeline.templates.digest import digest
from pipeline.templates.load import load_templates
from pipeline.templates.question_template import PREFIX as QUESTION_PREFIX
from pipeline.templates.question_template import ask_template
from pipeline.templates.references import RESERVED
from pipeline.templates.routing import check_routes, route, split_policy, template_for_kind
from pipeline.templates.schema_template import SchemaText, parse_schema_template
from pipeline.templates.template import PageKind, Template
from pipeline.values.times import utc_timestamp
from pipeline.words.precision import BFLOAT16_VERSION, Precision, choose_precision
from pipeline.yaml_files.explain import did_you_mean

if TYPE_CHECKING:
    from pipeline.cluster.cluster import Cluster

UNPACKED_FOLDER = "unpacked"
"""Folder below the outbox's own one to which parts of containers are unpacked; emptied when a run starts."""
PARTS_FOLDER = "parts"
"""Folder beside it for parts that are unpacked once more (see ``part_cache``); emptied when a run starts."""
LONGEST_PAUSE_SECONDS = 365 * 86_400
"""The longest time that a failed document waits for its next attempt."""


@dataclass
class Job:
    """The parts of one run. ``override_templates`` come before every route, for all files."""

    settings: Settings
    templates: Mapping[str, Template]
    engine: Engine
    ledger: Ledger
    override_templates: tuple[str, ...] = ()
    cluster: Cluster | None = None
    """The machines that read and answer; None for this machine alone."""
    notes: list[str] = field(default_factory=list)
    """Messages for the user about the opening of the ledger, e.g. that it was repaired."""
    objects: ObjectInbox | None = None
    """The inbox, where it is in an object store."""
    mirror: Mirror | None = None
    """The outbox in an object store, for a run that may write to it."""
    precision: Precision = field(init=False)
    """The number format of the OCR, chosen once for all readers."""
    recipes: dict[str, str] = field(init=False)
    """Recipe by template: a hash of everything that can change an answer."""
    templates_by_kind: dict[PageKind, str] = field(init=False)
    """The template that reads each kind of page when no template is named."""
    file_records: dict[str, FileRecord] = field(init=False)
    """Files by absolute path, as the ledger knew them at the start."""
    vacated_paths: set[str] = field(default_factory=set)
    """Absolute paths whose file was renamed or moved since ``InboxScanner`` has taken them. What comes there later is another file."""
    outbox_names: OutboxNames = field(init=False)
    """Gives out names in the outbox."""
    schemas: frozenset[str] = frozenset()
    """Templates made of JSON Schemas that some run was given. No route and no folder leads to them."""

    def __post_init__(self) -> None:
        self.precision = self.cluster.precision if self.cluster else choose_precision(self.settings)
        self.recipes = {name: self.recipe(template) for name, template in self.templates.items()}
        self.templates_by_kind = {kind: template_for_kind(kind, self.templates) for kind in get_args(PageKind)}
        self.file_records = self.ledger.files_by_path()
        if is_mail_inbox(self.objects):
            self.objects.recorded = self.ledger.file_at
        others = [*(file.source.name for file in self.ledger.deleted_files()), *self.ledger.part_names()]
        self.outbox_names = OutboxNames({path: file.source.name for path, file in self.file_records.items()}, others)

    def recipe(self, template: Template) -> str:
        """The recipe of a template, also of one that is not in ``templates``."""
        return recipe(
            template,
            self.engine,
            einvoices=self.settings.read_einvoices,
            codes=self.settings.read_codes,
            precision=self.precision,
            office_pages=self.settings.office.pages,
            scripts=self.settings.ocr.languages,
        )

    def learn_templates(self, relative: str) -> None:
        """Take up templates that were recorded since the start, where the folder of a path below the inbox may be named like one."""
        if may_be_recorded(relative) and not any(folder in self.templates for folder in relative.split("/")[:-1]):
            self.templates = known_templates(self.templates, self.ledger)
            self.recipes |= {name: self.recipe(self.templates[name]) for name in self.templates.keys() - self.recipes.keys()}

    def split_policy(self, relative: str) -> SplitPolicy:
        """How a file at a path below the inbox is split into documents."""
        return split_policy(relative, self.settings.routes, self.settings.split)

    @property
    def questions(self) -> dict[str, str]:
        """The questions of this run, by the template made of each."""
        asked = (self.templates[name] for name in self.override_templates if name.startswith(QUESTION_PREFIX))
        return {template.name: template.description for template in asked}

    @property
    def outbox(self) -> Path:
        """The folder for results."""
        return self.settings.outbox

    @cached_property
    def inbox(self) -> Inbox:
        """The folder of documents, without the program's own folders."""
        settings = self.settings
        own = (settings.outbox, settings.archive_folder, settings.failed_folder, settings.templates, settings.languages)
        ignored = IgnoredNames(settings.intake.ignore)
        return Inbox(settings.inbox, tuple(folder for folder in own if folder), settings.shard_numbers, ignored)

    @cached_property
    def inbox_root(self) -> Path:
        """The folder of documents with symbolic links resolved, as it was at the start."""
        return self.inbox.root

    @cached_property
    def unpacked_root(self) -> Path:
        """``unpacked`` with symbolic links resolved, as it was at the start."""
        return self.unpacked.resolve()

    def scan(
        self, on_skip: SkipCallback, paths: Sequence[Path | str] = (), unchanged: FileStates | None = None
    ) -> Iterator[InboxFile]:
        """Files and objects of the inbox without the ``unchanged`` ones, or those that ``paths`` name.

        Raises SettingsError for a path or URL that does not exist, StoreError.
        """
        urls = [_object_url(path) for path in paths if isinstance(path, str)]
        files = [path for path in paths if isinstance(path, Path)]
        if urls and not self.objects:
            raise SettingsError(f"{urls[0]}: the inbox is no such store", "name the store's folder with --inbox")
        if files:
            check_paths(files, self.settings)
            yield from scan_arguments(files, self.inbox, self.outbox_names, on_skip)
        if self.objects and (urls or not files):
            names = self.outbox_names
            yield from self.objects.named_files(urls, names, on_skip) if urls else self.objects.scan(names, on_skip, unchanged)
        elif not files:
            yield from scan_inbox(self.inbox, self.outbox_names, on_skip, unchanged)

    def present_file(self, source: Source) -> InboxFile | None:
        """The file or object of ``source`` with its present size and time; None when it no longer exists."""
        if self.objects and self.objects.is_object(source.path):
            return self.objects.restat_file(source)
        return file_of_source(source, self.settings.inbox)

    @property
    def scratch(self) -> Path:
        """The folder for files that are half written; emptied when a run starts."""
        return self.outbox / STATE_FOLDER / "tmp"

    @property
    def unpacked(self) -> Path:
        """The folder to which parts of containers are unpacked; emptied when a run starts."""
        return self.outbox / STATE_FOLDER / UNPACKED_FOLDER

    def requested_templates(self, record: FileRecord | None) -> tuple[str, ...]:
        """Templates that the command line names for a file: of this run, else of the last run that named any."""
        named = tuple(name for name in self.override_templates if not name.startswith(QUESTION_PREFIX))
        return named or (record.requested_templates if record else ())

    def plan(
        self, relative: str, requested: Sequence[str], chosen: str | None, published: Mapping[str, str]
    ) -> dict[str, str] | None:
        """Template to recipe of all that is to be published of a file; None when the classifier must see its pages first.

        The command line of this run comes first, then the routes, then the command line of earlier runs (``requested``), then the
        classifier (``chosen``). ``published`` is template to recipe of the present result: a question adds its answer to that result,
        and answers to earlier questions stay.
        """
        routable = {name: template for name, template in self.templates.items() if name not in self.schemas}
        routed = list(self.override_templates) or route(relative, routable, self.settings.routes)
        templates = (
            routed or [name for name in requested if name in self.recipes] or ([chosen] if chosen in self.recipes else [])
        )
        if not templates:
            return None
        overrides = self.override_templates
        has_questions_only = bool(overrides) and all(name.startswith(QUESTION_PREFIX) for name in overrides)
        stays = [
            name for name in published if name in self.recipes and (has_questions_only or name.startswith(QUESTION_PREFIX))
        ]
        return {name: self.recipes[name] for name in dict.fromkeys([*templates, *stays])}

    def up_to_date(self, record: FileRecord, file: InboxFile) -> bool:
        """Whether the file is unchanged, and its published result has the recipes that it would get today."""
        if record.stale or record.published_sha256 != record.sha256:
            return False
        if (record.size, record.mtime_ns) != (file.size, file.mtime_ns) or self.is_due(record):
            return False
        if record.inode and file.inode and record.inode != file.inode and self._has_double(record):
            return False
        if record.has_parts and not all(map(self._is_part_current, records_of_parts(self.ledger, record.source.name))):
            return False
        if record.unreadable or record.pinned or record.kind in WRAPPER_KINDS:
            return True
        return self._has_present_recipes(record, file.source.relative)

    def _is_part_current(self, record: FileRecord) -> bool:
        """Whether the published result of a part is up to date; its contents are those of its container."""
        if record.stale or record.published_sha256 != record.sha256 or self.is_due(record):
            return False
        if record.unreadable or record.pinned or record.kind in WRAPPER_KINDS:
            return True
        return self._has_present_recipes(record, record.source.relative)

    def _has_present_recipes(self, record: FileRecord, relative: str) -> bool:
        """Whether a file with the present templates and recipes gets the result that it has."""
        requested = self.requested_templates(record)
        return self.plan(relative, requested, record.chosen_template, record.recipes) == record.recipes

    def _has_double(self, record: FileRecord) -> bool:
        """Whether another file has the same size and time: the two may have changed places."""
        return any(
            other.source.name != record.source.name and other.mtime_ns == record.mtime_ns and other.sha256 != record.sha256
            for other in self.ledger.files_of_size(record.size)
        )

    def retry_pause(self, attempts: int) -> timedelta:
        """How long a document waits that failed ``attempts`` times."""
        return timedelta(
            seconds=Backoff(60 * self.settings.retry.wait_minutes, LONGEST_PAUSE_SECONDS, factor=4).seconds_after(attempts)
        )

    def is_due(self, record: FileRecord) -> bool:
        """Whether a file that failed is to be read again now. A time too far ahead comes from a wrong clock and counts as due."""
        at = record.retry_at
        return at is not None and not utc_timestamp() < at <= utc_timestamp(self.retry_pause(self.settings.retry.page_attempts))


def recipe(
    template: Template,
    engine: Engine,
    *,
    einvoices: bool = True,
    codes: bool = True,
    precision: Precision = "float32",
    office_pages: str = "own",
    scripts: Collection[str] = (),
) -> str:
    """Sixteen hexadecimal digits that change whenever an answer may change.

    ``einvoices``, ``codes``: whether the data of e-invoices and the codes of pages are read. ``precision``: the number format of the OCR.
    ``scripts``: the languages to whose scripts the OCR is narrowed. ``office_pages``: who lays out the pages of office files. Ledgers hold
    these digits: the JSON that is hashed stays byte for byte, or every document is read again.
    """
    retries = [answer_retry.VERSION, engine.retries] if engine.retries else []
    pages_only = [*([] if einvoices else ["without e-invoices"]), *([] if codes else ["without codes"])]
    ocr = [] if precision == "float32" else [f"OCR in {precision}", BFLOAT16_VERSION]
    office = [] if office_pages == "own" else [f"office pages by {office_pages}"]
    ocr += [f"OCR of {' '.join(sorted(scripts))}"] if scripts else []
    user_words = [f"words {languages.active().additions}"] if languages.active().additions else []
    content = json.dumps(
        [digest(template), engine.identity, page_requests.VERSION, *retries, *pages_only, *ocr, *office, *user_words]
    )
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def all_templates(settings: Settings) -> dict[str, Template]:
    """Built-in templates and the user's own by name; one of the user's replaces a built-in one of the same name.

    Makes the settings' languages the active ones first. Raises LanguageError, TemplateError.
    """
    languages.use(settings.languages)
    built_in = configs_folder() / "templates"
    folders = [built_in, settings.templates] if settings.templates else [built_in]
    templates = load_templates(folders)
    check_routes(settings.routes, templates)
    return templates


def open_ledger(settings: Settings) -> Ledger:
    """The outbox's ledger. Raises LedgerError, OutboxError."""
    check_folders(settings)
    return Ledger(settings.outbox / STATE_FOLDER)


def open_repaired_ledger(settings: Settings, notes: list[str]) -> Ledger:
    """The outbox's ledger, repaired where it is damaged; ``notes`` gets what was done. The caller holds the lock."""
    url = settings.inbox_url

    def inbox_path(relative: str) -> Path:
        return local_path(settings.objects_folder, f"{url}/{relative}") if url else settings.inbox.resolve() / relative

    return open_checked_ledger(settings.outbox / STATE_FOLDER, settings.outbox, inbox_path, notes)


@contextmanager
def _ledger_of_run(settings: Settings, notes: list[str]) -> Iterator[Ledger]:
    """The repaired ledger. It is marked as unclean until the run ends in good order, so that the run after a crash checks it."""
    unclean = settings.outbox / STATE_FOLDER / UNCLEAN_FILE
    with open_repaired_ledger(settings, notes) as ledger:
        try:
            unclean.touch()
        except OSError as error:
            raise OutboxError(
                f"{unclean}: cannot be written: {error.strerror or error}", "free disk space or check permissions"
            ) from error
        if settings.inbox_url or settings.outbox_url:
            update_ledger_paths(settings, ledger)
        yield ledger
    with suppress(OSError):  # the next run then checks the ledger
        unclean.unlink(missing_ok=True)


def known_templates(templates: Mapping[str, Template], ledger: Ledger) -> dict[str, Template]:
    """``templates``, those that programs gave with requests, and those of earlier questions and JSON Schemas that runs were given."""
    return {
        **inline_templates(ledger.path.parent),
        **_recorded_schemas(ledger),
        **templates,
        **{template.name: template for template in map(ask_template, ledger.questions())},
    }


def _recorded_schemas(ledger: Ledger) -> dict[str, Template]:
    """The templates of the JSON Schemas that earlier runs were given. One that this version refuses is left out."""
    recorded: dict[str, Template] = {}
    for name, text in ledger.schemas().items():
        with suppress(TemplateError):
            recorded[name] = parse_schema_template(text, name, name)
    return recorded


def _record_schema(schema: SchemaText, templates: Mapping[str, Template], ledger: Ledger) -> str:
    """Record a JSON Schema of this run. Returns the name of its template: not that of another template. Raises TemplateError."""
    template = schema.template()
    name, own = template.name, templates.get(template.name)
    if own is not None and own.json_schema == template.json_schema:
        return name
    if own is not None or name in RESERVED:
        name = f"{name}_schema"
    ledger.record_schema(name, schema.text)
    return name


@contextmanager
def open_job(
    settings: Settings,
    *,
    template: str | None = None,
    ask: str | Sequence[str] | None = None,
    schema: SchemaText | None = None,
    engine: Engine | None = None,
    cluster: Cluster | None = None,
) -> Iterator[Job]:
    """Take the outbox's lock and open all parts of a job. Without ``engine`` and ``cluster``, the executor ``ray`` joins the cluster.

    Raises SettingsError, TemplateError, LockedError, LedgerError, OutboxError, EngineUnavailableError.
    """
    check_folders(settings)
    names, templates = named_templates(settings, template), all_templates(settings)
    if schema is not None:
        schema.template()
    asked = [ask] if isinstance(ask, str) else list(dict.fromkeys(ask or ()))
    questions = [ask_template(question) for question in asked]
    notes: list[str] = []
    with ExitStack() as stack:
        if settings.executor == "ray" and engine is None and cluster is None:
            from pipeline.cluster.cluster import Cluster

            cluster = stack.enter_context(Cluster(settings, page_requests.HANDLER))
        job_engine = engine or (cluster.engine if cluster else make_engine(settings))
        with locked(settings.outbox), mirrored(settings) as mirror, _ledger_of_run(settings, notes) as ledger:
            state = settings.outbox / STATE_FOLDER
            folders = (state / name for name in ("tmp", UNPACKED_FOLDER, PARTS_FOLDER, "objects"))
            for leftover in (*folders, *state.glob(".export-*"), *state.glob("unlock-*")):
                if leftover.is_symlink() or leftover.is_file():
                    leftover.unlink(missing_ok=True)
                shutil.rmtree(
                    leftover, ignore_errors=True
                )  # a run, an export or a trial of a password that was killed leaves them
            for unfinished in state.glob(".*.tmp"):
                unfinished.unlink(missing_ok=True)
            for question, made in zip(asked, questions, strict=True):
                ledger.record_question(made.name, question)
                names.append(made.name)
            if schema is not None:
                names.append(_record_schema(schema, templates, ledger))
            if mirror:
                mirror.attach(ledger)
            yield Job(
                settings,
                known_templates(templates, ledger),
                job_engine,
                ledger,
                tuple(names),
                cluster,
                notes,
                objects=open_inbox(settings),
                mirror=mirror,
                schemas=_recorded_names(templates, ledger),
            )
            if mirror:
                mirror.finish()


def _recorded_names(templates: Mapping[str, Template], ledger: Ledger) -> frozenset[str]:
    return frozenset(ledger.schemas()) - frozenset(templates)


def _object_url(argument: str) -> str:
    """A URL named on the command line. Raises SettingsError."""
    try:
        url = parse_store_url(argument)
    except ValueError as error:
        raise SettingsError(str(error), "name files and folders, or URLs below the inbox") from None
    return str(url)


def named_templates(settings: Settings, template: str | None) -> list[str]:
    """The names in the value of ``--template``. Raises SettingsError for an unknown one."""
    names = [name.strip() for name in (template or "").split(",") if name.strip()]
    for name in names:
        check_template(name, all_templates(settings))
    return names


@contextmanager
def open_read_only_job(settings: Settings, engine: Engine, template: str | None = None) -> Iterator[Job]:
    """A job that answers what is known and what would be read. It writes nothing and needs no lock, so a run may be at work.

    Raises SettingsError, TemplateError, LedgerError, OutboxError.
    """
    names = tuple(named_templates(settings, template))
    with ExitStack() as stack:
        if has_ledger(settings.outbox / STATE_FOLDER):
            ledger = stack.enter_context(open_ledger(settings))
        else:
            check_folders(settings)
            ledger = stack.enter_context(Ledger(Path(stack.enter_context(TemporaryDirectory(prefix="pipeline-")))))
        templates = all_templates(settings)
        known, schemas = known_templates(templates, ledger), _recorded_names(templates, ledger)
        yield Job(settings, known, engine, ledger, names, objects=open_inbox(settings), schemas=schemas)


def check_template(name: str, templates: Mapping[str, Template]) -> None:
    """Raises SettingsError with a suggestion when there is no such template."""
    if name not in templates:
        raise SettingsError(
            f"there is no template `{name}`{did_you_mean(name, templates)}", f"templates: {', '.join(sorted(templates))}"
        )
