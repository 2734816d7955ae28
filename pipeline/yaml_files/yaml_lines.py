"""Reads YAML and keeps the line of every value.

Scalars stay text: the file's model decides what is a number or a switch, not YAML. So the label ``No`` and the language ``no``
are what they look like. Aliases, tags, repeated keys and deep nesting are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from pipeline.records import Json

MAX_CHARACTERS = 256 * 1024
MAX_DEPTH = 12
Where = tuple[str | int, ...]
"""The way to a value: keys and list positions, outermost first."""
_PLAIN_TAGS = "tag:yaml.org,2002:"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """Something wrong in a file. Lines are counted from 1."""

    line: int
    message: str


@dataclass(slots=True)
class YamlDocument:
    """A YAML file as read: dicts, lists, strings and None, with the line of every key and item."""

    data: Json = None
    lines: dict[Where, int] = field(default_factory=dict)
    blocks: set[Where] = field(default_factory=set)
    """Block scalars (``|`` and ``>``): their text begins on the line below their key."""
    mistakes: list[Mistake] = field(default_factory=list)

    def line(self, where: Where) -> int:
        """The line of a value, or of the nearest thing around it."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def add(self, where: Where, message: str) -> None:
        """Notes a mistake at a value."""
        self.mistakes.append(Mistake(self.line(where), message))

    def mistake_lines(self, origin: str) -> list[str]:
        """``origin:LINE: message`` for every mistake, by line. A message that quotes several lines of the file becomes one line."""
        return [f"{origin}:{mistake.line}: {' '.join(mistake.message.split())}" for mistake in sorted(set(self.mistakes))]


def read_yaml_file(path: Path) -> YamlDocument:
    """A file's content. Never raises: a file that cannot be read has a mistake on line 1."""
    try:
        return read_yaml(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        message = f"not UTF-8 (byte {error.start}): save the file as UTF-8"
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    return YamlDocument(mistakes=[Mistake(1, message)])


def read_yaml(text: str) -> YamlDocument:
    """A text's content. Never raises: ``mistakes`` holds what is wrong."""
    document = YamlDocument()
    if len(text) > MAX_CHARACTERS:
        document.mistakes.append(Mistake(1, f"larger than {MAX_CHARACTERS // 1024} KB, which is too much for a file like this"))
        return document
    try:
        document.mistakes += _refused_constructs(text)
        if not document.mistakes:
            root = yaml.compose(text, Loader=_Loader)
            document.data = None if root is None else _build(root, (), document)
    except yaml.YAMLError as error:
        document.mistakes.append(_syntax(error, text))
    return document


def _refused_constructs(text: str) -> list[Mistake]:
    """Aliases and deep nesting, found in the flat stream of events: a tree built of them would fill the memory."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            return [Mistake(line, f"aliases (`*{event.anchor}`) are not supported: write the value out")]
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            return [Mistake(line, "nested too deeply")]
    return []


def _syntax(error: yaml.YAMLError, text: str) -> Mistake:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        problem = getattr(error, "problem", None) or getattr(error, "context", None) or "cannot be read"
        return Mistake(mark.line + 1, f"YAML syntax: {problem}")
    position = getattr(error, "position", None)
    line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
    return Mistake(line, f"YAML syntax: {getattr(error, 'reason', None) or error}")


def _build(node: yaml.Node, where: Where, document: YamlDocument) -> Json:
    document.lines.setdefault(where, node.start_mark.line + 1)
    if not node.tag.startswith(_PLAIN_TAGS) or ":python/" in node.tag:
        document.add(where, f"the YAML tag `{node.tag}` is not supported: leave it out")
        return None
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, where, document)
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*where, number), document) for number, item in enumerate(node.value)]
    style = node.style if isinstance(node, yaml.ScalarNode) else None
    if style in ("|", ">"):
        document.blocks.add(where)
    empty = style not in ("|", ">", "'", '"') and node.tag == f"{_PLAIN_TAGS}null"
    return None if empty else str(node.value)


def _mapping(node: yaml.MappingNode, where: Where, document: YamlDocument) -> dict[str, Json]:
    built: dict[str, Json] = {}
    for key_node, value in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            document.mistakes.append(Mistake(line, "a key must be a plain word"))
            continue
        key = str(key_node.value)
        if key in built:
            document.mistakes.append(
                Mistake(line, f"`{key}` is already on line {document.line((*where, key))}: a key may stand only once")
            )
            continue
        document.lines[(*where, key)] = line
        built[key] = _build(value, (*where, key), document)
    return built
