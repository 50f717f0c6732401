"""Health: from values to verdicts that neither a moment's peak nor a moment's rest changes."""

import msgspec
import pytest

from nexus_middleware.errors import SettingsError
from nexus_middleware.rules.health import KNOWN, THRESHOLDS, Judge, Threshold, thresholds


def verdicts(threshold, samples):
    judge = Judge((threshold,))
    seen = []
    for now, value in samples:
        judge.sample({threshold.name: value}, now)
        seen.append(judge.checks()[0].status)
    return seen


CPU = Threshold("cpu", "CPU", "%", 80, 95, 60)


def test_a_peak_is_no_verdict_and_a_lasting_one_is():
    assert verdicts(CPU, [(0, 99), (59, 99), (60, 99)]) == ["healthy", "healthy", "unhealthy"]
    assert verdicts(CPU, [(0, 99), (30, 10), (60, 99), (100, 99)]) == ["healthy"] * 4


def test_it_is_well_again_after_two_good_samples():
    samples = [(0, 99), (60, 99), (61, 5), (62, 99), (63, 5), (64, 5)]
    assert verdicts(CPU, samples) == ["healthy", *["unhealthy"] * 4, "healthy"]


def test_what_was_unhealthy_may_be_degraded_first():
    samples = [(0, 99), (60, 99), (61, 85), (62, 85), (63, 5), (64, 5)]
    assert verdicts(CPU, samples)[1:] == ["unhealthy", "unhealthy", "degraded", "degraded", "healthy"]


@pytest.mark.parametrize("threshold", THRESHOLDS, ids=lambda x: x.name)
def test_each_threshold_holds_from_its_value_on(threshold):
    threshold = msgspec.structs.replace(threshold, on=True)
    for status, bar in (("degraded", threshold.degraded), ("unhealthy", threshold.unhealthy)):
        if abs(bar) == float("inf") or (status == "degraded" and bar == threshold.unhealthy):
            continue
        at, short = (bar - 0.01, bar) if threshold.low else (bar, bar - 0.01)
        seen = [verdicts(threshold, [(i * 30, value) for i in range(4)])[-1] for value in (at, short)]
        assert seen[0] == status
        assert seen[1] != status


def test_what_is_not_known_is_not_bad():
    judge = Judge((CPU,))
    judge.sample({"cpu": None}, 0)
    check = judge.checks()[0]
    assert (check.status, check.value, check.text) == ("healthy", None, "CPU: not measured yet")


def test_the_settings_change_thresholds_and_turn_checks_on_and_off():
    changed = {x.name: x for x in thresholds(["memory=70/90", "cpu=off", "cache=60/30"])}
    assert (changed["memory"].degraded, changed["memory"].hold) == (70, 30)
    assert (changed["cpu"].on, changed["cache"].on, changed["cache"].low) == (False, True, True)
    assert {x.name: x for x in KNOWN}["cache"].on is False
    assert "cpu" not in [check.name for check in Judge(tuple(changed.values())).checks()]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("memorry=1/2", "there are memory, cpu"),
        ("memory=high", "memory=70/90"),
        ("memory=90/70", "before it is degraded"),
        ("cache=30/60", "before it is degraded"),
    ],
)
def test_a_wrong_threshold_is_refused_with_what_would_do(word, said):
    with pytest.raises(SettingsError, match=said):
        thresholds([word])
