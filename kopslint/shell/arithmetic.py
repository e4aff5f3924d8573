"""Whole numbers as bash calculates with them: ``2 * (3 + 1)``.

A module of its own, because Python's parser is slow to import and few lists calculate.
"""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


def evaluate(expression: str) -> int | None:
    """The value of an expression of numbers, signs and brackets.

    None for what is no expression, divides by zero, or does what is not modelled.
    """
    try:
        return _value(ast.parse(expression, mode="eval").body)
    except (SyntaxError, ZeroDivisionError):
        return None


def _value(node: ast.expr) -> int | None:
    match node:
        case ast.Constant(value=int() as value):
            return value
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            number = _value(operand)
            return -number if number and isinstance(sign, ast.USub) else number
        case ast.BinOp(left=left_node, op=op, right=right_node):
            left, right = _value(left_node), _value(right_node)
            if left is None or right is None:
                return None
            if isinstance(op, ast.Div | ast.Mod):
                # Bash rounds towards zero and Python downwards.
                quotient = abs(left) // abs(right) * (1 if left * right >= 0 else -1)
                return quotient if isinstance(op, ast.Div) else left - quotient * right
            apply = _OPERATORS.get(type(op))
            return apply(left, right) if apply is not None else None
    return None
