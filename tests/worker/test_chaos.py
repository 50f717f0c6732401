"""No job is lost: 300 jobs on five queues, 8 kill -9, and a Redis that is stopped twice."""

import pytest

from tests.chaos.ours import run


@pytest.mark.timeout(300)  # it takes some 60 s, and more on a machine that has much else to do
def test_no_job_is_lost_however_often_worker_and_redis_are_ended(tmp_path):
    told = run(tmp_path, jobs=300, kills=8, restarts=2, seconds=20.0)
    assert told.lost == (), told
    assert (told.kills, told.outages) == (8, 2), told
    assert told.jobs >= 300
    assert told.done + told.failed == told.jobs, told
    assert told.failed == told.failed_told == 6, told  # each that fails for good, counted and seen
    assert told.twice <= told.jobs * 0.01, told
    assert told.rescued_within <= 60, told
    assert told.again_within <= 60, told
    assert len(told.due_within) == len(told.late_within) == 2, told
    assert max(told.due_within) <= 5, told  # a retry that was due is in its queue
    assert max(told.late_within) <= 5, told  # and begins
