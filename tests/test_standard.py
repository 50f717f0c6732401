"""The standard list of layers, edited by who uses it."""

import pytest

from nexus_middleware import CORS, BodyLimit, Nexus, RequestID, Settings, SettingsError, with_options
from tests.helpers import Answer, Origin

QUIET = {"log_level": "error"}


def test_options_of_one_layer_are_given_in_the_stack_and_its_settings_hold_beside_them(door):
    origin = Origin(lambda path, headers: Answer(reads=True))
    edit = with_options({BodyLimit: {"paths": {"/upload/*": 100}}})
    nexus = Nexus(door.app(origin), Settings(body_limit=10, **QUIET), layers=edit)

    def status(path):
        return door.get(nexus, path, method="POST", body=b"x" * 50).status

    assert [status("/"), status("/upload/a")] == [413, 200]
    nexus.runtime.close()


def test_a_layer_that_is_made_without_options_takes_them_too(door):
    nexus = Nexus(door.app(Origin()), Settings(**QUIET), layers=with_options({RequestID: {}}))
    assert "x-request-id" in door.get(nexus).headers
    nexus.runtime.close()


def test_the_server_s_timing_tells_of_layers_that_were_put_in(door):
    class Mine(RequestID):
        pass

    settings = Settings(server_timing=True, **QUIET)
    nexus = Nexus(door.app(Origin()), settings, layers=lambda standard: [*standard, Mine])
    assert "Mine" in door.get(nexus).headers["server-timing"]
    nexus.runtime.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({BodyLimit: {"path": {}}}, "BodyLimit has no option 'path': did you mean paths?"),
        ({BodyLimit: {"zoom": 1}}, "BodyLimit has no option 'zoom': it has limit, paths, mode"),
        ({BodyLimit: {"app": None}}, "BodyLimit has no option 'app'"),
        ({CORS: {"credentials": True}}, "CORS is not in the stack, so its options would do nothing"),
    ],
)
def test_an_option_that_would_do_nothing_is_told_when_the_stack_is_made(options, message):
    with pytest.raises(SettingsError) as told:
        Nexus(Origin().asgi, Settings(**QUIET), layers=with_options(options))
    assert message in str(told.value)
