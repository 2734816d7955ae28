"""Transcript: a page's text in the order in which a person reads it; running heads and feet apart.

``runs`` joins words to runs and rows, ``furniture`` finds what is printed around the text, ``order`` puts the rest into reading order,
``tables`` tells tables from text, ``prose`` writes it down.
"""

from pipeline.engines.embedded.transcript.transcript_reader import read_transcript, transcribe

__all__ = ["read_transcript", "transcribe"]
