"""What a fuzz target is: one parser, what must hold of it for any bytes, and where its inputs come from.

A target is called with untrusted bytes. It returns, or raises one of the errors that its parser promises:
everything else that escapes is a finding, and so is a failed `assert`. Properties that hold for whatever is
accepted (what is parsed and written again is the same bytes) stand in the target as asserts.
"""

import ast
import random
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from schemas.errors import LiaisonError

ROOT: Final = Path(__file__).resolve().parents[2]

Body = Callable[[bytes], object]
Mutate = Callable[[bytes, random.Random], bytes | None]
"""Another input made of one; None when the input is not of the kind that it knows."""


@dataclass(frozen=True, slots=True)
class Target:
    """One parser. `parses` are the source files that are the parser: when they change, its count of
    executions begins again.
    """

    name: str
    body: Body
    parses: tuple[str, ...]
    seeds: Callable[[], list[bytes]]
    mutate: Mutate | None = None
    raises: tuple[type[Exception], ...] = (LiaisonError,)
    longest: int = 4096

    def run(self, data: bytes) -> None:
        """Give it one input; raises only what is a finding."""
        try:
            self.body(data)
        except self.raises:
            return

    def fingerprint(self) -> str:
        """16 hex digits that change when the parser's code does, and not with its comments, docstrings,
        imports or place.
        """
        digest = sha256()
        for path in self.parses:
            digest.update(_bare(ROOT / path).encode())
        return digest.hexdigest()[:16]


def _bare(path: Path) -> str:
    return ast.dump(_Bare().visit(ast.parse(path.read_text(encoding="utf-8"))))


class _Bare(ast.NodeTransformer):
    """Leaves out docstrings and imports: a module that moves is the same parser, and so is one that imports
    what has moved.
    """

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if text else self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        """Left out."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Left out."""
