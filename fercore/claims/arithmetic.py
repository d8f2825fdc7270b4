"""Sums as the papers' claims have them: numbers, plus, minus, times and division; nothing else is evaluated."""

import ast
import operator
import re
from fractions import Fraction

OPERATIONS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
LONGEST = 200  # characters


def evaluated(text: str) -> Fraction:
    """The exact value of an expression such as ``2 * (5 + 5) / 2``; raises ValueError for anything that is not one."""
    try:
        if len(text) > LONGEST:
            raise ValueError
        return _value(ast.parse(text.strip(), mode="eval").body, text.strip())
    except (ValueError, SyntaxError, ZeroDivisionError, RecursionError, MemoryError):
        raise ValueError(f"{text[:LONGEST]!r} is no sum of numbers; valid: digits with + - * / and brackets") from None


def _value(node: ast.expr, text: str) -> Fraction:
    match node:
        case ast.Constant() if re.fullmatch(r"\d+(\.\d+)?", written := ast.get_source_segment(text, node)):
            return Fraction(written)  # as written: 0.1 is a tenth; no exponents, whose values may fill the memory
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, text)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATIONS:
            return OPERATIONS[type(op)](_value(left, text), _value(right, text))
    raise ValueError
