"""Liberty as text: files to a tree of groups, and groups to text again.

Liberty has three kinds of statement: `name : value ;`, `name (arguments) ;` and the group
`name (arguments) { statements }`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

STATEMENT = re.compile(
    r"""[\s;]*(?:
        ([A-Za-z_][\w.]*)\s*                       # a name
        (?: :\s*("[^"]*"|[^"\s;{}][^";{}\n]*)      # : value
        |   \(([^"()]*(?:"[^"]*"[^"()]*)*)\)\s*({?)  # ( arguments ), perhaps with a body
        )
    |   (})
    )""",
    re.VERBOSE,
)
COMMENT = re.compile(r"/\*.*?\*/|^[ \t]*//[^\n]*", re.DOTALL | re.MULTILINE)
BARE = re.compile(r"[+-]?[\d.]+([eE][+-]?\d+)?|true|false|TRUE|FALSE|")


class GroupError(ValueError):
    """What is wrong with a text, as the end of a sentence about its file."""


@dataclass(slots=True)
class Group:
    """A group: its arguments, its simple and complex attributes, and the groups in it.

    Quotes are taken away, except in complex attributes, where they separate the rows of a table.
    Of an attribute given twice the last one counts.
    """

    kind: str
    arguments: str
    attributes: dict[str, str] = field(default_factory=dict)
    complexes: dict[str, str] = field(default_factory=dict)
    groups: list["Group"] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The first argument, such as the name of a cell."""
        return self.arguments.split(",")[0].strip()

    def of(self, *kinds: str) -> Iterator["Group"]:
        """The groups in it of these kinds."""
        return (group for group in self.groups if group.kind in kinds)

    def first(self, *kinds: str) -> "Group | None":
        return next(self.of(*kinds), None)


def parse(text: str, keep: frozenset[str]) -> Group:
    """The `library` group of a text; in it only groups of the kinds in `keep`.

    Raises `GroupError`.
    """
    if "library" not in text:
        raise GroupError("must be a Liberty file, and it has no library group")
    text = COMMENT.sub(" ", text).replace("\\\r\n", " ").replace("\\\n", " ")
    root = Group("", "")
    open_groups = [root]
    skipped = 0
    end = 0
    for match in STATEMENT.finditer(text):
        if match.start() != end:
            break
        end = match.end()
        name, value, arguments, brace, close = match.groups()
        if close:
            if skipped:
                skipped -= 1
            elif len(open_groups) == 1:
                raise GroupError("must have a { for each }, and it has a } too many")
            else:
                open_groups.pop()
        elif skipped:
            skipped += bool(brace)
        elif brace and (name not in keep and len(open_groups) > 1):
            skipped = 1
        elif brace:
            group = Group(name, _plain(arguments))
            open_groups[-1].groups.append(group)
            open_groups.append(group)
        elif value is not None:
            open_groups[-1].attributes[name] = _plain(value)
        else:
            open_groups[-1].complexes[name] = arguments.strip()
    return _library(root, text[end:].strip(" \t\r\n;"), len(open_groups) > 1 or skipped > 0)


def _plain(value: str) -> str:
    return value.replace('"', "").strip()


def _library(root: Group, rest: str, is_open: bool) -> Group:
    library = root.first("library")
    if library is None:
        raise GroupError("must be a Liberty file, and it has no library group")
    if rest and (not is_open or "}" in rest):
        raise GroupError(f"must be a Liberty file, and it has {rest.split(chr(10))[0][:40]!r}")
    if is_open:
        raise GroupError("must be a whole Liberty file, and it ends inside a group: truncated")
    return library


def text_of(group: Group, indent: str = "") -> str:
    """A group as Liberty text."""
    return "".join(_lines(group, indent))


def _lines(group: Group, indent: str) -> Iterator[str]:
    arguments = ", ".join(_quoted(part.strip()) for part in group.arguments.split(","))
    yield f"{indent}{group.kind} ({arguments}) {{\n"
    inner = indent + " "
    for name, written in group.complexes.items():
        yield f"{inner}{name} ({written});\n"
    for name, value in group.attributes.items():
        yield f"{inner}{name} : {_quoted(value, is_text=name == 'function')};\n"
    for part in group.groups:
        yield from _lines(part, inner)
    yield f"{indent}}}\n"


def _quoted(value: str, *, is_text: bool = False) -> str:
    """A value as all tools take it: a string unless it is a number or a truth value."""
    return value if BARE.fullmatch(value) and not is_text else f'"{value}"'
