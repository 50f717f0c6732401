"""APIKey: keys that end on a day or at a time."""

from datetime import UTC, datetime

import pytest

from nexus_middleware import APIKey, RequestLogger
from nexus_middleware.middleware.security_log import SecurityLog
from tests.helpers import Origin
from tests.middleware.test_api_key import HASHED, KEY, OTHER, bring

LAST_DAY = datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("2027-01-31", LAST_DAY),
        ("2027-01-31T23:59:59Z", LAST_DAY - 1),
        ("2027-02-01T00:30+00:30", LAST_DAY),
        ("2027-02-01T00:00", LAST_DAY),
    ],
)
@pytest.mark.parametrize("given", ["list", "mapping", "file"])
def test_a_key_opens_until_its_last_day_or_time_and_one_without_for_good(door, tmp_path, clock, given, until, last):
    texts = [f"shop={HASHED}  until {until}", "a plain key"]
    (tmp_path / "keys").write_text("\n".join([f"{texts[0]}  # of the partner", texts[1]]))
    keys = {
        "list": texts,
        "mapping": {"shop": f"{HASHED} until {until}", "x": "a plain key"},
        "file": [tmp_path / "keys"],
    }[given]
    app = APIKey(door.app(Origin()), keys, clock=clock)
    seen = []
    for clock.now in (last, last + 1, last + 1e9):
        seen += [bring(door, app, key).status for key in (OTHER, "a plain key")]
    assert seen == [200, 200, 401, 200, 401, 200]


def test_an_expired_key_is_told_what_a_wrong_one_is_and_the_log_tells_them_apart(door, clock):
    events, lines = [], []
    inner = APIKey(door.app(Origin()), {"shop": f"{KEY} until 2001-01-01"}, clock=lambda: 1e9)
    app = RequestLogger(SecurityLog(inner, record=events.append), log=lines.append)
    seen = [bring(door, app, key) for key in (KEY, "wrong", None)]

    assert len({(x.status, x.body, tuple(x.pairs)) for x in seen}) == 1
    assert [event.detail for event in events] == ["key shop has expired", "unknown key", "no key"]
    assert {event.kind for event in events} == {"bad_key"}
    assert KEY not in repr(events)
    assert [line.caller for line in lines] == ["", "", ""]


def test_the_new_key_of_a_name_opens_after_the_old_one_has_expired(door, clock):
    app = APIKey(door.app(Origin()), {"shop": ["old key until 2027-01-31", "new key"]}, clock=clock)
    clock.now = LAST_DAY + 1
    assert [bring(door, app, key).status for key in ("old key", "new key")] == [401, 200]
