"""Notifications: every channel, each receiver once, and one that is down keeps nobody waiting."""

import json
import time

import pytest

from nexus_middleware.rules.webhooks import verified
from nexus_middleware.services.jobs.registry import Permanent
from nexus_middleware.services.notifications import Inbox, Receivers
from nexus_middleware.services.webhooks import Unreachable

NOTE = {"user_id": "ann", "type": "course", "title": "A new lesson", "message": "It is there."}


def notify(desk, *channels, key="job-1", **more):
    note = {**NOTE, "channels": [*channels], **more}
    return desk.run("notifications.send", note, key=key, webhooks_private=True)


def test_a_message_in_the_app_comes_once_however_often_its_job_runs(desk):
    told = [notify(desk, "in-app", action_url="/courses/1") for _ in range(2)]

    assert [x["in-app"] for x in told] == ["delivered", "delivered before"]
    (message,) = Inbox(desk.url).messages("ann")
    assert (message.title, message.action_url) == ("A new lesson", "/courses/1")


def test_a_webhook_is_signed_and_posted_once(desk, receiver):
    hook = Receivers(desk.url).add_webhook("ann", receiver.url)

    told = [notify(desk, "webhook") for _ in range(2)]

    assert [x[hook.id] for x in told] == ["delivered", "delivered before"]
    ((headers, body),) = receiver.got
    assert verified(headers, body, secrets=(hook.secret,), now=time.time())
    assert json.loads(body)["data"]["title"] == "A new lesson"


def test_a_receiver_that_is_down_is_tried_again_and_the_others_are_served(desk, receiver):
    receivers = Receivers(desk.url)
    receivers.add_webhook("ann", receiver.url)
    receiver.status = 503

    with pytest.raises(Unreachable):
        notify(desk, "webhook", "in-app")
    assert Inbox(desk.url).unread("ann") == 1
    receiver.status = 200
    notify(desk, "webhook", "in-app")

    assert Inbox(desk.url).unread("ann") == 1
    first, second = [headers["webhook-id"] for headers, _ in receiver.got]
    assert first == second
    assert receivers.of("ann")[0].failures == 0


def test_a_receiver_that_is_gone_is_forgotten(desk, receiver):
    receivers = Receivers(desk.url)
    hook = receivers.add_webhook("ann", receiver.url)
    receiver.status = 410

    assert "refused" in notify(desk, "webhook")[hook.id]
    assert receivers.of("ann") == []


def test_a_receiver_that_failed_too_often_is_left_alone(desk, receiver):
    receivers = Receivers(desk.url)
    hook = receivers.add_webhook("ann", receiver.url)
    receiver.status = 404

    told = [notify(desk, "webhook", key=f"job-{n}")[hook.id] for n in range(13)]

    assert told[11].startswith("refused")
    assert told[12] == "switched off"
    assert len(receiver.got) == 12


def test_a_webhook_leads_nowhere_inside_unless_that_is_allowed(desk, receiver):
    hook = Receivers(desk.url).add_webhook("ann", receiver.url)

    told = desk.run("notifications.send", {**NOTE, "channels": ["webhook"]})

    assert "our own network" in told[hook.id]
    assert receiver.got == []


def test_an_e_mail_is_left_to_its_own_queue_once(desk):
    Receivers(desk.url).set_email("ann", "ann@example.org")

    for _ in range(2):
        notify(desk, "email")

    assert desk.queues.stats("email-queue").waiting == 1


def test_push_says_what_to_set(desk):
    keys = {"p256dh": "A" * 87, "auth": "A" * 22}
    browser = Receivers(desk.url).add_push("ann", {"endpoint": "https://push.example/x", "keys": keys})

    assert "NEXUS_VAPID_KEY" in notify(desk, "push")[browser.id]


def test_a_user_without_a_receiver_is_no_failure(desk):
    assert "nobody" in notify(desk, "webhook")["webhook"]


@pytest.mark.parametrize(
    "wrong",
    [{"channels": ["pigeon"]}, {"channels": []}, {"action_url": "javascript:x"}, {"title": "x" * 201}, {"user_id": ""}],
)
def test_what_can_never_be_shown_fails_for_good(desk, wrong):
    with pytest.raises(Permanent):
        desk.run("notifications.send", {**NOTE, **wrong})
