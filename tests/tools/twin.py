"""Writes the stub of `AsyncClient` from the verbs of `Client`: `python tests/tools/twin.py`."""

import ast
import pathlib

PACKAGE = pathlib.Path(__file__).resolve().parents[2] / "bindings-python" / "python" / "chartoci"
STUB = PACKAGE / "aclient.pyi"
# What a plan of the blocking client is made with, and nobody else needs.
OTHERS = {"Plan", "verb"}


def definition(path: pathlib.Path, name: str) -> ast.ClassDef:
    """A class of a module."""
    tree = ast.parse(path.read_text())
    return next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)


def stub() -> str:
    """The text of `aclient.pyi`."""
    module = ast.parse((PACKAGE / "client.py").read_text())
    verbs: list[ast.stmt] = []
    for node in definition(PACKAGE / "client.py", "Client").body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and any(ast.unparse(mark) == "verb" for mark in node.decorator_list):
            assert isinstance(node.returns, ast.Subscript) and ast.unparse(node.returns.value) == "Plan", node.name
            told, _, _ = (ast.get_docstring(node, clean=False) or "").partition("\n\n        >>>")  # the examples do not await
            body: list[ast.stmt] = [ast.Expr(ast.Constant(told))]
            verbs.append(ast.AsyncFunctionDef(node.name, node.args, body, [], node.returns.slice, lineno=0))
    twin = definition(PACKAGE / "aclient.py", "AsyncClient")
    twin.body = [twin.body[0], *verbs]
    names = {name.id for name in ast.walk(twin) if isinstance(name, ast.Name)}
    here = {node.name for node in module.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    assigned = [target for node in module.body if isinstance(node, ast.Assign) for target in node.targets]
    here |= {target.id for target in assigned if isinstance(target, ast.Name)}
    lines = ["# Written by tests/tools/twin.py from client.py."]
    for node in module.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            node.names = [alias for alias in node.names if (alias.asname or alias.name.split(".")[0]) in names]
            lines += [ast.unparse(node)] if node.names else []
    lines.append("from chartoci.adrive import Carrier")
    lines.append(f"from chartoci.client import {', '.join(sorted(names & here - OTHERS))}")
    return "\n".join([*lines, "", ast.unparse(twin), ""])


if __name__ == "__main__":
    STUB.write_text(stub())
