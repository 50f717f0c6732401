"""Settings: what the environment may say, and what is told when it says something else."""

import pytest

from nexus_middleware import Settings, SettingsError


def test_values_are_read_as_their_kind():
    told = {"NEXUS_BODY_LIMIT": "1024", "NEXUS_DENY": "192.0.2.0/24, 198.51.100.1", "NEXUS_OFF": "yes", "HOME": "/"}
    settings = Settings.from_env({**told, "NEXUS_LOG_LEVEL": "debug"})
    assert settings == Settings(body_limit=1024, deny=("192.0.2.0/24", "198.51.100.1"), off=True, log_level="debug")


def test_a_redis_url_stands_in_for_the_store_and_never_wins_over_it():
    assert Settings.from_env({"REDIS_URL": "redis://a"}).store == "redis://a"
    assert Settings.from_env({"REDIS_URL": "redis://a", "NEXUS_STORE": "redis://b"}).store == "redis://b"


def test_a_name_that_is_nearly_one_of_ours_is_an_error_that_names_it():
    with pytest.raises(SettingsError, match=r"unknown setting NEXUS_RATE_LIMITS: did you mean NEXUS_RATE_LIMIT\?"):
        Settings.from_env({"NEXUS_RATE_LIMITS": "10/second"})


def test_a_name_that_is_none_of_ours_is_one_warning():
    with pytest.warns(UserWarning, match="NEXUS_REPOSITORY_PASSWORD is not a setting"):
        Settings.from_env({"NEXUS_REPOSITORY_PASSWORD": "x"})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"NEXUS_BODY_LIMIT": "10MB"}, "NEXUS_BODY_LIMIT='10MB' must be a whole number"),
        ({"NEXUS_BODY_LIMIT": "0"}, "body_limit is in bytes and must be above 0, not 0"),
        ({"NEXUS_OFF": "perhaps"}, "NEXUS_OFF='perhaps' must be true or false"),
        ({"NEXUS_LOG_LEVEL": "loud"}, "log_level='loud' must be one of"),
        ({"NEXUS_NAMESPACE": "a:b"}, "namespace='a:b' must be a plain name"),
        ({"NEXUS_DASHBOARD_PATH": "admin/"}, "dashboard_path='admin/' must be a path"),
        ({"NEXUS_ADMIN_TOKENS": "ada=x,hunter2"}, "admin_tokens: entry 2 must be name=token or name:read_only=token"),
        ({"NEXUS_ADMIN_TOKENS": "ada:write=hunter2"}, "admin_tokens: entry 1 must be"),
        ({"NEXUS_ADMIN_TOKENS": "ada=x,ada:read_only=y"}, "admin_tokens: two have the same name"),
        ({"NEXUS_ALLOW": "10.0.0.0/8", "NEXUS_TRUSTED_PROXIES": "*"}, "lets everyone claim an address"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_would(given, told):
    with pytest.raises(SettingsError) as error:
        Settings.from_env(given)
    assert told in str(error.value) and "hunter2" not in str(error.value)


def test_lists_of_origins_and_keys_are_read():
    told = {"NEXUS_CORS_ORIGINS": "https://a.example, https://b.example", "NEXUS_API_KEYS": "one,two"}
    settings = Settings.from_env(told)
    assert (settings.cors_origins, settings.api_keys) == (("https://a.example", "https://b.example"), ("one", "two"))


@pytest.mark.parametrize("text", ["", " ", ","])
def test_keys_that_are_set_to_nothing_do_not_open_what_they_close(text):
    with pytest.raises(SettingsError, match="NEXUS_API_KEYS is set and has no key"):
        Settings.from_env({"NEXUS_API_KEYS": text})


def test_no_secret_is_shown():
    settings = Settings(
        api_keys=("hush",), admin_token="hush", store="redis://:hush@host", smtp_url="smtp://u:hush@host"
    )
    assert "hush" not in repr(settings)
