"""The mutants of a source file: cosmic-ray's operators, each to one other, where code decides something.

Cosmic-ray makes each operator into every other; here each goes to the one or two that a person would write by
mistake. Nothing is changed inside what is raised, formatted strings, annotations, and arguments that decide
no result (`UNSEEN`); a mutant that does not compile, or says the same as another, is left out.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import parso.tree
from cosmic_ray.ast import ast_nodes, get_ast, is_number
from cosmic_ray.ast.ast_query import ASTQuery
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.boolean_replacer import AddNot
from cosmic_ray.operators.operator import Operator
from cosmic_ray.operators.provider import OperatorProvider
from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import MutationSpec, WorkItem

Position = tuple[int, int]

BINARY = "Add_Sub Sub_Add Mul_Div Div_Mul FloorDiv_Mul Mod_Mul Pow_Mul BitAnd_BitOr BitOr_BitAnd"
COMPARISON = "Lt_LtE LtE_Lt Gt_GtE GtE_Gt Eq_NotEq NotEq_Eq Is_IsNot IsNot_Is"
UNARY = "Delete_USub Delete_Not Delete_Invert"
OTHERS = (
    "ReplaceTrueWithFalse ReplaceFalseWithTrue ReplaceAndWithOr ReplaceOrWithAnd "
    "ReplaceBreakWithContinue ReplaceContinueWithBreak ZeroIterationForLoop"
)

UNSEEN = ("strict", "copy", "frozen")
"""Keyword arguments that only check what always holds, or say where a result lies in memory."""


class OneMore(Operator):
    """A number becomes the next one."""

    def mutation_positions(self, node: Any) -> Any:
        if is_number(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        node.value = repr(ast.literal_eval(node.value) + 1)
        return node

    @classmethod
    def examples(cls) -> Any:
        return ()


class Negate(AddNot):
    """A condition becomes its opposite, as a whole (cosmic-ray's own negates the first part alone)."""

    def mutate(self, node: Any, index: int) -> Any:
        where = 2 if node.type == "test" else 1
        node.children[where] = parso.parse(f" not ({node.children[where].get_code().strip()})")
        return node


class ReplaceWord(Operator):
    """min for max and the like, and operators that assign."""

    PAIRS = ("min max", "minimum maximum", "argmin argmax", "any all", "+= -=", "*= /=", "|= &=")
    WORDS: ClassVar = {a: b for pair in PAIRS for a, b in (pair.split(), pair.split()[::-1])}

    def mutation_positions(self, node: Any) -> Any:
        if isinstance(node, parso.tree.Leaf) and node.value in self.WORDS:
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        node.value = self.WORDS[node.value]
        return node

    @classmethod
    def examples(cls) -> Any:
        return ()


def operators() -> dict[str, Any]:
    core: Any = OperatorProvider()
    names = [f"ReplaceBinaryOperator_{each}" for each in BINARY.split()]
    names += [f"ReplaceComparisonOperator_{each}" for each in COMPARISON.split()]
    names += [f"ReplaceUnaryOperator_{each}" for each in UNARY.split()]
    found = {name: core[name]() for name in (*names, *OTHERS.split())}
    return {**found, "OneMore": OneMore(), "Negate": Negate(), "ReplaceWord": ReplaceWord()}


OPERATORS = operators()


def left_alone(source: str) -> list[tuple[Position, Position]]:
    """Where no mutant is made."""
    spans: list[tuple[Position, Position]] = []
    for node in ast.walk(ast.parse(source)):
        each: list[ast.AST | None] = []
        if isinstance(node, ast.Raise | ast.JoinedStr):
            each = [node]
        elif isinstance(node, ast.arg | ast.AnnAssign):
            each = [node.annotation]
        elif isinstance(node, ast.FunctionDef):
            each = [node.returns]
        elif isinstance(node, ast.keyword) and node.arg in UNSEEN:
            each = [node.value]
        for part in each:
            if part is not None:
                spans.append(((part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)))  # type: ignore[attr-defined]
    return spans


def statement(source: str, line: int) -> tuple[range, bool]:
    """The lines of the innermost statement around a line (of a compound one, its head), and whether it is
    run when the module is imported.
    """
    lines, at_import = range(1, 2), True
    statements: list[tuple[ast.stmt, bool]] = [(each, True) for each in ast.parse(source).body]
    while statements:
        each, imported = statements.pop()
        body = [inner for inner in ast.walk(each) if isinstance(inner, ast.stmt) and inner is not each]
        start = min([each.lineno, *(one.lineno for one in getattr(each, "decorator_list", []))])
        if not start <= line <= (each.end_lineno or start):
            continue
        first = min((inner.lineno for inner in body), default=(each.end_lineno or start) + 1)
        lines, at_import = range(start, max(first, start + 1)), imported
        inner_imported = imported and not isinstance(each, ast.FunctionDef)
        statements = [
            (child, inner_imported)
            for block in ("body", "orelse", "finalbody", "handlers")
            for part in getattr(each, block, [])
            for child in (part.body if isinstance(part, ast.ExceptHandler) else [part])
        ]
    return lines, at_import


class Canonical(ast.NodeTransformer):
    """``not a == b`` and ``a != b`` are one mutant, and so are ``while False`` and ``while not True``."""

    OPPOSITES: ClassVar = {ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is}

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        inner = node.operand
        if isinstance(node.op, ast.Not):
            if isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.Not):
                return inner.operand
            if isinstance(inner, ast.Constant):
                return ast.Constant(not inner.value)
            if (
                isinstance(inner, ast.Compare)
                and len(inner.ops) == 1
                and type(inner.ops[0]) in self.OPPOSITES
            ):
                inner.ops = [self.OPPOSITES[type(inner.ops[0])]()]
                return inner
        return node


def meaning(source: str) -> str:
    return ast.dump(Canonical().visit(ast.parse(source)))


def generate(file: str, source: str) -> Iterator[WorkItem]:
    """Every mutant of a source, as work for cosmic-ray's record."""
    silent = left_alone(source)
    tree = get_ast(source)
    seen = {meaning(source)}
    for name, operator in OPERATORS.items():
        found = ((node, *at) for node in ast_nodes(tree) for at in operator.mutation_positions(node))
        for occurrence, (node, start, end) in enumerate(found):
            if any(low <= start < high for low, high in silent) or node.parent.type == "parameters":
                continue
            mutant: Any = mutate_code(source, operator, occurrence)
            try:
                compile(mutant, file, "exec", dont_inherit=True)
            except SyntaxError:
                continue
            if (says := meaning(mutant)) not in seen:
                seen.add(says)
                where = ASTQuery(node).get_definition_name() or "module"
                spec = MutationSpec(file, name, occurrence, start, end, {}, where)
                yield WorkItem.single(f"{name}-{occurrence}", spec)


def mutate(source: str, spec: MutationSpec) -> str:
    mutant = mutate_code(source, OPERATORS[spec.operator_name], spec.occurrence)
    assert mutant is not None
    return mutant


def described(source: str, spec: MutationSpec) -> str:
    """``function: `line` → `line of the mutant` ``, which stays the same when lines move."""
    old, new = (text.splitlines() for text in (source, mutate(source, spec)))
    start = next(i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b)
    end = next(i for i, (a, b) in enumerate(zip(old[::-1], new[::-1], strict=False)) if a != b)
    before, after = (" ".join(each.strip() for each in text[start : len(text) - end]) for text in (old, new))
    return f"{spec.definition_name}: `{before}` → `{after}`"


def record(folder: Path, file: str, source: str) -> WorkDB:
    """Cosmic-ray's session for one version of one source: what is to do, and what came out so far."""
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    database = WorkDB(folder / f"{file.replace('/', '.')}-{digest}.sqlite", WorkDB.Mode.create)
    if database.num_work_items == 0:
        database.add_work_items(list(generate(file, source)))
    return database
