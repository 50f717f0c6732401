"""The academy's pages, as HTML in which everything from elsewhere is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import Any

FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} · The Academy</title><link rel="stylesheet" href="/static/style.css">
<link rel="icon" href="/static/icon.svg"></head>
<body><header><a class="home" href="/">The Academy</a>
<nav><a href="/courses">Courses</a> <a href="/login">Sign in</a> <a href="/mail/read">Mail</a>
<a href="/try">Try it</a> <a href="/admin/infrastructure/">Dashboard</a></nav></header>
<main><h1>{title}</h1>
{body}
</main><footer>Rendered at {time}. A page from the cache keeps the time at which it was made.</footer></body></html>
"""
TRIES = [
    (
        "/courses",
        "Response cache",
        "Load it twice: the second answer keeps the time in the footer, and says so in Cache-Status.",
    ),
    ("/login", "Rate limit", "Five tries in 15 minutes, then 429. All other pages together have 100 a minute."),
    ("/checkout", "Job queue", "Buy a course: the answer is there at once, and a worker sends the mail."),
    ("/mail/read", "Mail", "What the worker has sent; nothing leaves this machine."),
    ("/upload", "Content", "Hand in a picture: a worker makes a thumbnail. More than 500 KiB are refused with 413."),
    ("/account", "Inbox", "Sign in and buy a course: a message waits for you, from the notifications queue."),
    ("/report", "Analytics", "A slow report, with what the worker calculated: users, sales, the funnel, revenue."),
    (
        "/courses?q=1%27+or+%27a%27=%27a",
        "Input guard",
        "A search that looks like SQL injection: it is refused with 400. O'Hara may search.",
    ),
    ("/broken", "Errors", "A page that fails: the answer is a 500 with all headers, and the log has the traceback."),
    (
        "/admin/infrastructure/",
        "Dashboard",
        "The numbers of this very traffic. Block your address, and see who gets 403.",
    ),
]


def page(title: str, body: str) -> str:
    now = datetime.now().astimezone().strftime("%H:%M:%S")
    return FRAME.format(title=escape(title), body=body, time=now)


def welcome() -> str:
    return page("Learn something today", "<p>Six short courses. <a class='button' href='/courses'>See them</a></p>")


def courses(found: Iterable[dict[str, Any]]) -> str:
    cards = [
        f"<li><h2><a href='/courses/{course['id']}'>{escape(course['title'])}</a></h2>"
        f"<p>{escape(course['summary'])}</p><p class='soft'>{escape(course['teacher'])} · {_money(course['cents'])}</p></li>"
        for course in found
    ]
    return page("Courses", f"<ul class='cards'>{''.join(cards)}</ul>")


def course(found: dict[str, Any]) -> str:
    rows = "".join(
        f"<li><a href='/courses/{found['id']}/lessons/{each['number']}'>{escape(each['title'])}</a>"
        f" <span>{each['minutes']} min</span></li>"
        for each in found["lessons"]
    )
    return page(
        found["title"],
        f"<p>{escape(found['summary'])}</p><ol class='lessons'>{rows}</ol>"
        f"<p><a class='button' href='/checkout?course={found['id']}'>Buy for {_money(found['cents'])}</a></p>",
    )


def lesson(found: dict[str, Any]) -> str:
    return page(
        found["title"],
        f"<p>Lesson {found['number']} of {escape(found['course'])}, {found['minutes']} minutes.</p>"
        f"<p><a class='button' href='/checkout?course={found['course_id']}'>Buy the whole course</a></p>",
    )


def login(told: str = "", email: str = "", password: str = "") -> str:
    return page(
        "Sign in",
        f"{_note(told)}<form method='post'><label>E-mail <input name='email' type='email' required"
        f" value='{escape(email)}'></label><label>Password <input name='password' type='password' required"
        f" value='{escape(password)}'></label><button>Sign in</button></form>",
    )


