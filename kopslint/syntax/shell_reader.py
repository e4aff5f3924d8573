"""From syntax tree to statements, following values as bash would.

The reader walks a script once, in the order of execution, with the variables as
far as they are known. Functions are inlined where they are called. It never
guesses which way a test goes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.syntax import shell_builtins, shell_functions, shell_scripts
from kopslint.syntax.script import (
    AndOr,
    Exit,
    Group,
    Pipeline,
    Sequence,
    SimpleCommand,
    Statement,
    Unknown,
    Word,
)
from kopslint.syntax.shell_assignments import assign, declare, forget_assigned
from kopslint.syntax.shell_calls import Call, read_call
from kopslint.syntax.shell_files import printed_path
from kopslint.syntax.shell_output import NOTHING, ends, printed, sequence
from kopslint.syntax.shell_state import ReaderState
from kopslint.syntax.shell_tree import RESERVED, Fault, Operand, chain, parse
from kopslint.syntax.shell_values import (
    PIPEFAIL,
    Pieces,
    text_of,
)
from kopslint.syntax.shell_words import WordReader

if TYPE_CHECKING:
    from tree_sitter import Node

    from kopslint.syntax.shell_text import ShellText


_NAMED = r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))"
# What is longer is not the name of anything.
_NAME_LENGTH = 200
_LONGEST_PIPE = 400


class ScriptReader(ReaderState):
    """Reads texts that share variables and functions, one after another."""

    def read(self, text: ShellText) -> Sequence:
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

    def block(self, nodes: list[Node]) -> Sequence:
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
        if both and (left == NOTHING or shell_scripts.is_there(self, left)):
            # Assignments succeed, so what follows them certainly runs.
            return sequence([left, self._pipeline(tokens)])
        with self.branch() as taken:
            right = self._pipeline(tokens)
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
        outer = self.upstream
        for operand in operands:
            with self.branch():
                items.append(self.operand(operand))
            self.piped = printed(items[-1])
            self.upstream += self._filled(self.written(operand.node))[:_LONGEST_PIPE]
            self.upstream += " | "
        self.piped, self.upstream = None, outer
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
        from kopslint.syntax import shell_flow

        return shell_flow.compound(self, operand)

    # --- simple commands -------------------------------------------------------

    def _command(self, operand: Operand) -> Statement:
        # A here-document is not below its command but beside it.
        above = operand.redirects[0].parent if operand.redirects else None
        call = read_call(operand, self.text, self.words(above or operand.node))
        if call.broken is not None:
            reason = "blanks after this backslash keep it from continuing the line"
            self.opaque("\\", reason, call.broken)
        if not call.words:
            for assignment in call.assignments:
                self.assign(assignment.name, assignment.value)
            return NOTHING
        first = call.words[0]
        if call.stdin is None and (piped := self.take_piped()) is not None:
            stdin = Word(piped, self.written(operand.node), call.span)
            call = call._replace(stdin=stdin)
        if first.raw in self.aliases:
            call = call._replace(words=(*self.aliases[first.raw], *call.words[1:]))
            first = call.words[0]
        if first.raw in RESERVED:
            reason = f"`{first.raw}` is out of place"
            return self.opaque(first.raw, reason, call.span)
        if first.text in self.functions:
            return shell_functions.inline(self, first.text, call)
        known = shell_builtins.run(self, call)
        if known is None:
            known = shell_scripts.run(self, call)
        return known if known is not None else self.simple(call)

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
        return (Unknown(self._filled(raw), reason, printed_path(body, self.scope)),)

    def _filled(self, raw: str) -> str:
        """What a substitution runs, with what is known: a turn of a loop has its own.

        This only tells people and rules what it may be about, so quotes do not matter.
        """

        def value(match: re.Match[str]) -> str:
            held = self.scope.get(match[1] or match[2])
            text = text_of(held.scalar or ()) if held is not None else None
            return text if text and len(text) <= _NAME_LENGTH else match[0]

        return re.sub(_NAMED, value, raw)


def _in_background(statement: Statement) -> Statement:
    if isinstance(statement, SimpleCommand):
        return statement._replace(background=True)
    if statement == NOTHING or isinstance(statement, Exit):
        return NOTHING
    return Group(statement, subshell=True, background=True)
