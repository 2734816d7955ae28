"""A folder of PDFs and images goes in; JSON and CSV come out; a model on the CPU reads the pages in between.

``pipeline.read("a.pdf", template="invoice")`` reads one document from Python; see docs/python.md.
"""

# No import here runs when the package is loaded, not even of ``__future__``: with `python -m pipeline` it could be a file of the current
# folder, which the command line then takes out of the module path.
TYPE_CHECKING = False
__version__ = "0.1.0"
__all__ = [
    "Document",
    "DocumentError",
    "DocumentPage",
    "EngineUnavailableError",
    "Field",
    "LedgerError",
    "LockedError",
    "OutboxError",
    "PipelineError",
    "Settings",
    "SettingsError",
    "TemplateError",
    "__version__",
    "load_settings",
    "read",
    "read_many",
]

if TYPE_CHECKING:
    from pipeline.errors import (
        DocumentError,
        EngineUnavailableError,
        LedgerError,
        LockedError,
        OutboxError,
        PipelineError,
        SettingsError,
        TemplateError,
    )
    from pipeline.python_api import read, read_many
    from pipeline.settings import Settings, load_settings
    from pipeline.typed_documents import Document, DocumentPage, Field
else:
    _MODULES = {
        **dict.fromkeys(("read", "read_many"), "python_api"),
        **dict.fromkeys(("Document", "DocumentPage", "Field"), "typed_documents"),
        **dict.fromkeys(("Settings", "load_settings"), "settings"),
    }

    def __getattr__(name):
        """A public name, imported when it is first used: ``import pipeline`` loads no numpy (PEP 562)."""
        from importlib import import_module

        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"pipeline.{_MODULES.get(name, 'errors')}"), name)

    def __dir__():
        """Names of the module, with those that are not imported yet."""
        return sorted({*globals(), *__all__})
