r"""From the text of a shell word to the arguments that the program sees.

Quotes, escapes, parameters, arithmetic, braces and word splitting happen here, in
bash's order. Where a substitution ends is taken from the syntax tree; what it
prints is asked of the script reader, which alone can run statements.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from kopslint.syntax.script import Unknown, Word
from kopslint.syntax.shell_braces import Atom, braces, flat
from kopslint.syntax.shell_expansion import arithmetic
from kopslint.syntax.shell_fields import fields
from kopslint.syntax.shell_parameters import Parameter, lookup
from kopslint.syntax.shell_text import REMARK
from kopslint.syntax.shell_values import Pieces, Scope, joined, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from kopslint.syntax.shell_text import ShellText

Quoting = Literal["bare", "quotes", "heredoc"]

_ORDINARY = re.compile(r"[^\\'\"$`<>]+")
_PARAMETER = re.compile(r"\$([A-Za-z_]\w*|[0-9@*#?$!-])")
_SUBSTITUTIONS = frozenset({"command_substitution", "process_substitution"})
_ESCAPED = {
    "bare": None,
    "quotes": frozenset('$`"\\'),
    "heredoc": frozenset("$`\\"),
}
_ANSI = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b"}
_ANSI |= {"f": "\f", "v": "\v"}
_GLOB = re.compile(r"[^*?\[]*(?:[*?]|\[.+\])", re.DOTALL)
# A word of these alone stands for itself: nothing in it is special to bash.
_PLAIN = re.compile(r"[\w./:=@%+,-]+")


class WordReader:
    """Reads words of one text in one scope.

    ``tree`` is a node that contains them; ``run`` gives what a substitution
    prints; ``afford`` is told how many words one became, and says whether that is
    not too many.
    """

    def __init__(
        self,
        text: ShellText,
        scope: Scope,
        tree: Node,
        run: Callable[[Node], Pieces],
        afford: Callable[[int], bool],
    ) -> None:
        self.text = text
        self.scope = scope
        self.tree = tree
        self.run = run
        self.afford = afford

    def words(self, start: int, end: int) -> tuple[list[Word], Unknown | None]:
        """The arguments that ``text[start:end]`` becomes.

        The second part is set if their number is unknown: then a part of them
        stands for any number of arguments.
        """
        text = self.text
        if REMARK.fullmatch(text.text, start, end):
            return [], None
        if _PLAIN.fullmatch(text.text, start, end) and not text.has_hole(start, end):
            raw = text.text[start:end]
            return [Word((raw,), raw, text.span(start, end))], None
        if not self.afford(0):
            raw = text.text[start:end]
            unknown = Unknown(raw, "this list has too many words to follow")
            return [Word((unknown,), raw, text.span(start, end))], unknown
        atoms = self._atoms(start, end)
        open_ended = next(
            (
                piece
                for atom in atoms
                if atom.kind == "value"
                for piece in atom.pieces
                if isinstance(piece, Unknown)
            ),
            None,
        )
        literal = "".join(
            piece
            for atom in atoms
            if atom.kind == "text"
            for piece in atom.pieces
            if isinstance(piece, str)
        )
        raw = text.text[start:end]
        if open_ended is None and _GLOB.match(literal):
            open_ended = Unknown(raw, f"which files match `{raw}` is not known here")
        span = text.span(start, end)
        values = [f for word in braces(atoms) for f in self._fields(word)]
        if len(values) > 1:
            self.afford(len(values))
        return [Word(value, raw, span) for value in values], open_ended

    def value(self, start: int, end: int) -> Pieces:
        """One value, not split: of an assignment, a redirection, a ``case``."""
        return flat(self._atoms(start, end))

    def word(self, start: int, end: int) -> Word:
        """``value`` as a word."""
        return Word(
            self.value(start, end),
            self.text.text[start:end],
            self.text.span(start, end),
        )

    def heredoc(self, start: int, end: int) -> Pieces:
        """The text of a here-document whose delimiter is not quoted."""
        return flat(self._scan(start, end, "heredoc")[0])

    def pattern(self, start: int, end: int, quoting: Quoting = "bare") -> str | None:
        """A glob pattern, its quoted parts escaped, or None if it is not known."""
        pattern = ""
        for atom in self._scan(start, end, quoting)[0]:
            text = text_of(flat([atom]))
            if text is None:
                return None
            if atom.kind == "quoted":
                text = re.sub(r"([*?[])", r"[\1]", text)
            pattern += text
        return pattern

    def _atoms(self, start: int, end: int) -> list[Atom]:
        return self._scan(start, end, "bare")[0]

    def _scan(
        self, start: int, end: int, quoting: Quoting, stop: str = ""
    ) -> tuple[list[Atom], int]:
        """The atoms from ``start`` up to ``stop`` or ``end``, and where that is."""
        text = self.text.text
        atoms: list[Atom] = []
        plain: Literal["text", "quoted"] = "text" if quoting == "bare" else "quoted"
        index = start
        while index < end:
            hole = self.text.hole_from(index)
            if hole is not None and hole.bare and quoting != "bare":
                hole = None
            if hole is not None and hole.start == index:
                atoms.append(Atom("quoted", (hole.unknown,)))
                index = hole.end
                continue
            limit = min(end, hole.start) if hole is not None else end
            char = text[index]
            if char == stop:
                break
            if char == "\\":
                atoms.append(self._escape(index, end, quoting))
                index += 2
            elif char == "'" and quoting == "bare":
                atom, index = self._raw_string(index + 1, end)
                atoms.append(atom)
            elif char == '"' and quoting != "heredoc":
                inner, index = self._scan(index + 1, end, "quotes", '"')
                # Quotes make an argument even if empty, but for ``"$@"``.
                if not inner or any(atom.kind != "items" for atom in inner):
                    atoms.append(Atom("quoted", ("",)))
                atoms += inner
                index += 1
            elif char in "$`" or text.startswith(("<(", ">("), index):
                found, index = self._dollar(index, end, quoting)
                atoms += found
            else:
                match = _ORDINARY.match(text, index, limit)
                stretch = match[0] if match else char
                if stop and stop in stretch:
                    stretch = stretch[: stretch.index(stop)]
                atoms.append(Atom(plain, (stretch,)))
                index += len(stretch)
        return atoms, index

    def _escape(self, index: int, end: int, quoting: Quoting) -> Atom:
        escaped = self.text.text[index + 1] if index + 1 < end else ""
        if escaped == "\n":
            return Atom("text")
        special = _ESCAPED[quoting]
        if special is None:
            return Atom("quoted", (escaped or "\\",))
        return Atom("quoted", (escaped if escaped in special else "\\" + escaped,))

    def _raw_string(self, start: int, end: int) -> tuple[Atom, int]:
        close = self.text.text.find("'", start, end)
        close = end if close < 0 else close
        pieces: list[str | Unknown] = []
        index = start
        while (hole := self.text.hole_from(index)) and hole.end <= close:
            if not hole.bare:
                pieces += [self.text.text[index : hole.start], hole.unknown]
                index = hole.end
            else:
                pieces.append(self.text.text[index : hole.end])
                index = hole.end
        pieces.append(self.text.text[index:close])
        return Atom("quoted", joined([(p,) for p in pieces])), close + 1

    def _dollar(self, index: int, end: int, quoting: Quoting) -> tuple[list[Atom], int]:
        """What begins with ``$``, a backtick, ``<(`` or ``>(``, and where it ends."""
        text = self.text.text
        kind: Literal["value", "quoted"] = "value" if quoting == "bare" else "quoted"
        if quoting == "bare" and text.startswith("$'", index):
            return self._ansi_string(index + 2, end)
        if quoting == "bare" and text.startswith('$"', index):
            return [], index + 1
        if match := _PARAMETER.match(text, index, end):
            return [self._parameter(Parameter(match[1]), quoting)], match.end()
        if text.startswith("${", index):
            node = self._node(index, frozenset({"expansion"}))
            stop = node.end_byte if node is not None else end
            return [self._expansion(index + 2, stop - 1, quoting)], stop
        if text.startswith("$((", index):
            node = self._node(index, frozenset({"arithmetic_expansion"}))
            if node is not None:
                raw = text[index : node.end_byte]
                number = arithmetic(raw[3:-2], self._number)
                value: str | Unknown = (
                    str(number)
                    if number is not None
                    else Unknown(raw, "this is calculated at run time")
                )
                return [Atom(kind, (value,))], node.end_byte
        if text[index] != "$" or text.startswith("$(", index):
            node = self._node(index, _SUBSTITUTIONS)
            if node is not None:
                return [Atom(kind, self.run(node))], node.end_byte
            if text[index] != "$":
                return [Atom("text", (text[index],))], index + 1
            unknown = Unknown(text[index:end], "this substitution cannot be read")
            return [Atom(kind, (unknown,))], end
        return [Atom("quoted", ("$",))], index + 1

    def _node(self, start: int, kinds: frozenset[str]) -> Node | None:
        """The innermost node of one of these kinds that starts at ``start``."""
        node = self.tree.descendant_for_byte_range(start, start + 1)
        while node is not None and node.type not in kinds:
            node = node.parent
        if node is None:
            return None
        # The grammar counts blanks before a backtick as part of the node.
        blank = self.text.text[node.start_byte : start].strip(" \t\n")
        return None if blank or node.end_byte <= start else node

    def _ansi_string(self, start: int, end: int) -> tuple[list[Atom], int]:
        match = re.compile(r"((?:[^\\']|\\.)*)'?", re.DOTALL).match(
            self.text.text, start, end
        )
        if match is None:
            return [], end
        value = re.sub(
            r"\\(?:x([0-9a-fA-F]{1,2})|(.))",
            lambda m: chr(int(m[1], 16)) if m[1] else _ANSI.get(m[2], m[2]),
            match[1],
            flags=re.DOTALL,
        )
        return [Atom("quoted", (value,))], match.end()

    def _number(self, name: str) -> str | None:
        return text_of(flat([self._parameter(Parameter(name), "quotes")]))

    def _parameter(self, parameter: Parameter, quoting: Quoting) -> Atom:
        found = lookup(parameter, self.scope)
        if isinstance(found, list):
            if quoting == "bare":
                # Unquoted items are split again.
                split = [f for i in found for f in self._fields([Atom("value", i)])]
                return Atom("items", items=tuple(split))
            return Atom("items", items=tuple(found))
        return Atom("value" if quoting == "bare" else "quoted", found)

    def _expansion(self, start: int, end: int, quoting: Quoting) -> Atom:
        """``${...}``, given without the braces."""
        parameter = Parameter.parse(self.text.text, start, end)
        if parameter is None or parameter.operator is None:
            parameter = parameter or Parameter("?", raw=self.text.text[start:end])
            return self._parameter(parameter, quoting)
        inner: Quoting = "bare" if quoting == "bare" else "quotes"
        operand: Pieces = ()
        operator = parameter.operator
        if operator[0] in "#%":
            pattern = self.pattern(parameter.end, end)
            parameter = parameter.with_pattern(pattern)
        elif operator[0] == "/":
            _, middle = self._scan(parameter.end, end, "bare", "/")
            parameter = parameter.with_pattern(self.pattern(parameter.end, middle))
            operand = flat(self._scan(min(middle + 1, end), end, inner)[0])
        else:
            operand = flat(self._scan(parameter.end, end, inner)[0])
        return self._parameter(parameter.with_operand(operand), quoting)

    def _fields(self, atoms: list[Atom]) -> list[Pieces]:
        """The arguments of one word after its braces are expanded."""
        held = self.scope.get("IFS")
        separators = text_of(held.scalar or ()) if held is not None else None
        return fields(atoms, separators)
