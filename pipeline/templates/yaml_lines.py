"""Reads YAML and remembers on which line everything stands.

Scalars stay text: the template's schema decides what is a number or a switch, not YAML's guesses, so that a label ``No`` and
the language ``no`` are what they look like. Aliases, tags, repeated keys and deep nesting are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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
class Located:
    """A YAML file as read: dicts, lists, strings and None, and the line of every key and item."""

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


def read_yaml(text: str) -> Located:
    """Never raises: what is wrong with the file stands in ``mistakes``."""
    found = Located()
    if len(text) > MAX_CHARACTERS:
        found.mistakes.append(Mistake(1, f"larger than {MAX_CHARACTERS // 1024} KB, which is too much for a template"))
        return found
    try:
        found.mistakes += _refused_constructs(text)
        if not found.mistakes:
            root = yaml.compose(text, Loader=_Loader)
            found.data = None if root is None else _build(root, (), found)
    except yaml.YAMLError as error:
        found.mistakes.append(_syntax(error, text))
    return found


def _refused_constructs(text: str) -> list[Mistake]:
    """Looks at the flat stream of events first: building a tree of aliases or of deep nesting is what would do harm."""
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
            return [Mistake(line, "nested too deeply for a template")]
    return []


def _syntax(error: yaml.YAMLError, text: str) -> Mistake:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        problem = getattr(error, "problem", None) or getattr(error, "context", None) or "cannot be read"
        return Mistake(mark.line + 1, f"YAML syntax: {problem}")
    position = getattr(error, "position", None)
    line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
    return Mistake(line, f"YAML syntax: {getattr(error, 'reason', None) or error}")


def _build(node: yaml.Node, where: Where, found: Located) -> Json:
    found.lines.setdefault(where, node.start_mark.line + 1)
    if not node.tag.startswith(_PLAIN_TAGS) or ":python/" in node.tag:
        found.add(where, f"the YAML tag `{node.tag}` is not supported: leave it out")
        return None
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, where, found)
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*where, number), found) for number, item in enumerate(node.value)]
    style = node.style if isinstance(node, yaml.ScalarNode) else None
    if style in ("|", ">"):
        found.blocks.add(where)
    empty = style not in ("|", ">", "'", '"') and node.tag == f"{_PLAIN_TAGS}null"
    return None if empty else str(node.value)


def _mapping(node: yaml.MappingNode, where: Where, found: Located) -> dict[str, Json]:
    built: dict[str, Json] = {}
    for key_node, value in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            found.mistakes.append(Mistake(line, "a key must be a plain word"))
            continue
        key = str(key_node.value)
        if key in built:
            found.mistakes.append(
                Mistake(line, f"`{key}` is already on line {found.line((*where, key))}: a key may stand only once")
            )
            continue
        found.lines[(*where, key)] = line
        built[key] = _build(value, (*where, key), found)
    return built
