"""Google's csp_evaluator on the policies that are sent; it runs on the node inside of the playwright wheel."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import playwright
import pytest

from nexus_middleware import SecurityHeaders
from nexus_middleware.admin.page import CSP

NODE = Path(playwright.__file__).parent / "driver" / "node"
EVALUATOR = Path(__file__).parents[1] / "vendor" / "csp_evaluator.mjs"
PROGRAM = """
import { CspEvaluator, CspParser } from %r;
const found = new CspEvaluator(new CspParser(process.argv[1]).csp).evaluate();
console.log(JSON.stringify(found.map(f => [f.severity, f.directive, f.value ?? ""])));
"""
HIGH = 10
NONCE = "bm9uY2Ugb2YgMTI4IGJpdHM"


def evaluate(policy):
    command = [NODE, "--input-type=module", "-e", PROGRAM % str(EVALUATOR), policy]
    return json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)


def policy(preset, **notes):
    request = SimpleNamespace(path="/", mount="", scheme="https", notes=notes)
    return SecurityHeaders(None, preset=preset).lines(request)["content-security-policy"]


def test_a_policy_that_is_weak_is_found_so_the_evaluator_works():
    assert min(severity for severity, *_ in evaluate("script-src 'unsafe-inline' *")) == HIGH


@pytest.mark.parametrize(
    "sent",
    [policy("api"), policy("strict"), policy("strict", csp_nonce=NONCE), CSP.format(nonce=NONCE)],
    ids=["api", "strict", "strict with a nonce", "the dashboard"],
)
def test_nothing_is_found_in_it(sent):
    assert evaluate(sent) == []
