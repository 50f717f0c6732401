"""The inbox: what waits, what was read, what is the same message, and what is refused."""

import pytest

from nexus_middleware import SettingsError
from nexus_middleware.services.notifications import Inbox


@pytest.fixture
def inbox(redis_url):
    return Inbox(redis_url)


def note(inbox, number, user="ann", **more):
    return inbox.add(user, type="course", title=f"Lesson {number}", message="It is there.", **more)


def titles(inbox, **more):
    return [x.title for x in inbox.messages("ann", **more)]


def test_the_newest_message_comes_first_and_is_unread(inbox):
    note(inbox, 1, action_url="/courses/1")
    note(inbox, 2)

    newest, oldest = inbox.messages("ann")
    assert (newest.title, newest.read, oldest.action_url) == ("Lesson 2", False, "/courses/1")
    assert inbox.unread("ann") == 2
    assert inbox.unread("bob") == 0


def test_a_message_with_a_key_comes_once(inbox):
    assert [bool(note(inbox, 1, key="lesson-1")) for _ in range(3)] == [True, False, False]
    assert inbox.unread("ann") == 1


def test_what_was_read_stays_read_and_what_comes_after_is_new(inbox):
    ids = [note(inbox, n) for n in range(3)]

    assert inbox.mark_read("ann", [ids[1], ids[1], "1-1"]) == 1
    assert [x.read for x in inbox.messages("ann")] == [False, True, False]
    assert inbox.mark_all_read("ann") == 2
    assert inbox.mark_read("ann", ids) == 0
    note(inbox, 3)
    assert [x.read for x in inbox.messages("ann")] == [False, True, True, True]
    assert inbox.unread("ann") == 1


def test_an_inbox_keeps_its_newest_200_and_no_marks_of_others(inbox, redis_server):
    ids = [note(inbox, n, key=f"lesson-{n}") for n in range(10)]
    inbox.mark_read("ann", ids)

    for n in range(10, 212):
        note(inbox, n)

    assert len(inbox.messages("ann", count=500)) == 200
    assert inbox.unread("ann") == 200
    assert [*redis_server.client.scan_iter("*:marks")] == []


def test_pages_follow_one_another(inbox):
    for n in range(5):
        note(inbox, n)

    first = inbox.messages("ann", count=2)
    assert [x.title for x in first] == ["Lesson 4", "Lesson 3"]
    assert titles(inbox, count=9, before=first[-1].id) == ["Lesson 2", "Lesson 1", "Lesson 0"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"action_url": "javascript:alert(1)"},
        {"action_url": "//evil.example"},
        {"action_url": "/\\evil.example"},
        {"action_url": "data:text/html,x"},
        {"action_url": "https://a b"},
        {"title": "x" * 201},
        {"message": "x" * 4001},
    ],
)
def test_what_a_page_must_not_show_is_refused(inbox, wrong):
    with pytest.raises(ValueError, match=r"action_url|characters"):
        inbox.add("ann", **{"type": "course", "title": "t", "message": "m", **wrong})
    assert inbox.messages("ann") == []


@pytest.mark.parametrize("before", ["", "1", "-", "x-1", "1-1 2", "$"])
def test_a_cursor_that_is_none_is_refused(inbox, before):
    with pytest.raises(ValueError, match="before="):
        inbox.messages("ann", before=before)


@pytest.mark.parametrize("user", ["", "x" * 257])
def test_a_user_that_is_none_is_refused(inbox, user):
    with pytest.raises(ValueError, match="user_id"):
        inbox.unread(user)


def test_keys_end_one_day_and_do_not_name_the_user(inbox, redis_server):
    note(inbox, 1, key="k")

    keys = [*redis_server.client.scan_iter()]
    assert len(keys) == 2
    assert all(b"ann" not in key and redis_server.client.ttl(key) > 0 for key in keys)


def test_an_inbox_needs_a_redis_and_says_so():
    with pytest.raises(SettingsError, match="NEXUS_STORE"):
        Inbox("memory://")


@pytest.mark.anyio
async def test_the_event_loop_has_twins(inbox):
    made = await inbox.aadd("ann", type="course", title="t", message="m")

    assert [x.id for x in await inbox.amessages("ann")] == [made]
    assert await inbox.aunread("ann") == 1
    assert await inbox.amark_read("ann", [made]) == 1
    assert await inbox.amark_all_read("ann") == 0
