"""The short form of `make soak`."""

import pytest

from .run import soak


@pytest.mark.timeout(300)
def test_half_a_minute_of_mixed_traffic_and_faults_leaves_nothing_behind_and_miscounts_nothing(tmp_path):
    report = soak(tmp_path, 30, seed=7)

    told = [goal for goal in report.goals if "each minute" not in goal.name]  # it takes minutes to see a slope
    assert len(told) == 7
    assert [goal.line() for goal in told if not goal.met] == [], "\n".join(report.lines())
