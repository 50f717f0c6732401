"""Django's settings, of which a process has one: what all tests that meet it share."""

import django
from django.conf import settings


def configured(urls: str = "") -> None:
    """Have Django ready, with the paths of the module `urls`."""
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            SECRET_KEY="for a test",
            LOGGING_CONFIG=None,
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        )
        django.setup()
    if urls:
        from django.urls import clear_url_caches

        settings.ROOT_URLCONF = urls
        clear_url_caches()
