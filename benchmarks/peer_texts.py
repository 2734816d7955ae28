"""Texts by docling and unstructured, each run in an environment of its own. No model is downloaded.

docling (docling-slim) reads PDFs by its pipeline without models; its pipeline with a layout model, which pictures and scans need, is not
tried. unstructured takes ``fast`` for PDFs, which has no layout model either, and ``ocr_only`` (Tesseract) where that finds no text, and
for pictures. Its sentence model comes from the network, too: an empty one of spaCy stands in, which decides kinds of elements, not words.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_COMMON = """
import json, os, signal, sys
os.environ.update(HF_HUB_OFFLINE="1", UNSTRUCTURED_DISABLE_NOTICE="1", SCARF_NO_ANALYTICS="true")
def stop(*_):
    raise TimeoutError("more than 180 s")
signal.signal(signal.SIGALRM, stop)
def run(read):
    for line in sys.stdin:
        path = line.rstrip("\\n")
        signal.alarm(180)
        try:
            row = {"text": read(path)}
        except BaseException as error:
            row = {"error": f"{type(error).__name__}: {error}"[:300]}
        signal.alarm(0)
        print("ROW" + json.dumps({"file": path, **row}), flush=True)
"""
_DOCLING = """
from docling.datamodel.base_models import InputFormat
from docling.datamodel.pipeline_options import NativePdfPipelineOptions
from docling.document_converter import DocumentConverter, PdfFormatOption
from docling.pipeline.native_pdf_pipeline import NativePdfPipeline
pdf = PdfFormatOption(pipeline_cls=NativePdfPipeline, pipeline_options=NativePdfPipelineOptions())
converter = DocumentConverter(format_options={InputFormat.PDF: pdf})
run(lambda path: converter.convert(path).document.export_to_text())
"""
_UNSTRUCTURED = """
import spacy
def empty_model(*_, **__):
    model = spacy.blank("en")
    model.add_pipe("sentencizer")
    return model
spacy.load = empty_model
from unstructured.partition.auto import partition
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".heic", ".webp", ".gif")
def text(path, strategy):
    return "\\n".join(element.text for element in partition(path, strategy=strategy))
def read(path):
    if path.lower().endswith(PICTURES):
        return text(path, "ocr_only")
    found = text(path, "fast")
    return found if found.strip() or not path.lower().endswith(".pdf") else text(path, "ocr_only")
run(read)
"""
SCRIPTS = {"docling": _COMMON + _DOCLING, "unstructured": _COMMON + _UNSTRUCTURED}


def rows_of(peer: str, python: str, files: list[Path]) -> list[str]:
    """One JSON object per file, ``{"file", "text"}`` or ``{"file", "error"}``."""
    paths = "".join(f"{path}\n" for path in files)
    outcome = subprocess.run([python, "-c", SCRIPTS[peer]], input=paths, capture_output=True, text=True, check=False)
    rows = [line[3:] for line in outcome.stdout.splitlines() if line.startswith("ROW")]
    if len(rows) < len(files):
        print(outcome.stderr[-2000:], file=sys.stderr)
    return rows
