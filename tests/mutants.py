"""`make mutants`: changes the rules a little, one change at a time, and says which changes no test notices."""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
RULES = "nexus_middleware/rules"
TESTS = {  # of each module, beside the examples in it and tests/rules/test_<name>.py
    "bans": ["tests/services/test_security.py", "tests/middleware/test_ip_filter.py"],
    "budgets": ["tests/stores/test_budgets.py", "tests/services/test_budgets.py"],
    "forwarded": ["tests/rules/test_networks.py", "tests/middleware/test_trusted_proxies.py"],
    "networks": ["tests/middleware/test_trusted_proxies.py"],
    "paths": ["tests/middleware/test_tricks.py"],
    "windows": ["tests/stores/test_counting.py", "tests/stores/test_standby.py", "tests/middleware/test_rate_limit.py"],
}
OTHER = {  # what an operator becomes
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


def main() -> int:
    """Try a sample of the changes; print those that nothing noticed, and the share of the others."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {RULES} (those with tests named here)")
    parser.add_argument("--each", type=int, default=12, help="changes tried in each module (12)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chosen, tried, killed = random.Random(given.seed), 0, 0
    with tempfile.TemporaryDirectory(prefix="nexus-mutants-") as name:
        field = Path(name)
        for part in ("nexus_middleware", "tests", "pyproject.toml"):
            source = ROOT / part
            shutil.copytree(source, field / part) if source.is_dir() else shutil.copy(source, field)
        for module in given.modules or sorted(TESTS):
            mutants = [*changed((ROOT / RULES / f"{module}.py").read_text())]
            sample = chosen.sample(mutants, min(given.each, len(mutants)))
            lived = [what for what, text in sample if not noticed(field, module, text)]
            tried, killed = tried + len(sample), killed + len(sample) - len(lived)
            print(f"{module}: {len(sample) - len(lived)} of {len(sample)} noticed, {len(mutants)} known", flush=True)
            for what in lived:
                print(f"  {RULES}/{module}.py:{what}", flush=True)
    print(f"{killed} of {tried}: {killed / max(1, tried):.0%}")
    return 0


def changed(text: str) -> Iterator[tuple[str, str]]:
    """Yield each change of a module: where and what, and the whole text with it."""
    tree = ast.parse(text)
    places = [*ast.walk(tree)]
    for number, node in enumerate(places):
        for what in _changes(node):
            mutant = copy.deepcopy(tree)
            told = what([*ast.walk(mutant)][number])
            yield f"{getattr(node, 'lineno', 0)}: {told}", ast.unparse(mutant)


def _changes(node: ast.AST) -> list:
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in OTHER:
        return [_operator]
    if isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in OTHER:
        return [_operator]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return [_positive]
    if isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value < 1_000:
        return [_more]
    return []


def _operator(node) -> str:
    before = ast.unparse(node)
    if isinstance(node, ast.Compare):
        node.ops = [OTHER[type(node.ops[0])]()]
    else:
        node.op = OTHER[type(node.op)]()
    return f"{before}  ->  {ast.unparse(node)}"


def _positive(node) -> str:
    before = ast.unparse(node)
    node.op = ast.Not()
    node.operand = ast.UnaryOp(ast.Not(), node.operand)
    return f"{before}  ->  {ast.unparse(node)}"


def _more(node) -> str:
    node.value += 1
    return f"{node.value - 1}  ->  {node.value}"


def noticed(field: Path, module: str, text: str) -> bool:
    """Whether a test of `module` fails if it is `text`."""
    path = field / RULES / f"{module}.py"
    before = path.read_text()
    own = field / "tests" / "rules" / f"test_{module}.py"
    files = [str(path), *([str(own)] if own.exists() else []), *[str(field / each) for each in TESTS.get(module, [])]]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *files]
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(field), "HYPOTHESIS_PROFILE": "default"}
    path.write_text(text)
    try:
        ran = subprocess.run(command, cwd=field, env=env, capture_output=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        return True
    finally:
        path.write_text(before)
    return ran.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
