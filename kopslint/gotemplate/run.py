"""A Go template executed on values of which some may not be known.

Nothing is run: a function is looked up in a table, a template among those that were
given, and no file is opened. What is not known flows through: in the text it is a mark,
as a condition it is taken to hold, or in another run not to hold, over it the body of a
``range`` is taken once, and both are said. Source: Go src/text/template/exec.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from kopslint.errors import InputError
from kopslint.gotemplate.functions import BUILTINS, GoFunction
from kopslint.gotemplate.output import Output, Piece, Traced, retraced
from kopslint.gotemplate.parse import TemplateError, span_of
from kopslint.gotemplate.tree import (
    Action,
    Call,
    Chain,
    Command,
    Dot,
    Function,
    If,
    Jump,
    Literal,
    Node,
    Operand,
    Pipeline,
    Place,
    Range,
    Template,
    Text,
    Variable,
)
from kopslint.gotemplate.values import (
    Listing,
    Refused,
    Table,
    TooMuch,
    Unknown,
    Unordered,
    printed,
    size_of,
    truth,
    type_name,
)
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kopslint.text import Source, Span

MOST_STEPS = 100_000
MOST_CHARACTERS = 2_000_000
MOST_VALUES = 2_000_000
"""Values that functions look at, all calls together."""
DEEPEST = 40
"""Templates within templates: Go's own limit would be one for Python's stack too."""


class Assumed(Record):
    """What was taken to be so, because a value is not known.

    ``kind`` is "condition", "otherwise" for one that does not hold, or "range";
    ``name`` is what the value is called.
    """

    kind: str
    name: str
    reason: str
    span: Span


class Held(Record):
    """A value, and where it is written if it came as it is from somewhere."""

    value: object
    origin: Span | None = None


class _Condition(Record):
    """A value by its text, what it is to equal if anything, and whether not."""

    value: str
    equals: str | None
    negated: bool


class _Break(Exception):  # noqa: N818 - A jump, and no error.
    pass


class _Continue(Exception):  # noqa: N818 - A jump, and no error.
    pass


_NIL = Held(None)


class Renderer:
    """Executes the templates of several texts, which may call each other by name.

    ``complete`` says that the values are all there are: then a key that a map does not
    have is refused as with ``missingkey=error``, and otherwise it is unknown.
    ``holds`` is what conditions on unknown values are taken to be. One that was met
    before goes on being so, whether it is negated or not, and a value that was taken
    to equal another one equals no third.
    """

    def __init__(
        self,
        templates: Iterable[tuple[str, Template]],
        functions: Mapping[str, GoFunction],
        *,
        complete: bool = True,
        holds: bool = True,
    ) -> None:
        self._holds = holds
        self._met: dict[str, bool] = {}
        self._equal: dict[str, str] = {}
        self._templates: dict[str, tuple[Source, tuple[Node, ...]]] = {}
        for name, template in templates:
            for inner, nodes in template.defined.items():
                self._templates[inner] = template.source, nodes
            self._templates.setdefault(name, (template.source, template.nodes))
        self._functions = {**BUILTINS, **functions}
        self._complete = complete
        self.assumed: dict[Assumed, None] = {}
        self._steps = 0
        self._depth = 0
        self._size = 0
        self._values = 0

    def has(self, name: str) -> bool:
        """Whether there is a template of this name."""
        return name in self._templates

    def execute(self, name: str, dot: object) -> Output:
        """What a template gives for a dot.

        Raises ``TemplateError``, with the place, for what Go refuses, and
        ``InputError`` for what becomes too much.
        """
        if name not in self._templates:
            raise Refused(f'template: no template "{name}"')
        if self._depth >= DEEPEST:
            raise TooMuch("templates that call each other")
        source, nodes = self._templates[name]
        self._depth += 1
        try:
            return _Execution(self, source, dot).run(nodes)
        finally:
            self._depth -= 1

    # What follows is for executions, which share one budget.

    def step(self) -> None:
        """Count a step. Raises ``TooMuch`` when there were too many."""
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise TooMuch("its steps")

    def grow(self, characters: int) -> None:
        """Count what was written. Raises ``TooMuch`` when it was too much."""
        self._size += characters
        if self._size > MOST_CHARACTERS:
            raise TooMuch("its text")

    def weigh(self, values: list[object]) -> None:
        """Count what is handed to a function. Raises ``TooMuch`` if it is too much."""
        self._values += size_of(values, MOST_VALUES - self._values)

    def function(self, name: str) -> GoFunction:
        """The function of a name that the parser knew."""
        return self._functions[name]

    def decide(self, condition: _Condition) -> bool:
        """Whether a condition on an unknown value is taken to hold."""
        wanted = self._holds != condition.negated
        if condition.equals is None:
            result = self._met.setdefault(condition.value, wanted)
        else:
            if wanted:
                self._equal.setdefault(condition.value, condition.equals)
            result = self._equal.get(condition.value) == condition.equals
        return result != condition.negated

    @property
    def complete(self) -> bool:
        """Whether the values are all there are."""
        return self._complete


class _Execution:
    """One template at work, with its variables and what it has written."""

    def __init__(self, renderer: Renderer, source: Source, dot: object) -> None:
        self._renderer = renderer
        self._source = source
        self._variables: list[tuple[str, Held]] = [("$", Held(dot))]
        self._dot = Held(dot)
        self._texts: list[str] = []
        self._pieces: list[Piece] = []
        self._length = 0

    def run(self, nodes: tuple[Node, ...]) -> Output:
        self._walk(nodes, self._dot)
        return Output("".join(self._texts), tuple(self._pieces))

    def _span(self, place: Place) -> Span:
        return span_of(self._source, place)

    def _refuse(self, place: Place, words: str) -> NoReturn:
        raise TemplateError(
            f"Go refuses this template: {words}",
            span=self._span(place),
            hint="correct it, or the values",
        )

    # Nodes

    def _walk(self, nodes: tuple[Node, ...], dot: Held) -> None:
        known = len(self._variables)
        for node in nodes:
            self._renderer.step()
            if isinstance(node, Text):
                self._write(node.text, node.place, copied=True)
            elif isinstance(node, Action):
                self._print(node, dot)
            elif isinstance(node, If):
                self._branch(node, dot)
            elif isinstance(node, Range):
                self._range(node, dot)
            elif isinstance(node, Jump):
                raise _Break if node.word == "break" else _Continue
            else:
                self._call_template(node, dot)
        del self._variables[known:]

    def _write(
        self,
        text: str,
        place: Place,
        *,
        copied: bool = False,
        origin: Span | None = None,
    ) -> None:
        self._renderer.grow(len(text))
        if isinstance(text, Traced):
            self._pieces += (
                piece._replace(start=piece.start + self._length)
                for piece in text.pieces
            )
        elif text:
            piece = Piece(self._length, len(text), self._source, place, copied, origin)
            self._pieces.append(piece)
        self._texts.append(text)
        self._length += len(text)

    def _print(self, node: Action, dot: Held) -> None:
        held = self._pipeline(node.pipeline, dot)
        if node.pipeline.declared:
            return
        value = held.value
        if isinstance(value, (list, dict)):
            try:
                self._renderer.weigh([value])
            except TooMuch as much:
                self._too_much(node.place, much)
        text = value if isinstance(value, str) else printed(value)
        self._write(text, node.place, origin=held.origin)

    def _branch(self, node: If, dot: Held) -> None:
        known = len(self._variables)
        held = self._pipeline(node.pipeline, dot)
        if self._holds(held.value, node):
            self._walk(node.body, held if node.rebinds else dot)
        else:
            self._walk(node.otherwise, dot)
        del self._variables[known:]

    def _holds(self, value: object, node: If) -> bool:
        if not isinstance(value, Unknown):
            return truth(value)
        holds = self._renderer.decide(self._condition(node.pipeline))
        self._assume("condition" if holds else "otherwise", value, node.place)
        return holds

    def _condition(self, pipeline: Pipeline) -> _Condition:
        """What is asked by a condition: a value, or whether it equals another one."""
        negated = False
        operand: Operand = pipeline
        while True:
            command = _only_command(operand)
            if command is None:
                return _Condition(self._text(operand.place), None, negated)
            first, *rest = command.operands
            name = first.name if isinstance(first, Function) else ""
            if name == "not" and len(rest) == 1:
                negated, operand = not negated, rest[0]
            elif name in ("eq", "ne") and len(rest) == 2:
                mine, other = sorted(rest, key=lambda o: isinstance(o, Literal))
                negated = negated != (name == "ne")
                about, value = self._text(mine.place), self._text(other.place)
                return _Condition(about, value, negated)
            elif not rest and isinstance(first, Pipeline):
                operand = first
            else:
                return _Condition(self._text(command.place), None, negated)

    def _text(self, place: Place) -> str:
        return " ".join(self._source.text[place.start : place.end].split())

    def _assume(self, kind: str, value: Unknown, place: Place) -> None:
        said = Assumed(kind, value.name, value.reason, self._span(place))
        self._renderer.assumed[said] = None

    def _range(self, node: Range, dot: Held) -> None:
        known = len(self._variables)
        held = self._pipeline(node.pipeline, dot, declares=False)
        is_empty = True
        for key, item in self._turns(held, node.place):
            is_empty = False
            self._renderer.step()
            declared = node.pipeline.declared
            values = (item,) if len(declared) == 1 else (key, item)
            for name, value in zip(declared, values, strict=False):
                if node.pipeline.assigns:
                    self._assign(name, value)
                else:
                    self._variables.append((name, value))
            try:
                self._walk(node.body, item)
            except _Break:
                break
            except _Continue:
                continue
            finally:
                del self._variables[known:]
        if is_empty:
            self._walk(node.otherwise, dot)

    def _turns(self, held: Held, place: Place) -> Iterator[tuple[Held, Held]]:
        value = held.value
        if isinstance(value, Unordered):
            value = value.unknown
        if isinstance(value, Unknown):
            self._assume("range", value, place)
            yield Held(value), Held(value)
        elif isinstance(value, list):
            for n, item in enumerate(value):
                yield Held(n), Held(item, _origin_of(value, n))
        elif isinstance(value, dict):
            for key in sorted(value):
                origin = _origin_of(value, key)
                yield Held(key, origin), Held(value[key], origin)
        elif value is not None:
            self._refuse(place, f"range can't iterate over {printed(value)}")

    def _call_template(self, node: Call, dot: Held) -> None:
        argument: object = None
        if node.pipeline is not None:
            argument = self._pipeline(node.pipeline, dot, declares=False).value
        try:
            output = self._renderer.execute(node.name, argument)
        except Refused as refused:
            self._refuse(node.place, str(refused))
        except TooMuch as much:
            self._too_much(node.place, much)
        self._write(output.traced, node.place)

    # Pipelines

    def _pipeline(
        self, pipeline: Pipeline, dot: Held, *, declares: bool = True
    ) -> Held:
        held: Held | None = None
        for command in pipeline.commands:
            held = self._command(command, dot, held)
        assert held is not None  # noqa: S101 (the parser refuses an empty one)
        if declares:
            for name in pipeline.declared:
                if pipeline.assigns:
                    self._assign(name, held)
                else:
                    self._variables.append((name, held))
        return held

    def _assign(self, name: str, held: Held) -> None:
        for n in range(len(self._variables) - 1, -1, -1):
            if self._variables[n][0] == name:
                self._variables[n] = (name, held)
                return

    def _command(self, command: Command, dot: Held, final: Held | None) -> Held:
        self._renderer.step()
        first, *rest = command.operands
        if isinstance(first, Function):
            return self._call(first, rest, dot, final, command.place)
        if isinstance(first, Pipeline) and not rest and final is None:
            return self._pipeline(first, dot, declares=False)
        held = self._operand(first, dot)
        if rest or final is not None:
            if isinstance(held.value, Unknown):
                return held
            self._refuse(command.place, "can't give argument to non-function")
        if isinstance(first, Literal) and first.value is None:
            self._refuse(command.place, "nil is not a command")
        return held

    def _operand(self, operand: Operand, dot: Held) -> Held:
        if isinstance(operand, Literal):
            return Held(operand.value)
        if isinstance(operand, Dot):
            return dot
        if isinstance(operand, Variable):
            return next(
                (
                    held
                    for name, held in reversed(self._variables)
                    if name == operand.name
                ),
                _NIL,
            )
        if isinstance(operand, Function):
            return self._call(operand, [], dot, None, operand.place)
        if isinstance(operand, Pipeline):
            return self._pipeline(operand, dot, declares=False)
        held = self._operand(operand.operand, dot)
        for field in operand.fields:
            held = self._field(held, field, operand)
        return held

    def _field(self, held: Held, field: str, chain: Chain) -> Held:
        value = held.value
        text = self._source.text[chain.place.start : chain.place.end]
        if isinstance(value, Unknown):
            return Held(Unknown(text, value.reason))
        if isinstance(value, dict):
            if field in value:
                return Held(value[field], _origin_of(value, field))
            if not self._renderer.complete:
                return Held(Unknown(text, "no value for it was found"))
            self._refuse(chain.place, f'map has no entry for key "{field}"')
        if value is None:
            if not self._renderer.complete:
                return Held(Unknown(text, "no value for it was found"))
            self._refuse(chain.place, f"nil pointer evaluating interface {{}}.{field}")
        self._refuse(
            chain.place, f"can't evaluate field {field} in type {type_name(value)}"
        )
        return None

    def _call(
        self,
        function: Function,
        operands: list[Operand],
        dot: Held,
        final: Held | None,
        place: Place,
    ) -> Held:
        if function.name in ("and", "or"):
            return self._decided(function, operands, dot, final)
        arguments = [self._operand(operand, dot) for operand in operands]
        if final is not None:
            arguments.append(final)
        values = [held.value for held in arguments]
        try:
            self._renderer.weigh(values)
            result = self._renderer.function(function.name).called(
                function.name, values
            )
        except Refused as refused:
            self._refuse(place, str(refused))
        except TooMuch as much:
            self._too_much(place, much)
        if isinstance(result, Output):
            return Held(result.traced)
        if isinstance(result, str):
            if len(result) > MOST_CHARACTERS:
                self._too_much(place, TooMuch("the result of a function"))
            traced = next((v for v in values if isinstance(v, Traced)), None)
            if traced is not None:
                return Held(retraced(result, traced))
        origins = (held.origin for held in arguments if held.origin is not None)
        origin = next(origins, None)
        if function.name == "index" and arguments:
            origin = _indexed_origin(values) or origin
        return Held(result, origin)

    def _decided(
        self,
        function: Function,
        operands: list[Operand],
        dot: Held,
        final: Held | None,
    ) -> Held:
        """``and`` and ``or``, which stop at the first argument that decides."""
        if not operands and final is None:
            self._refuse(function.place, f"missing argument for {function.name}")
        unknown: Held | None = None
        held = final or _NIL
        rest: list[Operand | None] = [*operands, *([None] if final else [])]
        for operand in rest:
            held = self._operand(operand, dot) if operand is not None else final or _NIL
            if isinstance(held.value, Unknown):
                unknown = unknown or held
            elif truth(held.value) == (function.name == "or"):
                return held
        return unknown or held

    def _too_much(self, place: Place, much: TooMuch) -> NoReturn:
        raise InputError(
            f"this template becomes too large: {much}",
            span=self._span(place),
            hint="render it yourself, and check the result",
        )


def _only_command(operand: Operand) -> Command | None:
    """The command of a pipeline that is no more than that."""
    if isinstance(operand, Pipeline) and len(operand.commands) == 1:
        return operand.commands[0]
    return None


def _origin_of(value: object, key: str | int) -> Span | None:
    if isinstance(value, Table) and isinstance(key, str):
        return value.origins.get(key)
    if isinstance(value, Listing) and isinstance(key, int):
        return value.origins[key] if key < len(value.origins) else None
    return None


def _indexed_origin(values: list[object]) -> Span | None:
    value, origin = values[0], None
    for key in values[1:]:
        if isinstance(value, dict) and isinstance(key, str):
            origin = _origin_of(value, key)
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            origin = _origin_of(value, key)
            value = value[key]
    return origin


def rendered(renderer: Renderer, name: str, dot: object, source: Source) -> Output:
    """The main template's text, with everything that may go wrong as ``InputError``."""
    try:
        return renderer.execute(name, dot)
    except TooMuch as much:
        raise InputError(
            f"this template becomes too large: {much}",
            span=source.whole(),
            hint="render it yourself, and check the result",
        ) from None
    except (Refused, RecursionError) as error:
        raise TemplateError(
            f"Go refuses this template: {error}", span=source.whole()
        ) from None