def account(email: str, bought: list[dict[str, Any]], messages: list[Any], *, member: bool) -> str:
    rows = "".join(f"<li>{escape(each['title'])} <span>{escape(each['at'])}</span></li>" for each in bought)
    news = "".join(
        f"<article><h3>{'' if each.read else '● '}<a href='{escape(each.action_url)}'>{escape(each.title)}</a></h3>"
        f"<p>{escape(each.message)}</p></article>"
        for each in messages
    )
    membership = "End the membership" if member else "All courses for € 19.00 a month"
    return page(
        f"Hello, {email}",
        f"<h2>Your courses</h2><ul>{rows or '<li>None yet.</li>'}</ul>"
        f"<form method='post' action='/membership'><button>{membership}</button></form>"
        f"<h2>Your messages</h2>{news or '<p>None yet. One comes a moment after a checkout.</p>'}",
    )


def checkout(found: list[dict[str, Any]], chosen: str) -> str:
    options = "".join(
        f"<option value='{each['id']}'{' selected' if str(each['id']) == chosen else ''}>{escape(each['title'])}</option>"
        for each in found
    )
    return page(
        "Checkout",
        "<form method='post'><label>E-mail <input name='email' type='email' required></label>"
        f"<label>Course <select name='course_id'>{options}</select></label><button>Buy</button></form>",
    )


def bought(order: int, told: str) -> str:
    return page("Thank you", f"<p>Order {order} is yours.</p>{_note(told)}<p><a href='/mail/read'>See the mail</a></p>")


def mail(found: list[dict[str, Any]]) -> str:
    rows = "".join(
        f"<article><h2>{escape(each['subject'])}</h2><p class='soft'>to {escape(each['to'])}, {escape(each['at'])}</p>"
        f"<pre>{escape(each['text'])}</pre></article>"
        for each in found
    )
    return page("Mail", rows or "<p>No mail yet. It comes a moment after a checkout.</p>")


def upload(told: str = "") -> str:
    form = "<form method='post' enctype='multipart/form-data'><input type='file' name='file' required>"
    hint = "<p>A picture, a film, a recording or a PDF, of at most 500 KiB.</p>"
    return page("Hand in your work", f"{_note(told)}{hint}{form}<button>Send</button></form>")


def uploaded(name: str, files: list[str]) -> str:
    rows = "".join(f"<li><a href='/upload/{name}/{escape(each)}'>{escape(each)}</a></li>" for each in files)
    waiting = "<p>The worker is looking at it. <a href=''>Look again</a></p>"
    return page("Your work", f"<ul>{rows}</ul>" if rows else waiting)


def report(rows: list[dict[str, Any]], results: list[Any]) -> str:
    body = "".join(
        f"<tr><td>{escape(row['title'])}<td>{row['sold']}<td>{_money(row['cents'] or 0)}</tr>" for row in rows
    )
    found = "".join(
        f"<tr><td>{escape(each.period)}<td>{escape(each.metric)}<td><code>{escape(str(each.value)[:300])}</code></tr>"
        for each in results
    )
    return page(
        "What was sold",
        f"<table><tr><th>Course<th>Sold<th>Income</tr>{body}</table><h2>What the worker calculated</h2>"
        f"<table><tr><th>Period<th>Metric<th>Value</tr>{found or '<tr><td colspan=3>Nothing yet.</tr>'}</table>"
        "<form method='post'><button>Calculate now</button></form>",
    )


def tries() -> str:
    rows = "".join(f"<li><h2><a href='{path}'>{name}</a></h2><p>{text}</p></li>" for path, name, text in TRIES)
    return page("What to try", f"<ul class='cards'>{rows}</ul>")


def missing() -> str:
    return page("Not found", "<p>There is no such page. <a href='/courses'>All courses</a></p>")


def _note(told: str) -> str:
    return f"<p role='status' class='note'>{escape(told)}</p>" if told else ""


def _money(cents: int) -> str:
    return f"€ {cents / 100:.2f}"
