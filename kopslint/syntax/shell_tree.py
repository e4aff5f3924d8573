"""The syntax tree of shell text, and where there is none.

tree-sitter recovers from errors by guessing; here only what parses cleanly on its
own is handed on, and each line that does not is a ``Fault`` with a plain reason.
Precedence of ``&&``, ``|`` and ``!``, which the grammar gets wrong in places, is
put right by flattening.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.records import Record
from kopslint.syntax.shell_grammar import too_slow, tree, without_bare_heredocs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from kopslint.syntax.shell_text import ShellText

# Each fault costs one more parse of what follows, and parsing errors is slow.
MOST_FAULTS = 25
MOST_PARSED = 1_000_000
# A fault deeper inside than this is shown where its surroundings start: the tree
# may be deeper than the machine's stack.
MOST_LEVELS = 500
_OPENERS = {
    "if": "fi",
    "for": "done",
    "while": "done",
    "until": "done",
    "select": "done",
    "case": "esac",
    "{": "}",
    "(": ")",
    "$(": ")",
    "((": "))",
    "[[": "]]",
    "[": "]",
}
_BLANKS = re.compile(r"\s*")
RESERVED = frozenset(
    {"then", "else", "elif", "fi", "do", "done", "esac", "in", "}", ")", ";;"}
    | {"if", "for", "while", "until", "case"}
)
# What may stand at the top of a script.
_STATEMENTS = frozenset(
    {
        *("command", "list", "pipeline", "negated_command", "redirected_statement"),
        *("test_command", "variable_assignment", "variable_assignments"),
        *("declaration_command", "unset_command", "function_definition"),
        *("compound_statement", "subshell", "if_statement", "while_statement"),
        *("for_statement", "c_style_for_statement", "case_statement"),
        *("file_redirect", "herestring_redirect", "comment", ";", "&", "\n"),
    }
)


class Fault(Record):
    """A stretch of text that bash could not read either, and why."""

    start: int
    end: int
    reason: str


def parse(text: ShellText) -> Iterator[Node | Fault]:
    """The top-level nodes of a text in order, faults in their places.

    A fault takes its whole line with it, for bash reads a line before it runs any
    of it; the lines after it are read on their own. After ``MOST_FAULTS`` the rest
    is one fault.
    """
    code = text.ascii
    reason = too_slow(code)
    if reason is not None:
        yield Fault(0, len(text.text), reason)
        return
    start = parsed = 0
    blanked = False
    for _ in range(MOST_FAULTS):
        if start and (parsed > MOST_PARSED or not code[start:].strip()):
            break
        parsed += len(code) - start
        # Blanks in place of what is done keep all offsets as they are.
        root, code = tree(b" " * start + code[start:])
        fault = None
        nodes: list[Node] = []
        for node in _top_level(root):
            fault = _fault(node, text, start)
            if fault is not None:
                break
            nodes.append(node)
        if fault is None:
            yield from nodes
            return
        if not blanked:
            blanked = True
            without = without_bare_heredocs(code)
            if without != code:
                code = without
                continue
        line = text.text.rfind("\n", 0, fault.start) + 1
        yield from (node for node in nodes if node.end_byte <= line)
        yield fault
        start = fault.end
    start = _skip_blanks(text.text, start)
    if start < len(text.text):
        reason = "there are too many syntax errors before this to read the rest"
        yield Fault(start, len(text.text.rstrip()), reason)


def _skip_blanks(text: str, start: int) -> int:
    blank = _BLANKS.match(text, start)
    return blank.end() if blank else start


def _top_level(root: Node) -> Iterator[Node]:
    """The nodes at the top, those that an error swallowed included.

    An error may begin with statements that are complete; the first node in it
    that is no statement is where it went wrong.
    """
    for node in [root] if root.is_error else root.children:
        whole = [child.type in _STATEMENTS for child in node.children]
        if node.is_error and not all(whole):
            yield from node.children[: whole.index(False) + 1]
        else:
            yield node


def _fault(node: Node, text: ShellText, begin: int) -> Fault | None:
    """What is wrong with a top-level node of the text behind ``begin``."""
    if not node.has_error and node.type in _STATEMENTS:
        return None
    place = node
    for _ in range(MOST_LEVELS):
        if place.is_error or place.is_missing:
            break
        inner = next((c for c in place.children if c.has_error or c.is_missing), None)
        if inner is None:
            break
        place = inner
    if place.is_missing and place.parent is not None:
        place = place.parent
    # What is wrong at a line end is shown on what follows it, or else before it.
    start = _skip_blanks(text.text, max(place.start_byte, begin))
    start = min(start, len(text.text.rstrip()) - 1)
    end = text.text.find("\n", start)
    end = len(text.text) if end < 0 else end
    line = text.text.rfind("\n", 0, start) + 1
    opener = re.match(r"\s*(if|for|while|until|select|case)\b", text.text[line:end])
    if opener and not re.search(rf"\b{_OPENERS[opener[1]]}\b", text.text[line:end]):
        # The parser stumbles further on, but what is missing is the other end.
        start = line + opener.start(1)
    return Fault(start, end, _reason(text.text[start:end]))


def _reason(line: str) -> str:
    """Why bash cannot read a line, as far as its start tells."""
    if line[:1] in {'"', "'", "`"}:
        return f"this {line[0]} is never closed"
    match = re.match(r"\$\(|\(\(|\[\[|[({\[]|[a-z]+\b", line)
    if match and match[0] in _OPENERS:
        return f"`{match[0]}` is not closed by `{_OPENERS[match[0]]}`"
    if match and match[0] in RESERVED:
        return f"`{match[0]}` is out of place"
    return "bash cannot read this line"


class Operand(Record):
    """One command of a chain with the redirections around it."""

    node: Node
    redirects: tuple[Node, ...] = ()


def chain(node: Node) -> list[Operand | str]:
    """A node as commands and the operators between them (``&& || | !``)."""
    tokens: list[Operand | str] = []
    waiting: list[Node] = [node]
    while waiting:
        node = waiting.pop()
        if node.type in {"list", "pipeline", "negated_command"}:
            waiting.extend(reversed(node.children))
        elif node.type == "redirected_statement":
            tokens += _redirected(node)
        elif not node.is_named:
            tokens.append("|" if node.type == "|&" else node.type)
        elif node.type != "comment":
            tokens.append(Operand(node))
    return tokens


def _redirected(node: Node) -> list[Operand | str]:
    body = node.child_by_field_name("body")
    redirects = tuple(node.children_by_field_name("redirect"))
    tokens: list[Operand | str] = chain(body) if body is not None else [Operand(node)]
    last = tokens[-1]
    if body is not None and isinstance(last, Operand):
        tokens[-1] = Operand(last.node, (*last.redirects, *redirects))
    # ``cat <<EOF | kops create -f -``: the grammar hangs the rest of the first
    # line into the here-document.
    for redirect in redirects:
        if redirect.type != "heredoc_redirect":
            continue
        operator = ""
        for child in redirect.children:
            if child.type == "pipeline":
                tokens += chain(child)
            elif child.type in {"&&", "||"}:
                operator = child.type
            elif operator and child.is_named:
                tokens += [operator, *chain(child)]
                operator = ""
    return tokens
