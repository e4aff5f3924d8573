"""A command of typer from the options that a record names."""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from kopslint.cli.option_table import Option, Options

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T", bound=Options)


def takes(kind: type[T]) -> Callable[[Callable[[T], None]], Callable[..., None]]:
    """Make of a function of a record a command that takes the record's options."""
    table = kind.table()

    def command_of(run: Callable[[T], None]) -> Callable[..., None]:
        def command(**given: Any) -> None:
            values = {name: _value(table[name], each) for name, each in given.items()}
            run(kind(**values))

        command.__name__ = run.__name__
        command.__doc__ = run.__doc__
        # This is what typer reads.
        command.__signature__ = Signature(  # type: ignore[attr-defined]
            [_parameter(name, option) for name, option in table.items()]
        )
        return command

    return command_of


def _value(option: Option, given: Any) -> object:
    """What the record has, of what typer made of the words."""
    if option.kind is bool:
        return option.default is not given
    return tuple(given or ()) if option.many else given


def _parameter(name: str, option: Option) -> Parameter:
    form = typer.Option if option.names else typer.Argument
    kind: Any = option.kind
    default = option.default
    if option.many:
        kind, default = list[kind], None
    elif kind is bool:
        default = False
    if option.required:
        default = Parameter.empty
    elif default is None:
        kind = kind | None
    annotation = Annotated[kind, form(*option.names, **option.about)]
    return Parameter(
        name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )
