"""From syntax tree to statements, following values as bash would.

The reader walks a script once, in the order of execution, with the variables as
far as they are known. Functions are inlined where they are called. It never
guesses which way a test goes.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from kopslint.shell.ast import (
    AndOr,
    Choice,
    Condition,
    ErrExit,
    Exit,
    Group,
    Loop,
    Pipeline,
    Repeat,
    SimpleCommand,
    Statement,
    Statements,
    Unknown,
    Word,
    is_quoted,
)
from kopslint.shell.environment import (
    ARGUMENTS,
    FILE,
    FOLDER,
    PIPEFAIL,
    SCRIPT,
    UNSET,
    Pieces,
    ReaderState,
    Scope,
    Variable,
    change_folder,
    enter,
    found,
    items_of,
    joined,
    not_set,
    printed_path,
    start_file,
    text_of,
)
from kopslint.shell.expansion import (
    LIST,
    WordReader,
    arithmetic,
    count,
    matches,
    value_in,
)
from kopslint.shell.grammar import (
    ASSIGNMENT,
    RESERVED,
    Call,
    Fault,
    Item,
    Operand,
    chain,
    given_input,
    parse,
    read_call,
    segments,
)
from kopslint.shell.output import (
    NOTHING,
    ends,
    ends_a_shell,
    leaves,
    printed,
    sequence,
    told_apart,
)
from kopslint.shell.text import pieces_text, whole_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tree_sitter import Node

    from kopslint.shell.ast import Opaque
    from kopslint.shell.text import ShellText
    from kopslint.text import Source, Span


# ------------------------------------------------------------------------------------
# Functions: the body is read again at each call, with the arguments given there


def inline(reader: ScriptReader, name: str, call: Call) -> Statement:
    """The body of a function with the arguments of this call.

    A function that calls itself, or that would be copied out too often, cannot be
    followed.
    """
    if name in reader.calling or reader.too_many_copies:
        reason = f"the function `{name}` calls itself, or is called too often"
        return reader.opaque(name, reason, call.span)
    text, node = reader.functions[name]
    body = node.child_by_field_name("body")
    if body is None:
        return NOTHING
    temporary = [ARGUMENTS, FILE, *(a.name for a in call.assignments)]
    reader.locals.append({one: reader.scope.own(one) for one in temporary})
    for assignment in call.assignments:
        reader.assign(assignment.name, assignment.value)
    arguments = tuple(word.pieces for word in call.words[1:])
    reader.scope.set(ARGUMENTS, Variable(None, arguments))
    enter(reader.scope, text.source)
    reader.calling.append(name)
    loops, reader.loops = reader.loops, 0
    with reader.inside(text), reader.copying():
        statement = reader.operand(Operand(body))
    reader.loops = loops
    reader.calling.pop()
    for variable, value in reader.locals.pop().items():
        reader.scope.restore(variable, value)
    # A body in braces is no group of its own where it is called.
    if isinstance(statement, Group) and not statement.subshell:
        statement = statement.body
    if leaves(statement, "function"):
        return Group(statement, subshell=False, scope="function")
    return statement


# ------------------------------------------------------------------------------------
# Where a script gives variables their values: ``x=1``, ``export``, ``unset``
#
# Also where it may do so at a time that is not known: what a loop assigns is
# unknown in every turn but the first, so it is forgotten before the loop.

_ASSIGNED = r"""(?x)
      (?<![\w$-])(?P<name>[A-Za-z_]\w*)(?:\[[^\]\n]*\])?(?:[-+*/%&|]?=(?!=)|\+\+|--)
    | (?:\+\+|--)(?P<counted>[A-Za-z_]\w*)
    | \$\{(?P<defaulted>[A-Za-z_]\w*):?=
    | \b(?:read|mapfile|readarray|getopts|unset|for|select)\b(?P<names>[^;&|\n<>]*)
    | \bprintf\s+-v\s+(?P<printed>[A-Za-z_]\w*)
    | \b(?P<arguments>shift\b|set\s+--)
    """
_ENTRY = re.compile(r"\[([^\]\n]*)\]=")


@lru_cache(maxsize=64)
def assigned(code: str) -> Mapping[str, None]:
    """Every variable that a stretch of code may assign, in order."""
    found: dict[str, None] = {}
    for match in re.finditer(_ASSIGNED, code):
        names = [match["name"], match["counted"], match["defaulted"], match["printed"]]
        names += re.findall(r"(?<![-\w$])[A-Za-z_]\w*", match["names"] or "")
        names += [ARGUMENTS] if match["arguments"] else []
        found |= dict.fromkeys(name for name in names if name)
    return found


def forget_assigned(scope: Scope, *codes: str) -> None:
    """Make every variable unknown that stretches of code may assign."""
    for name in dict.fromkeys(name for code in codes for name in assigned(code)):
        held = scope.get(name)
        word = held.word if held is not None else None
        scope.forget(name, f"${name} changes while the script runs", word)


def assign(reader: ScriptReader, node: Node) -> bool:
    """Carry out ``NAME=value``; False if the node is no assignment to bash."""
    start, end = node.start_byte, node.end_byte
    match = ASSIGNMENT.match(reader.text.text, start, end)
    if match is None:
        return False
    name, index, operator = match.groups()
    held = reader.scope.get(name)
    words = reader.words(node)
    value = node.child_by_field_name("value")
    if value is not None and value.type == "array":
        if operator != "+=" and held is not None and held.keys is not None:
            held = Variable(None, (), keys=())
            reader.scope.set(name, held)
        elif operator != "+=":
            held = None
        _assign_array(reader, name, value, held)
        return True
    word = words.word(match.end(), end)
    if index is not None:
        key = words.value(match.start(2) + 1, match.end(2) - 1)
        _assign_element(reader.scope, name, text_of(key), word)
        return True
    pieces = word.pieces
    if operator == "+=":
        before = held.scalar if held is not None else None
        if before is None:
            before = () if held is not None else (not_set(name),)
        pieces = joined([before, pieces])
    word = Word(pieces, word.raw, word.span)
    reader.scope.set(name, Variable(pieces, word=word))
    return True


def _assign_array(
    reader: ScriptReader, name: str, value: Node, held: Variable | None
) -> None:
    items = list(items_of(held)) if held is not None else []
    words = reader.words(value)
    for child in value.children[1:-1]:
        start, end = child.start_byte, child.end_byte
        entry = _ENTRY.match(reader.text.text, start, end)
        keys = held.keys if held is not None else None
        if entry and keys is not None:
            key = text_of(words.value(*entry.span(1)))
            _assign_element(reader.scope, name, key, words.word(entry.end(), end))
            held = reader.scope.get(name)
            continue
        found, open_ended = words.words(start, end)
        if open_ended is not None or entry or keys is not None:
            reader.scope.forget(name, _reason(name))
            return
        items += [word.pieces for word in found]
    if held is None or held.keys is None:
        reader.scope.set(name, Variable(None, tuple(items)))


def _assign_element(scope: Scope, name: str, index: str | None, word: Word) -> None:
    held = scope.get(name)
    items = list(items_of(held)) if held is not None else []
    keys = held.keys if held is not None else None
    if keys is not None and index is not None:
        place = keys.index(index) if index in keys else len(keys)
        keys = keys if index in keys else (*keys, index)
    elif index is not None and index.isdigit() and int(index[:9]) <= len(items):
        place = int(index)
    else:
        scope.forget(name, _reason(name))
        return
    items[place : place + 1] = [word.pieces]
    scope.set(name, Variable(None, tuple(items), keys=keys))


def _reason(name: str) -> str:
    return f"the items of ${name} are only known at run time"


def declare(reader: ScriptReader, node: Node) -> None:
    """``export``, ``local``, ``declare``, ``readonly``, ``typeset`` and ``unset``."""
    keyword = node.children[0].type
    words = reader.words(node)
    exports = keyword == "export"
    keyed = refers = False
    functions = keyword == "unset" and any(
        reader.written(child) == "-f" for child in node.children[1:]
    )
    for child in node.children[1:]:
        start, end = child.start_byte, child.end_byte
        raw = reader.text.text[start:end]
        if raw.startswith(("-", "+")):
            exports = exports or (
                keyword != "unset" and raw.startswith("-") and "x" in raw
            )
            keyed = keyed or (raw.startswith("-") and "A" in raw)
            names = keyword in {"local", "declare", "typeset"}
            refers = refers or (names and raw.startswith("-") and "n" in raw)
            continue
        match = ASSIGNMENT.match(raw)
        name = match[1] if match else raw
        if not match and raw[:1] in {'"', "'", "$"}:
            # ``export "NAME=$value"``: the whole word is quoted.
            for word in words.words(start, end)[0]:
                _assign_text(reader.scope, word, exports)
            continue
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            continue
        if keyword == "unset" and (
            functions or reader.scope.get(name) in (None, UNSET)
        ):
            # Without a variable of that name it is the function.
            reader.functions.pop(name, None)
        if functions:
            continue
        if keyword == "unset":
            element = reader.text.text[end : end + 1] == "["
            if element:
                reader.scope.forget(name, _reason(name))
            else:
                reader.scope.set(name, UNSET)
            continue
        if reader.locals and keyword in {"local", "declare", "typeset"}:
            reader.locals[-1].setdefault(name, reader.scope.own(name))
        if refers and match:
            _refer(reader, name, words.value(start + match.end(), end))
            continue
        if keyed:
            reader.scope.set(name, Variable(None, (), keys=()))
        if match:
            assign(reader, child)
        if match and re.fullmatch(r"\$\w", reader.text.text[end - 1 : end + 1]):
            # The grammar cuts ``a=$1-$2`` in two before the last digit.
            reader.scope.forget(name, f"kopslint does not read the value of ${name}")
        if exports and raw == f"{name}=" and (reader.typed or len(reader.files) > 1):
            # A file of values, or a runbook, leaves it for people to fill in.
            reason = f"${name} is a placeholder"
            reader.scope.set(name, Variable((Unknown(f"${name}", reason),)))
        if exports:
            reader.scope.export(name)


def _refer(reader: ScriptReader, name: str, other: Pieces) -> None:
    """``declare -n NAME=OTHER``: another name of a variable, if it is known which."""
    target = other[0] if len(other) == 1 else None
    if isinstance(target, str) and re.fullmatch(r"[A-Za-z_]\w*", target):
        if target != name:
            reader.scope.refer(name, target)
        return
    reason = f"which variable ${name} stands for is only known at run time"
    reader.scope.forget(name, reason)


def _assign_text(scope: Scope, word: Word, exports: bool) -> None:
    first = word.pieces[0] if word.pieces else ""
    match = ASSIGNMENT.match(first) if isinstance(first, str) else None
    if match is None or not isinstance(first, str):
        return
    value = joined([(first[match.end() :],), word.pieces[1:]])
    scope.set(match[1], Variable(value, word=Word(value, word.raw, word.span)))
    if exports:
        scope.export(match[1])


# ------------------------------------------------------------------------------------
# ``read`` and ``mapfile``: variables from an input that is in the script
#
# Everything else that they read is known only at run time.

_NAME = r"[A-Za-z_]\w*"
_BLANKS = " \t\n"


def take_input(scope: Scope, call: Call, upstream: str = "") -> None:
    """``read``, ``mapfile``, ``readarray`` or ``getopts``: sets its variables.

    ``upstream`` is what its input comes from, if that is written.
    """
    text = text_of(call.stdin.pieces) if call.stdin is not None else None
    words = [word.text or "" for word in call.words]
    if text is not None and is_plain_read(call):
        read_line(scope, call, lines_of(text)[0])
    elif text is not None and words[0] != "getopts" and words[1:-1] == ["-t"]:
        items = tuple((line,) for line in lines_of(text))
        scope.set(words[-1], Variable(None, items))
    else:
        for word in call.words[1:]:
            forget(scope, word, upstream)


def forget(scope: Scope, word: Word, upstream: str = "") -> None:
    """Make the variable unknown that a word names."""
    name = word.text or ""
    if re.fullmatch(_NAME, name):
        scope.forget(name, f"${name} is read at run time", word, of=upstream)


def is_plain_read(call: Call) -> bool:
    """Whether a call is ``read`` with names and no option that changes much."""
    words = [word.text or "" for word in call.words]
    names = words[1:]
    while names and names[0] in {"-r", "-a", "-ra"}:
        names.pop(0)
    return words[:1] == ["read"] and all(re.fullmatch(_NAME, name) for name in names)


def lines_of(text: str) -> list[str]:
    """The lines of an input; the last one needs no line end."""
    return text.removesuffix("\n").split("\n")


def read_line(scope: Scope, call: Call, line: str) -> None:
    """Carry out a plain ``read`` of one line."""
    words = [word.text or "" for word in call.words[1:]]
    names = [word for word in words if not word.startswith("-")] or ["REPLY"]
    array = any("a" in word for word in words if word.startswith("-"))
    raw = any("r" in word for word in words if word.startswith("-"))
    if "\\" in line and not raw:
        for word in call.words[1:]:
            forget(scope, word)
        return
    separators = _separators(scope, call)
    if array:
        items = _split(line, separators, 0)
        scope.set(names[0], Variable(None, tuple((item,) for item in items)))
        return
    parts = _split(line, separators, len(names))
    parts += [""] * (len(names) - len(parts))
    for name, part in zip(names, parts, strict=True):
        scope.set(name, Variable((part,) if part else ()))


def _separators(scope: Scope, call: Call) -> str:
    for assignment in call.assignments:
        if assignment.name == "IFS":
            return assignment.value.text or ""
    held = scope.get("IFS")
    return (text_of(held.scalar or ()) or "") if held is not None else _BLANKS


def _split(line: str, separators: str, most: int) -> list[str]:
    """The fields of a line, at most so many (0: any number); the last has the rest."""
    blanks = "".join(char for char in separators if char in _BLANKS)
    line = line.strip(blanks) if blanks else line
    if not separators or most == 1:
        return [line]
    blank = f"[{re.escape(blanks)}]" if blanks else "(?!)"
    other = "".join(char for char in separators if char not in _BLANKS)
    one = f"{blank}*[{re.escape(other)}]{blank}*|{blank}+" if other else f"{blank}+"
    return re.split(one, line, maxsplit=max(0, most - 1)) if line else []


# ------------------------------------------------------------------------------------
# Loops: one copy of the body for each turn, if all turns are known
#
# That is so for ``for`` over known items, for counting between known bounds, and for
# ``while read`` of a text that is in the script. The body of any other loop is read
# once, with what it changes unknown.

MOST_TURNS = 256

_KEYED = r"\$\{!?([A-Za-z_]\w*)\[[@*]\]\}"
_STEP = (
    r"(?:(?P<op>\+\+|--)(?P<a>\w+)|(?P<b>\w+)(?P<after>\+\+|--)"
    r"|(?P<c>\w+)(?P<by>[+-])=(?P<much>.+)|(?P<d>\w+)=(?P=d)(?P<sign>[+-])(?P<more>.+))"
)
_BOUND = r"(?P<name>\w+)(?P<operator><=?|>=?|!=)(?P<bound>[^<>=].*)"


def read_while(reader: ScriptReader, operand: Operand) -> Statement:
    """``while`` and ``until``, with the redirections behind ``done``."""
    node = operand.node
    test_nodes = [c for c in node.children[1:] if c.type != "do_group"]
    until = node.children[0].type == "until"
    lines = None if until else _lines(reader, operand, test_nodes)
    if lines is not None:
        call, given = lines
        turns = [partial(read_line, reader.scope, call, line) for line in given]
        statement = _unrolled(reader, node, turns)
        # At the end of its input ``read`` empties its variables.
        read_line(reader.scope, call, "")
        return statement
    forget_assigned(reader.scope, *reader.reach(node))
    outer = reader.upstream
    reader.upstream = " ".join(map(reader.written, operand.redirects)) or outer
    with reader.looping():
        test = reader.block(test_nodes)
        with reader.branch() as scope:
            body = reader.block(_body(node))
    reader.upstream = outer
    reader.scope.merge([scope, reader.scope.branch()])
    return Loop("until" if until else "while", test, body)


def _lines(
    reader: ScriptReader, operand: Operand, test: list[Node]
) -> tuple[Call, list[str]] | None:
    """The lines that ``while read`` goes through, if they are in the script."""
    commands = [node for node in test if node.is_named and node.type != "comment"]
    if [node.type for node in commands] != ["command"]:
        return None
    if not re.match(r"(?:IFS=\S* +)?read\b", reader.written(commands[0])):
        return None
    words = reader.words(operand.node.parent or operand.node)
    call = read_call(Operand(commands[0]), reader.text, words)
    pieces = reader.take_piped()
    if operand.redirects:
        # What the input takes to make has been noted before.
        effects, reader.effects = reader.effects, []
        stdin = given_input(operand.redirects, reader.text, words)
        reader.effects = effects
        pieces = stdin.pieces if stdin is not None else None
    text = text_of(pieces) if pieces is not None else None
    body = "\n".join(reader.written(node) for node in _body(operand.node))
    # Another reader of the same input takes lines away.
    if text is None or not is_plain_read(call) or re.search(r"\bread\b", body):
        return None
    lines = lines_of(text)
    return (call, lines) if _can_copy(reader, lines) else None


def read_counted(reader: ScriptReader, node: Node) -> Statement:
    """``for ((i = 0; i < 3; i++))``."""
    counted = _count(reader, node)
    if counted is None:
        reason = "it is not known how often this loop runs"
        return _repeat(reader, node, None, Unknown("((...))", reason))
    name, numbers = counted
    *turns, over = [
        partial(reader.scope.set, name, Variable((str(number),))) for number in numbers
    ]
    statement = _unrolled(reader, node, turns)
    over()
    return statement


def _count(reader: ScriptReader, node: Node) -> tuple[str, list[int]] | None:
    """The variable of a counting loop and its values, the one that ends it last.

    One that starts at ``${1:-1}`` starts at 1: a list is read as it runs by itself,
    from its beginning, and an argument only says where to go on with it.
    """
    head = re.match(
        r"for\s*\(\((.*?)\)\)\s*;?\s*(?:do\b|\{)", reader.written(node), re.DOTALL
    )
    if head is None:
        return None
    offset = node.start_byte
    pieces = reader.words(node).heredoc(offset + head.start(1), offset + head.end(1))
    parts = re.sub(r"\s+", "", text_of(_begun(pieces)) or "").split(";")
    if len(parts) != 3:
        return None
    name, equals, start = parts[0].partition("=")
    bound, step = re.fullmatch(_BOUND, parts[1]), re.fullmatch(_STEP, parts[2])
    if not equals or bound is None or step is None:
        return None
    stepped = step["a"] or step["b"] or step["c"] or step["d"]
    body = "\n".join(reader.written(part) for part in _body(node))
    if not name == bound["name"] == stepped or name in assigned(body):
        return None

    def number(text: str) -> int | None:
        return arithmetic(text, lambda name: value_in(name, reader.scope))

    sign = step["op"] or step["after"] or step["by"] or step["sign"]
    first, last = number(start), number(bound["bound"])
    pace = number(step["much"] or step["more"] or "1")
    if first is None or last is None or pace is None:
        return None
    pace = -pace if sign[0] == "-" else pace
    numbers = count(first, bound["operator"], last, pace, MOST_TURNS)
    if numbers is None or not _can_copy(reader, numbers):
        return None
    return name, numbers


def _begun(pieces: Pieces) -> Pieces:
    """The head of a loop with the number that it starts at without an argument."""
    match pieces:
        case (str(name), Unknown(default=str(number)), *rest) if name.rstrip().endswith(
            "="
        ):
            return (name, number, *rest)
    return pieces


def read_for(reader: ScriptReader, node: Node) -> Statement:
    """``for`` over items, and ``select``."""
    variable = node.child_by_field_name("variable")
    name = reader.written(variable) if variable is not None else ""
    items, unknown = _items(reader, node)
    if node.children[0].type == "select":
        unknown = Unknown(f"${name}", "the choice is made at run time")
    elif not _can_copy(reader, items):
        unknown = Unknown(f"${name}", "this loop has too many turns to follow")
    if unknown is not None:
        if len(items) > 1:
            unknown = unknown._replace(printed_by=None)
        return _repeat(reader, node, name, unknown)
    turns = [
        partial(reader.scope.set, name, Variable(item.pieces, word=item))
        for item in items
    ]
    return _unrolled(reader, node, turns)


def _items(reader: ScriptReader, node: Node) -> tuple[list[Word], Unknown | None]:
    """The items of a ``for``, and an unknown if there may be any number of them."""
    values = node.children_by_field_name("value")
    if not any(child.type == "in" for child in node.children):
        arguments = reader.scope.get(ARGUMENTS)
        if arguments is None or arguments.items is None:
            reason = "$@ is given to the script when it is started"
            return [], Unknown("$@", reason)
        span = reader.span(node)
        return [Word(pieces, "$@", span) for pieces in arguments.items], None
    found: list[Word] = []
    unknown: Unknown | None = None
    items = [Item(v.start_byte, v.end_byte, "word", v) for v in values]
    for start, end in segments(items, reader.text):
        words, open_ended = reader.words(node).words(start, end)
        found += words
        many = (p for word in words for p in word.pieces if isinstance(p, Unknown))
        listed = (piece for piece in many if re.match(LIST, piece.name))
        unknown = unknown or open_ended or next(listed, None)
        for name in re.findall(_KEYED, reader.text.text[start:end]):
            held = reader.scope.get(name)
            if held is not None and len(held.keys or ()) > 1:
                reason = f"bash goes through the keys of {name} in no fixed order"
                reader.opaque(f"${{!{name}[@]}}", reason, reader.text.span(start, end))
    return found, unknown


def _can_copy(reader: ScriptReader, turns: list[Word] | list[str] | list[int]) -> bool:
    return len(turns) <= MOST_TURNS and not reader.too_many_copies


def _unrolled(
    reader: ScriptReader, node: Node, turns: Iterable[Callable[[], None]]
) -> Statement:
    """The body of a loop once for each turn, each with what is done before it."""
    read: list[Statement] = []
    with reader.copying(), reader.looping():
        for begin in turns:
            begin()
            read.append(reader.block(_body(node)))
    if any(leaves(one, "loop") or leaves(one, "turn") for one in read):
        scoped = [Group(one, subshell=False, scope="turn") for one in read]
        return Group(sequence(scoped), subshell=False, scope="loop")
    return sequence(read)


def _repeat(
    reader: ScriptReader, node: Node, name: str | None, unknown: Unknown
) -> Statement:
    """A loop whose turns are not known: its body once, its variable unknown."""
    forget_assigned(reader.scope, *reader.reach(node))
    with reader.branch() as scope, reader.looping():
        if name is not None:
            reason = f"${name} gets values that are only known at run time"
            turn = Unknown(
                f"${name}",
                reason,
                of=unknown.of or unknown.name,
                printed_by=unknown.printed_by,
            )
            scope.set(name, Variable((turn,)))
        body = reader.block(_body(node))
    reader.scope.merge([scope, reader.scope.branch()])
    return Repeat(unknown, body, reader.span(node))


def _body(node: Node) -> list[Node]:
    """The statements between ``do`` and ``done`` (or braces)."""
    body = node.child_by_field_name("body")
    return body.children[1:-1] if body is not None else []


# ------------------------------------------------------------------------------------
# Scripts that a script runs: ``eval``, ``bash -c``, ``source`` and files at hand
#
# What ``source`` reads goes on in the same shell. Everything else that is read here
# has a shell of its own, which sees only what is exported and keeps its variables,
# options and ``exit`` to itself.

DEEPEST_FILES = 16
# Reading a file again costs as much as so many characters of commands.
_COMMAND = 200
_SHELLS = re.compile(r"(?:.*/)?(?:ba|z|k|da)?sh")
_NO_BASH = r"#!\s*\S*?(?:\benv\s+)?(?:/|\b)(?:sh|dash|ash|zsh|ksh)\b"
_SHEBANG = re.compile(r"#!.*?\b(?:ba|da|k|z)?sh\b(?P<options>.*)")
_SHELL_FILE = r".+\.(?:ba|k|z)?sh"
# What these print only sets variables of the shell.
_SETS_VARIABLES = (
    r"[$`(\s]*(?:ssh-agent|keychain|direnv|(?:docker-machine|minikube)\s[\w-]*env"
    r"|brew\s+shellenv|aws\s+configure\s+export-credentials)\b"
)
_ASKING = {"-e", "-f", "-r", "-s"}
_ENDS = {"EXIT", "0"}
_PREFIXES = {"builtin", "command", "nohup", "sudo", "time"}


def run_script(reader: ScriptReader, call: Call) -> Statement | None:
    """What the script that a call runs does; None if the call runs none at hand."""
    words = list(call.words)
    while len(words) > 1 and words[0].text in _PREFIXES:
        words.pop(0)
    name = words[0].text
    if (first := _read_first(reader, call)) is not None:
        return first
    if name == "exec" and len(words) > 1:
        inner = call._replace(words=tuple(words[1:]))
        started = run_script(reader, inner)
        return sequence([started or reader.simple(call), Exit(call.span)])
    if name == "eval" and len(words) > 1:
        span = words[1].span.to(words[-1].span)
        return _inner(reader, joined([word.pieces for word in words[1:]], " "), span)
    if name in {"source", "."}:
        return _source(reader, call, words[1:])
    if name is not None and _SHELLS.fullmatch(name):
        return _shell(reader, call, words[1:])
    if "/" not in words[0].shown:
        return None
    if (kept := written_to(reader, words[0])) is not None:
        return _kept(reader, call, kept, words[1:], [])
    file = found(words[0], reader.scope, reader.text.source, reader.at_hand)
    if file is None or not _is_shell(file):
        return None
    return _file(reader, call, file, words[1:], errexit_of(file))


_READ_FIRST: Mapping[str | None, str] = {"bash": "BASH_ENV", "sh": "ENV"}


def _read_first(reader: ScriptReader, call: Call) -> Statement | None:
    """A shell that first reads the file that a variable names (bash(1), INVOCATION)."""
    variable = _READ_FIRST.get(call.words[0].text)
    if variable is None:
        return None
    given = (*reader.scope.environment(), *call.assignments)
    file = next((a.value for a in reversed(given) if a.name == variable), None)
    if file is None or file.text == "":
        return None
    source = Word(("source",), "source", call.span)
    called = call._replace(words=(source, file), assignments=(), redirects=())
    with reader.shell(_scope(reader, call, ())):
        read = _source(reader, called, [file])
    if read is None:
        reason = "the list does not show what the shell reads at startup"
        read = reader.opaque(f"{variable}={file.shown}", reason, call.span)
    plain = [a for a in call.assignments if a.name != variable]
    rest = call._replace(assignments=tuple(plain))
    with reader.branch() as scope:
        scope.set(variable, Variable(()))
        after = run_script(reader, rest) or reader.ways(rest)
    return sequence([Group(read, subshell=True), after])


def is_there(reader: ScriptReader, test: Statement) -> bool:
    """Whether a test asks for a file at hand (``[ -f lib.sh ]``), and so succeeds."""
    match test:
        case Statements(items) if items:
            return is_there(reader, items[-1])
        case SimpleCommand(words=words) if len(words) in {3, 4}:
            if words[0].text not in {"[", "[[", "test"}:
                return False
            place = words[2], reader.scope, reader.text.source, reader.at_hand
            return words[1].text in _ASKING and found(*place) is not None
    return False


def trapped(reader: ScriptReader) -> list[Statement]:
    """What ``trap`` has been given for the end of the script, and for other events."""
    traps, reader.traps = reader.traps, {}
    ending = {traps[event] for event in _ENDS & traps.keys()}
    found: list[Statement] = []
    for word in dict.fromkeys(traps.values()):
        with reader.branch(), reader.copying():
            body = _inner(reader, word.pieces, word.span)
        if word not in ending:
            reason = "it is not known whether the event that this waits for happens"
            body = Choice((body,), exhaustive=False, reason=Unknown("trap", reason))
        found.append(body)
    reader.traps = traps
    return found


def errexit_of(file: Source) -> list[Statement]:
    """The ``set -e`` that the first line of a script that is started may hold."""
    shebang = _SHEBANG.match(file.line(1))
    on = shebang is not None and re.search(r"\s-\w*e", shebang["options"])
    return [ErrExit(on=True, span=file.whole())] if on else []


def _is_shell(file: Source) -> bool:
    if file.text.startswith("#!"):
        return _SHEBANG.match(file.line(1)) is not None
    return re.fullmatch(_SHELL_FILE, file.path) is not None


def _inner(reader: ScriptReader, code: Pieces, span: Span) -> Statement:
    """A script held in a word; nothing can be said if it is wholly unknown."""
    unknown = code[0] if code else None
    if len(code) == 1 and isinstance(unknown, Unknown):
        if re.match(_SETS_VARIABLES, unknown.name):
            return NOTHING
        reason = f"the command is not known: {unknown.reason}"
        return reader.opaque(unknown.name, reason, span)
    return reader.read(pieces_text(code, span))


def _shell(reader: ScriptReader, call: Call, words: list[Word]) -> Statement | None:
    """``bash -c '...'`` and ``bash FILE``."""
    rest = words.copy()
    errexit: list[Statement] = []
    inline = False
    while rest and not inline and re.match(r"[-+]\w|--", rest[0].text or ""):
        option = rest.pop(0)
        text = option.text or ""
        if text.startswith("--"):
            continue
        if text.startswith("-") and "e" in text:
            errexit.append(ErrExit(on=True, span=option.span))
        if text.endswith("o") and rest:
            rest.pop(0)
        inline = "c" in text
        if "s" in text.partition("o")[0] and call.stdin is not None and not inline:
            rest = rest[rest[:1] != [] and rest[0].text == "--" :]
            return _kept(reader, call, call.stdin, rest, errexit)
    if not rest and call.stdin is not None:
        # ``bash <<'END'``: what comes in is the script.
        return _kept(reader, call, call.stdin, rest, errexit)
    if not rest:
        return None
    if not inline:
        if (kept := written_to(reader, rest[0], call)) is not None:
            return _kept(reader, call, kept, rest[1:], errexit)
        file = found(rest[0], reader.scope, reader.text.source, reader.at_hand)
        return _file(reader, call, file, rest[1:], errexit) if file else None
    scope = _scope(reader, call, rest[2:])
    for name in (SCRIPT, FILE, FOLDER):
        scope.restore(name, reader.scope.get(name))
    with reader.branch(scope):
        body = _inner(reader, rest[0].pieces, rest[0].span)
    return _process(call, errexit, body)


def _process(call: Call, errexit: list[Statement], body: Statement) -> Statement:
    """A shell of its own; whether failures end it is for itself to say."""
    options = errexit or [ErrExit(on=False, span=call.span)]
    return Group(sequence([*options, body]), subshell=True)


def _scope(reader: ScriptReader, call: Call, arguments: Iterable[Word]) -> Scope:
    """The variables of a new process: what is exported, and its arguments."""
    scope = Scope()
    for assignment in (*reader.scope.environment(), *call.assignments):
        value = assignment.value
        scope.set(assignment.name, Variable(value.pieces, word=value))
        scope.export(assignment.name)
    scope.set(ARGUMENTS, Variable(None, tuple(word.pieces for word in arguments)))
    return scope


def _file(
    reader: ScriptReader,
    call: Call,
    file: Source,
    arguments: Iterable[Word],
    errexit: list[Statement],
) -> Statement:
    """A script at hand that is started with some arguments."""
    refused = _refused(reader, call, file)
    if refused is not None:
        return refused
    scope = _scope(reader, call, arguments)
    start_file(scope, file)
    scope.restore(FOLDER, reader.scope.get(FOLDER))
    with reader.shell(scope):
        body = sequence([_read(reader, file), *trapped(reader)])
    return _process(call, errexit, body)


def _kept(
    reader: ScriptReader,
    call: Call,
    kept: Word,
    arguments: Iterable[Word],
    errexit: list[Statement],
) -> Statement:
    """A script whose text stands in the list, started with some arguments."""
    with reader.shell(_scope(reader, call, arguments)):
        body = sequence([_read_kept(reader, kept), *trapped(reader)])
    return _process(call, errexit, body)


def _read_kept(reader: ScriptReader, kept: Word) -> Statement:
    """A text that stands in the list; one that runs itself cannot be followed."""
    if kept in reader.reading or reader.too_many_copies:
        reason = "this script runs itself, or scripts are run too often"
        return reader.opaque(kept.raw, reason, kept.span)
    reader.reading.append(kept)
    with reader.copying(len(kept.shown) // _COMMAND):
        body = _inner(reader, kept.pieces, kept.span)
    reader.reading.pop()
    return body


def _source(reader: ScriptReader, call: Call, words: list[Word]) -> Statement | None:
    """``source FILE``: its variables, functions and options stay."""
    at_hand = reader.at_hand
    if words and (kept := written_to(reader, words[0], call)) is not None:
        return _read_kept(reader, kept)
    file = words and found(words[0], reader.scope, reader.text.source, at_hand)
    if not file:
        return None
    refused = _refused(reader, call, file)
    if refused is not None:
        return refused
    scope = reader.scope
    outer = {name: scope.get(name) for name in (FILE, ARGUMENTS)}
    enter(scope, file)
    if words[1:]:
        scope.set(ARGUMENTS, Variable(None, tuple(w.pieces for w in words[1:])))
    else:
        del outer[ARGUMENTS]
    # ``return`` leaves such a file as it does a function.
    reader.calling.append(file.path)
    body = _read(reader, file)
    reader.calling.pop()
    for name, value in outer.items():
        scope.restore(name, value)
    if leaves(body, "function"):
        return Group(body, subshell=False, scope="function")
    return body


def _refused(reader: ScriptReader, call: Call, file: Source) -> Opaque | None:
    if file in reader.files:
        reason = f"the script `{file.path}` runs itself"
    elif len(reader.files) > DEEPEST_FILES or reader.too_many_copies:
        reason = "too many scripts run one another here to follow them"
    else:
        return None
    return reader.opaque(call.words[0].shown, reason, call.span)


def _read(reader: ScriptReader, file: Source) -> Statement:
    reader.files.append(file)
    with reader.copying(len(file.text) // _COMMAND):
        body = reader.read(whole_text(file, reader.text.title))
    reader.files.pop()
    return body


# ------------------------------------------------------------------------------------
# Scripts that the list itself writes: ``cat > run.sh << EOF`` and then ``sh run.sh``
#
# A text is kept for the path as it is written. Whatever else is told the path may
# change the file, and then nobody knows what is in it.

_LEAVES_ALONE = {"cat", "chmod", "chown", "echo", "less", "ls", "printf", "rm", "test"}
_INPUT = {"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "-"}


def written_to(
    reader: ScriptReader, word: Word, call: Call | None = None
) -> Word | None:
    """The text that the list has written to a path, or that ``call`` is handed."""
    if call is not None and word.text in _INPUT:
        return call.stdin
    return reader.written_files.get(_place(word))


def keep_written(reader: ScriptReader, call: Call) -> None:
    """Keep what a call writes to files, and forget those that it may change."""
    files = reader.written_files
    name, operands = (
        call.words[0].text,
        [w for w in call.words[1:] if w.shown[:1] != "-"],
    )
    if name in {"cp", "mv", "install"} and len(operands) == 2:
        source = files.get(_place(operands[0]))
        files.pop(_place(operands[1]), None)
        if source is not None:
            files[_place(operands[1])] = source
    elif name not in _LEAVES_ALONE and name != "tee":
        for word in operands:
            files.pop(_place(word), None)
    targets = [
        (r.target, r.operator == ">>") for r in call.redirects if r.operator[:1] == ">"
    ]
    if name == "tee":
        more = any(word.text in ("-a", "--append") for word in call.words[1:])
        targets += [(word, more) for word in operands]
        text = call.stdin.pieces if call.stdin is not None else None
    elif targets:
        text = printed(reader.simple(call._replace(redirects=())))
    for target, appends in targets:
        if target is None:
            continue
        place = _place(target)
        before = files.pop(place, None)
        if text is None or (appends and before is None):
            continue
        if before is not None and appends:
            text = joined([before.pieces, text], "\n")
        span = call.stdin.span if call.stdin is not None else call.span
        files[place] = Word(text, target.raw, span)


def _place(word: Word) -> Pieces:
    """A path as what stands for it, written in one way."""
    text = word.text
    return word.pieces if text is None else (text.removeprefix("./"),)


# ------------------------------------------------------------------------------------
# Branches: ``if`` and ``case``
#
# A branch has variables of its own and what branches do not agree on is unknown
# afterwards.


def compound(reader: ScriptReader, operand: Operand) -> Statement:
    """A compound command; anything else cannot be read."""
    node = operand.node
    match node.type:
        case "if_statement":
            return _if(reader, node.children)
        case "while_statement":
            return read_while(reader, operand)
        case "for_statement":
            return read_for(reader, node)
        case "c_style_for_statement":
            return read_counted(reader, node)
        case "case_statement":
            return _case(reader, node)
    reason = "bash cannot read this here"
    return reader.opaque(reader.written(node), reason, reader.span(node))


def _if(reader: ScriptReader, children: list[Node]) -> Statement:
    """``if`` or ``elif``: its test, its body, and the clauses that follow."""
    bounds = [child.type for child in children]
    then = bounds.index("then")
    rest = next(
        (i for i, kind in enumerate(bounds) if kind in {"elif_clause", "else_clause"}),
        len(children),
    )
    test = reader.block(children[1:then])
    nodes = [child for child in children[then + 1 : rest] if child.type != "fi"]
    if is_there(reader, test):
        return sequence([test, reader.block(nodes)])
    with reader.branch() as taken:
        body = reader.block(nodes)
    otherwise: Statement | None = None
    with reader.branch() as other:
        if rest < len(children) and children[rest].type == "else_clause":
            otherwise = reader.block(children[rest].children[1:])
        elif rest < len(children):
            # An ``elif`` is an ``if`` to which the clauses behind it belong.
            clause = children[rest]
            clauses = [*clause.children, *children[rest + 1 :]]
            with reader.nested(clause) as too_deep:
                otherwise = too_deep or _if(reader, clauses)
    _merge(reader, [(taken, body), (other, otherwise or NOTHING)])
    return Condition(test, body, otherwise)


def _merge(reader: ScriptReader, branches: list[tuple[Scope, Statement]]) -> None:
    """Take over the variables of the branches that the script goes on from."""
    reader.scope.merge([scope for scope, branch in branches if not ends(branch)])


def _case(reader: ScriptReader, node: Node) -> Statement:
    subject = node.child_by_field_name("value")
    value: Pieces = ()
    if subject is not None:
        value = reader.words(node).value(subject.start_byte, subject.end_byte)
    chosen, exhaustive = _chosen(reader, node, text_of(value))
    if exhaustive and len(chosen) == 1:
        return _case_body(reader, chosen[0])
    branches: list[tuple[Scope, Statement]] = []
    for item in chosen:
        with reader.branch() as scope:
            branches.append((scope, _case_body(reader, item)))
    if not branches:
        return NOTHING
    nothing = [] if exhaustive else [(reader.scope.branch(), NOTHING)]
    _merge(reader, [*branches, *nothing])
    written = reader.written(subject) if subject is not None else ""
    reason = next((p for p in value if isinstance(p, Unknown)), None)
    reason = reason or Unknown(written, "it is not known which branch is taken")
    return Choice(tuple(body for _, body in branches), exhaustive, reason)


def _chosen(
    reader: ScriptReader, node: Node, literal: str | None
) -> tuple[list[Node], bool]:
    """The branches that may be taken, and whether one of them certainly is."""
    chosen: list[Node] = []
    for item in node.children:
        if item.type != "case_item":
            continue
        matched = _matches(reader, item, literal)
        falls_through = any(child.type in {";&", ";;&"} for child in item.children)
        if matched is not False or falls_through:
            chosen.append(item)
        if matched is True and not falls_through:
            return chosen, True
    return chosen, False


def _matches(reader: ScriptReader, item: Node, literal: str | None) -> bool | None:
    """Whether a branch of a ``case`` is taken; None if that is not known."""
    answers: set[bool | None] = set()
    words = reader.words(item)
    for value in item.children_by_field_name("value"):
        pattern = words.pattern(value.start_byte, value.end_byte)
        if pattern == "*":
            return True
        known = literal is not None and pattern is not None
        answers.add(matches(literal or "", pattern or "") if known else None)
    if True in answers:
        return True
    return None if None in answers else False


def _case_body(reader: ScriptReader, item: Node) -> Statement:
    close = next((i for i, c in enumerate(item.children) if c.type == ")"), 0)
    ends_of_branch = {";;", ";&", ";;&"}
    statements = item.children[close + 1 :]
    return reader.block([c for c in statements if c.type not in ends_of_branch])


# ------------------------------------------------------------------------------------
# What bash's own commands do to the script that is being read
#
# ``set``, ``exit``, ``read``, ``shift`` and the like change variables or control
# flow; every other command is only reported.

_PLAIN_WORDS = r"[\w./:=@%+, -]*[\w]"
_READERS = {"read", "mapfile", "readarray", "getopts"}


def run_builtin(reader: ScriptReader, call: Call) -> Statement | None:
    """What a builtin does, or None if the call is a program like any other."""
    words = call.words
    texts = [word.text for word in words]
    name = texts[0]
    if name is None:
        return None
    match name:
        case "set":
            return _set(reader, call)
        case "break" | "continue":
            return _break(reader, name, call)
        case "exit" | "return":
            leaves = name == "return" and reader.in_function
            status = words[1] if len(words) > 1 else None
            if leaves:
                return Exit(call.span, status, "function")
            return sequence([*trapped(reader), Exit(call.span, status)])
        case "shift":
            _shift(reader.scope, texts[1:])
            return NOTHING
        case "alias":
            for word in words[1:]:
                _alias(reader, word)
        case "shopt" if "expand_aliases" in texts[2:]:
            reader.expands_aliases = texts[1] == "-s"
        case "unalias":
            for text in texts[1:]:
                reader.aliases.pop(text or "", None)
        case "trap" if len(words) > 2:
            for event in texts[2:]:
                reader.traps.pop(event or "", None)
                if texts[1] not in {"", "-", "-p", "-l"}:
                    reader.traps[event or ""] = words[1]
        case "let":
            for text in texts[1:]:
                forget_assigned(reader.scope, text or "")
        case "printf" if texts[1:2] == ["-v"] and len(words) > 2:
            forget(reader.scope, words[2])
            plain = call._replace(words=(words[0], *words[3:]), redirects=())
            value = printed(reader.simple(plain)) if words[3:] else None
            if value is not None and texts[2] and re.fullmatch(_NAME, texts[2]):
                reader.scope.set(texts[2], Variable(value))
        case "cd" | "pushd" | "popd":
            change_folder(reader.scope, name, words[1:])
        case _ if name in _READERS:
            take_input(reader.scope, call, reader.upstream)
    return None


def _set(reader: ScriptReader, call: Call) -> Statement:
    statements: list[Statement] = []
    words = list(call.words[1:])
    while words:
        word = words.pop(0)
        option = word.text or ""
        if option == "--" or not re.match(r"[-+]", option):
            rest = words if option == "--" else [word, *words]
            items = tuple(w.pieces for w in rest)
            reader.scope.set(ARGUMENTS, Variable(None, items))
            break
        on = option[0] == "-"
        names = {"errexit"} if "e" in option[1:] else set()
        if option.endswith("o") and words:
            names.add(words.pop(0).text or "")
        if "errexit" in names:
            statements.append(ErrExit(on, call.span))
        if "pipefail" in names:
            reader.scope.set(PIPEFAIL, Variable(("on",) if on else ()))
    return sequence(statements)


def _break(reader: ScriptReader, name: str, call: Call) -> Statement:
    levels = call.words[1].text if len(call.words) > 1 else "1"
    if levels is None or not levels.isdigit():
        return reader.opaque(
            name, "it is not known how many loops this leaves", call.span
        )
    # Outside of a loop bash only complains; more loops than there are is all.
    if not reader.loops:
        return NOTHING
    number = min(int(levels[:9]), reader.loops)
    return Exit(call.span, None, "loop" if name == "break" else "turn", number)


def _alias(reader: ScriptReader, word: Word) -> None:
    """``alias NAME='PROGRAM ARGUMENT...'``: plain words only."""
    name, equals, value = (word.text or "").partition("=")
    if equals and re.fullmatch(_PLAIN_WORDS, value):
        parts = value.split()
        if _expands(reader, name, parts):
            reader.aliases[name] = tuple(Word((p,), p, word.span) for p in parts)


def _expands(reader: ScriptReader, name: str, value: list[str]) -> bool:
    """Whether an alias stands for its value: whoever types has it expanded.

    In a script bash does so only with ``expand_aliases``; other shells do. Of a list
    that names no shell nobody knows whether it is pasted or started: then an alias
    that would only change what a program of its own name does is none (bash(1),
    ALIASES).
    """
    first = reader.files[-1].line(1)
    if reader.typed or reader.expands_aliases or re.match(_NO_BASH, first):
        return True
    return not first.startswith("#!") and name not in value and value[0] != "echo"


def _shift(scope: Scope, arguments: list[str | None]) -> None:
    held = scope.get(ARGUMENTS)
    count = arguments[0] if arguments else "1"
    if held is None or held.items is None:
        return
    if count is None or not count.isdigit():
        scope.forget(ARGUMENTS, "it is not known how far the arguments are shifted")
        return
    scope.set(ARGUMENTS, Variable(None, held.items[int(count[:9]) :]))


def taken(words: Iterable[Word], choice: str, at: int) -> tuple[Word, ...]:
    """The words of a call where a choice has gone one way.

    What stands alone and in no quotes is split at blanks, or nothing at all.
    """
    found: list[Word] = []
    for word in words:
        only = word.pieces[0] if len(word.pieces) == 1 else None
        if isinstance(only, Unknown) and only.choice == choice and only.ways:
            way = only.ways[at]
            if not is_quoted(word):
                way = tuple(part for text in way for part in text.split())
            found += (Word((text,), text, word.span) for text in way)
            continue
        pieces = joined(
            [
                (" ".join(piece.ways[at]),)
                if isinstance(piece, Unknown) and piece.choice == choice and piece.ways
                else (piece,)
                for piece in word.pieces
            ]
        )
        raw = word.raw if pieces == word.pieces else _shown(pieces)
        found.append(Word(pieces or ("",), raw, word.span))
    return tuple(found)


def _shown(pieces: Pieces) -> str:
    return "".join(p if isinstance(p, str) else p.name for p in pieces)


# What these are told changes nothing but what is printed, or how a test comes out.
_ASKS_OR_SAYS = {"[", "[[", "test", "echo", "printf", "export", "local", "read", ":"}
_NAMED = r"\$(?:\{(\w+)\}|([A-Za-z_]\w*|\d))"
# What is longer is not the name of anything.
_NAME_LENGTH = 200
_LONGEST_PIPE = 400


class ScriptReader(ReaderState):
    """Reads texts that share variables and functions, one after another."""

    def read(self, text: ShellText) -> Statements:
        """The statements of a text, with the variables as they are now."""
        statements: list[Statement] = []
        nodes: list[Node] = []
        with self.inside(text):
            for found in parse(text):
                if isinstance(found, Fault):
                    statements.append(self.block(nodes))
                    nodes = []
                    written = text.text[found.start : found.end]
                    span = text.span(found.start, found.end)
                    statements.append(self.opaque(written, found.reason, span))
                else:
                    nodes.append(found)
            statements.append(self.block(nodes))
        return sequence(statements)

    def words(self, tree: Node) -> WordReader:
        """A reader of the words below ``tree``, in the scope at hand."""
        return WordReader(self.text, self.scope, tree, self._substitution, self.afford)

    # --- lists and chains ------------------------------------------------------

    def block(self, nodes: list[Node]) -> Statements:
        """Sibling nodes as statements; a ``&`` puts the one before it aside."""
        for node in nodes:
            if node.type == "comment":
                self.comments.note(self.text, node.start_byte, node.end_byte)
        statements: list[Statement] = []
        for index, node in enumerate(nodes):
            if not node.is_named or node.type == "comment":
                continue
            if index + 1 < len(nodes) and nodes[index + 1].type == "&":
                with self.branch():
                    statements.append(_in_background(self._statement(node)))
            elif self.is_typing:
                self.leave_pod_for(node)
                typed = self.goes_on(self._statement(node))
                statements += [typed] if typed is not None else []
            else:
                statements.append(self._statement(node))
        return sequence(statements)

    def _statement(self, node: Node) -> Statement:
        """One node of any kind; chains are put into bash's precedence."""
        lists: list[list[Operand | str]] = [[]]
        operators: list[str | Operand] = []
        for token in chain(node):
            if token in {"&&", "||"}:
                operators.append(token)
                lists.append([])
            else:
                lists[-1].append(token)
        # A chain is a tree that grows to the left, and whoever walks it goes as
        # deep; ten operators weigh as much as one level of nesting.
        with self.nested(node, len(operators) // 10) as too_deep:
            if too_deep is not None:
                return too_deep
            result = self._pipeline(lists[0])
            for operator, tokens in zip(operators, lists[1:], strict=True):
                result = self._and_or(result, operator == "&&", tokens)
        return result

    def _and_or(
        self, left: Statement, both: bool, tokens: list[Operand | str]
    ) -> Statement:
        if both and (left == NOTHING or is_there(self, left)):
            # Assignments succeed, so what follows them certainly runs.
            return sequence([left, self._pipeline(tokens)])
        if left == NOTHING:
            # What stands behind ``||`` never runs.
            return left
        outcome = told_apart(left)
        if outcome is not None and outcome is both:
            return AndOr(left, "&&" if both else "||", self._pipeline(tokens))
        with self.branch() as taken:
            right = self._pipeline(tokens)
        if outcome is not None:
            return AndOr(left, "&&" if both else "||", right)
        # Whoever gets past ``|| exit`` did not take it.
        going_on = [] if ends(right) else [taken]
        self.scope.merge([*going_on, self.scope.branch()])
        return AndOr(left, "&&" if both else "||", right)

    def _pipeline(self, tokens: list[Operand | str]) -> Statement:
        negated = sum(part == "!" for part in tokens) % 2 == 1
        operands = [part for part in tokens if isinstance(part, Operand)]
        if len(operands) == 1:
            only = self.operand(operands[0])
            return Pipeline((only,), negated=True) if negated else only
        items: list[Statement] = []
        outer, outside = self.upstream, self.feeding
        for operand in operands:
            self.feeding = Pipeline(tuple(items)) if items else outside
            with self.branch():
                items.append(self.operand(operand))
            self.piped = printed(items[-1])
            if ends_a_shell(items[-1]):
                # Each part of a pipe has a shell of its own.
                items[-1] = Group(items[-1], subshell=True)
            self.upstream += self._filled(self.written(operand.node))[:_LONGEST_PIPE]
            self.upstream += " | "
        self.piped, self.upstream, self.feeding = None, outer, outside
        pipefail = self.scope.get(PIPEFAIL)
        on = pipefail is not None and text_of(pipefail.scalar or ()) == "on"
        return Pipeline(tuple(items), negated, on)

    def operand(self, operand: Operand) -> Statement:
        """One command of a chain, behind what its substitutions run."""
        node = operand.node
        self.count_copy()
        outer, self.effects = self.effects, []
        with self.nested(node) as too_deep:
            statement = too_deep or self._dispatch(operand)
        effects, self.effects = self.effects, outer
        if not effects:
            return statement
        if statement == NOTHING and node.type.startswith("variable_assignment"):
            # The status of an assignment is that of its last substitution.
            return sequence(effects)
        # Everywhere else a substitution that fails stops nothing.
        return sequence([*(AndOr(e, "||", NOTHING) for e in effects), statement])

    def _dispatch(self, operand: Operand) -> Statement:
        node = operand.node
        match node.type:
            case "command" | "test_command" | "redirected_statement":
                return self._command(operand)
            case "variable_assignment" | "variable_assignments":
                return self._assignments(operand)
            case "declaration_command" | "unset_command":
                declare(self, node)
                return NOTHING
            case "function_definition":
                if name := node.child_by_field_name("name"):
                    self.functions[self.written(name)] = (self.text, node)
                return NOTHING
            case "file_redirect" | "herestring_redirect" | "heredoc_redirect":
                return NOTHING
        for redirect in operand.redirects:
            # ``done < <(kops get)`` runs something.
            for target in redirect.children_by_field_name("destination"):
                self.words(redirect).value(target.start_byte, target.end_byte)
        match node.type:
            case "compound_statement" if node.children[0].type == "((":
                return self._arithmetic(node)
            case "compound_statement":
                return Group(self.block(node.children[1:-1]), subshell=False)
            case "subshell":
                with self.branch():
                    return Group(self.block(node.children[1:-1]), subshell=True)
        # Most lists have neither loops nor conditions.

        return compound(self, operand)

    # --- simple commands -------------------------------------------------------

    def _command(self, operand: Operand) -> Statement:
        # A here-document is not below its command but beside it.
        above = operand.redirects[0].parent if operand.redirects else None
        call = read_call(operand, self.text, self.words(above or operand.node))
        if call.broken is not None:
            reason = "blanks after this backslash stop it from continuing the line"
            self.opaque("\\", reason, call.broken)
        if not call.words:
            for assignment in call.assignments:
                self.assign(assignment.name, assignment.value)
            return NOTHING
        first = call.words[0]
        piped = self.take_piped() if call.stdin is None else None
        if piped is None and call.stdin is None and call.words[0].text == "xargs":
            piped = self.take_feeding()
        if piped is not None:
            stdin = Word(piped, self.written(operand.node), call.span)
            call = call._replace(stdin=stdin)
        if first.raw in self.aliases:
            call = call._replace(words=(*self.aliases[first.raw], *call.words[1:]))
            first = call.words[0]
        if first.raw in RESERVED:
            reason = f"`{first.raw}` is out of place"
            return self.opaque(first.raw, reason, call.span)
        if first.text in self.functions:
            return inline(self, first.text, call)
        known = run_builtin(self, call)
        if known is None:
            known = run_script(self, call)
        if known is not None:
            return known
        if call.redirects or self.written_files or first.text == "tee":
            keep_written(self, call)
        return self.ways(call)

    def ways(self, call: Call) -> Statement:
        """A call, once for each value of a word that has one of several."""
        words = () if call.words[0].text in _ASKS_OR_SAYS else call.words
        found = (p for w in words for p in w.pieces if isinstance(p, Unknown))
        open_ = next((unknown for unknown in found if unknown.ways), None)
        if open_ is None:
            return self.simple(call)
        ways = [
            self.ways(call._replace(words=taken(call.words, open_.choice, at)))
            for at in range(len(open_.ways))
        ]
        return Choice(tuple(ways), exhaustive=True, reason=open_, key=open_.choice)

    def simple(self, call: Call) -> SimpleCommand:
        """A call as a statement, with its environment and title."""
        own = {assignment.name for assignment in call.assignments}
        environment = self.scope.environment()
        if own:
            environment = tuple(a for a in environment if a.name not in own)
        return SimpleCommand(
            call.words,
            call.span,
            (*environment, *call.assignments),
            call.redirects,
            call.stdin,
            title=self.text.title,
            comment=self.comments.of(call.span),
            upstream=self.upstream,
            inside=self.before_words,
            places=self.places,
        )

    def _assignments(self, operand: Operand) -> Statement:
        node = operand.node
        nodes = node.children if node.type == "variable_assignments" else [node]
        if all(assign(self, child) for child in nodes):
            return NOTHING
        # To the grammar alone, ``--name=x`` at the start of a line is one.
        return self._command(operand)

    def _arithmetic(self, node: Node) -> Statement:
        """``(( ... ))``: a test whose outcome nobody knows; it may assign."""
        inner = self.written(node)[2:-2]
        forget_assigned(self.scope, inner)
        start, end = node.start_byte, node.end_byte
        words = (
            Word(("((",), "((", self.text.span(start, start + 2)),
            Word((inner,), inner, self.text.span(start + 2, end - 2)),
            Word(("))",), "))", self.text.span(end - 2, end)),
        )
        return SimpleCommand(words, self.span(node))

    def _substitution(self, node: Node) -> Pieces:
        """What a substitution prints; what it runs is kept as an effect."""
        raw = self.written(node).strip()
        outer, self.effects = self.effects, []
        with self.branch():
            body = self.block(node.children[1:-1])
        self.effects = outer
        process = node.type == "process_substitution"
        output = None if process else printed(body)
        if output is not None:
            return output
        if body.items:
            self.effects.append(Group(body, subshell=True, background=process))
        inner = " ".join(raw.strip("$<>()`").split())
        inner = inner if len(inner) <= 60 else inner[:57] + "..."
        reason = f"output of `{inner}` is only known at run time"
        path = printed_path(body, self.scope)
        ran = None if process else body
        found = (Unknown(self._filled(raw), reason, path, printed_by=ran),)
        if process and (text := printed(body)) is not None:
            self.written_files[found] = Word(text, raw, self.span(node))
        return found

    def _filled(self, raw: str) -> str:
        """What a substitution runs, with what is known: a turn of a loop has its own.

        This only tells people and rules what it may be about, so quotes do not matter.
        """

        def value(match: re.Match[str]) -> str:
            text = value_in(match[1] or match[2], self.scope)
            return text if text and len(text) <= _NAME_LENGTH else match[0]

        return re.sub(_NAMED, value, raw)


def _in_background(statement: Statement) -> Statement:
    if isinstance(statement, SimpleCommand):
        return statement._replace(background=True)
    if statement == NOTHING or isinstance(statement, Exit):
        return NOTHING
    return Group(statement, subshell=True, background=True)
