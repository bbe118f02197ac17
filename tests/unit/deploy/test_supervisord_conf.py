"""The configuration of supervisord."""

import configparser

from deploy.leftovers import MODULES
from deploy.paths import SUPERVISORD_CONF


def test_redis_is_stopped_last_and_the_api_first() -> None:
    """Groups are stopped from the highest priority to the lowest."""
    conf = _read()

    order = sorted(
        ("group:workers", "program:api", "program:redis"), key=lambda s: conf.getint(s, "priority")
    )

    assert order == ["program:redis", "group:workers", "program:api"]


def test_every_program_is_restarted_and_its_log_bounded() -> None:
    """What dies comes back for ever, and no log fills the disk."""
    conf = _read()
    for section in filter(lambda name: name.startswith("program:"), conf.sections()):
        assert conf.getboolean(section, "autorestart"), section
        assert conf.getint(section, "startretries") > 100_000, section
        assert conf.getint(section, "stopwaitsecs") == 30, section
        assert conf.get(section, "stdout_logfile_maxbytes") == "10MB", section


def test_an_orphan_of_every_program_would_be_recognised() -> None:
    """The modules that supervisord starts are those that `leftovers` knows."""
    conf = _read()
    commands = [conf.get(s, "command").split() for s in conf.sections() if s.startswith("program:")]

    modules = {command[command.index("-m") + 1] for command in commands if "-m" in command}

    assert modules | {"supervisor.supervisord"} == MODULES


def test_nothing_listens_on_the_network() -> None:
    """Only the unix socket controls supervisord."""
    assert "inet_http_server" not in _read()


def _read() -> configparser.RawConfigParser:
    conf = configparser.RawConfigParser()
    conf.read(SUPERVISORD_CONF)
    return conf
