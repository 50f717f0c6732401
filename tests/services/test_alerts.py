"""Alerts: told once, kept, told again when over, by one process for all, in an outage too."""

import json
import threading
import time

import pytest
from msgspec import structs

from nexus_middleware.errors import NexusError, SettingsError, StoreError
from nexus_middleware.rules.health import thresholds
from nexus_middleware.rules.webhooks import new_secret, verified
from nexus_middleware.runtime import Runtime
from nexus_middleware.services.jobs.registry import Permanent
from nexus_middleware.services.jobs.stats import QueueStats
from nexus_middleware.services.monitor import Monitor
from nexus_middleware.services.monitor.probes import CountProbe, HitProbe, QueueProbe, Value
from nexus_middleware.services.monitor.senders import by_mail, by_post
from nexus_middleware.services.webhooks import Unreachable
from nexus_middleware.settings import Settings
from nexus_middleware.stores.redis import RedisStore
from tests.services.handlers.conftest import desk, receiver

__all__ = ["desk", "receiver"]  # fixtures


class Desk:
    """Monitors on one clock, whose security check has the value that a test says."""

    def __init__(self, clock, *stores):
        self.clock, self.value, self.told = clock, 0.0, []
        self.monitors = [
            Monitor(store, clock=clock, thresholds=thresholds(["memory=off", "cpu=off"])) for store in stores
        ]
        for monitor in self.monitors:
            monitor.duty.probes.append(CountProbe("security", lambda: self.value))
            monitor.alerts.senders[:] = [lambda alert, event: self.told.append((event, alert.severity, alert.code))]

    def run(self, seconds, *, value=None):
        """Let time pass, and wait for the threads that send."""
        self.value = self.value if value is None else value
        for _ in range(seconds // 5):
            self.clock.now += 5
            for monitor in self.monitors:
                try:
                    monitor.tick(self.clock.now)
                except StoreError:
                    continue
        for thread in threading.enumerate():
            if thread.name == "nexus-alerts":
                thread.join(5)
        told, self.told[:] = [*self.told], []
        return told


@pytest.fixture
def three(redis_url, clock):
    stores = [RedisStore(redis_url, budget=5) for _ in range(3)]
    yield Desk(clock, *stores)
    for store in stores:
        store.close()


RAISED, CLEARED = ("raised", "warning", "security"), ("cleared", "warning", "security")


def test_three_processes_tell_of_an_alert_once_and_again_when_it_is_over(three):
    assert three.run(30) == []
    assert three.run(30, value=150) == [RAISED]
    assert three.run(600) == []
    assert three.run(60, value=0) == [CLEARED]
    assert three.run(60) == []


def test_what_comes_and_goes_is_no_storm_and_its_count_is_kept(three):
    told = []
    for value in (150, 0) * 4:
        told += three.run(30, value=value)
    assert told == [RAISED, CLEARED]
    (alert,) = three.monitors[1].history.alerts()["items"]
    assert (alert["code"], alert["count"], alert["until"] is None) == ("security", 4, False)


def test_what_gets_worse_is_told_and_what_gets_better_is_not(three):
    assert three.run(30, value=150) == [RAISED]
    assert three.run(30, value=5000) == [("raised", "critical", "security")]
    assert three.run(60, value=150) == []
    assert three.run(30, value=0) == [CLEARED]


def test_the_process_on_duty_dies_and_another_takes_over_without_a_word(three, redis_server):
    three.run(30)
    assert three.run(30, value=150) == [RAISED]
    leader = next(monitor for monitor in three.monitors if monitor.duty._leads)
    three.monitors.remove(leader)
    assert 0 < redis_server.client.pttl("nexus:1:monitor:leader") <= 15_000
    redis_server.client.delete("nexus:1:monitor:leader")  # as if those had passed: the server has its own clock
    assert three.run(60) == []
    assert any(monitor.duty._leads for monitor in three.monitors)
    assert three.run(30, value=0) == [CLEARED]


def test_a_muted_alert_is_kept_and_told_of_to_nobody(three):
    three.run(30, value=150)
    monitor = three.monitors[0]
    assert monitor.mute("security") is True
    assert monitor.mute("none") is False
    assert three.run(60, value=9000) == []
    assert three.run(60, value=0) == []
    assert three.monitors[2].history.alerts()["items"][0]["severity"] == "critical"


def test_a_redis_that_is_gone_is_told_of_once_and_when_it_is_back(own_server, clock):
    desk = Desk(clock, *[RedisStore(own_server.url, budget=5) for _ in range(3)])
    desk.run(30)
    own_server.stop()
    for monitor in desk.monitors:
        monitor.store._breaker._pause = 0  # the test's clock is not the breaker's
    assert desk.run(60) == [("raised", "warning", "redis")]
    own_server.start()
    assert desk.run(90) == [("cleared", "warning", "redis")]
    for monitor in desk.monitors:
        monitor.store.close()


def test_in_memory_a_process_looks_after_its_own_alerts(clock):
    desk = Desk(clock, None)
    desk.run(30)
    assert desk.run(30, value=150) == [RAISED]
    assert desk.monitors[0].history.alerts()["items"][0]["code"] == "security"


def test_a_sender_that_fails_holds_up_nobody(clock, caplog):
    desk = Desk(clock, None)

    @desk.monitors[0].alerts.on_alert
    def fails(alert, event):
        raise RuntimeError("no line to the pager")

    desk.run(30)
    assert desk.run(30, value=150) == [RAISED]
    assert "an alert could not be sent: security" in caplog.text


def stats(**changed):
    fields = dict.fromkeys(QueueStats.__struct_fields__, 0) | {"paused": False, "wait_p95": None, "run_p95": None}
    return QueueStats(**fields | changed)


def test_queues_are_judged_by_age_workers_and_failures():
    now = {"email": stats(waiting=3, oldest_wait_seconds=400.0, workers=2, completed=10)}
    now["paused"] = stats(waiting=9, oldest_wait_seconds=9000.0, paused=True)
    now["alone"] = stats(waiting=1, oldest_wait_seconds=5.0)
    probe = QueueProbe(lambda: now)

    first = probe(1000.0)
    assert first["queue_age"] == Value(400.0, "email")
    assert first["workers"] == Value(1.0, "alone")
    assert first["failed_jobs"] == Value(None, "")

    now["email"] = stats(completed=28, failed_total=2)
    assert probe(1060.0)["failed_jobs"] == Value(10.0, "email")
    assert probe(9000.0)["failed_jobs"].value is None


def test_the_hit_rate_is_of_the_last_five_minutes():
    counts = [(100, 0), (110, 40), (110, 40), (110, 40)]
    probe = HitProbe(lambda: counts.pop(0))
    assert [probe(at)["cache"].value for at in (0, 60, 290, 700)] == [None, 20.0, 20.0, None]


def alert_of(clock):
    desk = Desk(clock, None)
    kept = []
    desk.monitors[0].alerts.senders[:] = [lambda alert, event: kept.append((alert, event))]
    desk.run(30)
    desk.run(30, value=150)
    return kept[0]


def test_a_webhook_is_tried_three_times_and_its_id_stays(clock):
    posts = []

    def post(url, payload, secret, message_id):
        posts.append((url, payload, message_id))
        if len(posts) < 3:
            raise NexusError("not now")

    by_post(["https://hooks.example/a"], new_secret(), post, sleep=lambda seconds: None)(*alert_of(clock))

    assert len(posts) == 3
    assert len({message_id for *_, message_id in posts}) == 1
    assert json.loads(json.dumps(posts[0][1]))["data"]["code"] == "security"
    assert posts[0][1]["type"] == "alert.raised"


def test_webhooks_need_a_secret():
    with pytest.raises(SettingsError, match="alert_secret"):
        by_post(["https://hooks.example/a"], "", lambda *_: None)


def test_with_queues_a_worker_posts_it_once_and_the_secret_stands_nowhere_in_redis(desk, receiver, clock):
    secret, (alert, event) = new_secret(), alert_of(clock)
    settings = {"alert_webhooks": (receiver.url,), "alert_secret": secret}
    runtime = Runtime(Settings(store=desk.url, **settings))
    _, send = runtime.monitor.alerts.senders
    receiver.status = 503
    for _ in range(2):  # as two processes would, if both believed that it is theirs to do
        send(alert, event)
    queue = runtime.queues.board
    (job,) = queue.jobs("notifications-queue", "waiting").items
    payload = queue.job(job.id).payload
    runtime.close()

    assert receiver.got == [], "it was left to the worker"
    assert secret not in str(desk.client.hgetall(f"rq:job:{job.id}"))
    with pytest.raises(Unreachable):
        desk.run("alerts.send", payload, **settings)
    receiver.status = 200
    for _ in range(2):
        desk.run("alerts.send", payload, **settings)

    assert len(receiver.got) == 2, "once refused, and once taken"
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    headers, body = receiver.got[-1]
    assert verified(headers, body, secrets=(secret,), now=time.time())
    assert json.loads(body)["data"]["code"] == "security"


def test_what_the_queue_does_not_take_and_what_says_that_no_job_is_run_is_posted_at_once(clock, caplog):
    queued, posted = [], []

    def queue(payload, message_id):
        queued.append(message_id)
        raise StoreError("it is away")

    send = by_post(["https://hooks.example/a"], new_secret(), lambda *told: posted.append(told), queue=queue)
    alert, event = alert_of(clock)
    send(alert, event)
    assert (len(queued), len(posted)) == (1, 1)
    assert "without the queue" in caplog.text
    send(structs.replace(alert, code="workers"), event)
    assert (len(queued), len(posted)) == (1, 2)


def test_a_worker_that_is_told_of_no_receiver_says_what_to_set(desk):
    with pytest.raises(Permanent, match="NEXUS_ALERT_WEBHOOKS"):
        desk.run("alerts.send", {"message": {}, "message_id": "1"})


def test_e_mail_needs_queues_and_says_so_at_once():
    with pytest.raises(SettingsError, match="NEXUS_QUEUE_STORE"):
        assert Runtime(Settings(alert_email=("ada@example.org",))).monitor


def test_an_alert_is_mailed_through_the_queue_once(queues, clock):
    from nexus_middleware.services.queues import Queues

    made = Queues(queues.store, settings=Settings(store=queues.store.url, smtp_from="nexus@example.org"))
    send = by_mail(["ada@example.org"], made.queue_email)
    alert, event = alert_of(clock)
    send(alert, event)
    assert made.stats("email-queue").waiting == 1
    made.close()


def test_the_settings_say_who_hears_of_alerts_and_what_is_healthy(redis_url):
    from nexus_middleware import Nexus

    secret = new_secret()
    settings = Settings(
        store=redis_url,
        alert_webhooks=("https://hooks.example/a",),
        alert_secret=secret,
        alert_email=("ada@example.org",),
        health=("memory=70/90",),
    )
    monitor = Nexus(None, settings).monitor
    assert len(monitor.alerts.senders) == 3
    assert secret not in repr(settings)
    assert "hooks.example" not in repr(settings)
    with pytest.raises(SettingsError, match="memory=70/90"):
        Nexus(None, Settings(health=("memory=much",)))
    with pytest.raises(SettingsError, match="alert_secret"):
        Nexus(None, Settings(alert_webhooks=("https://hooks.example/a",)))
