"""Settings are read once, and what is wrong is refused by name."""

from pathlib import Path

import pytest

from actors import settings
from actors.callbacks.signature import key
from actors.settings import Settings, SettingsError

NO_FILE = Path("/nonexistent/.env")


def test_defaults() -> None:
    """Without any variable the documented defaults hold."""
    assert settings.load({}, NO_FILE) == Settings()
    assert Settings().port == 5002


def test_environment_wins_over_file(tmp_path: Path) -> None:
    """A variable in the environment overrides the same one in `.env`; others of the file hold."""
    file = tmp_path / ".env"
    file.write_text("ASR_PORT=6001\nASR_INSTANCES=2\n")

    loaded = settings.load({"ASR_PORT": "6002", "HOME": "/"}, file)

    assert (loaded.port, loaded.instances) == (6002, 2)


def test_unknown_name_is_refused() -> None:
    """A misspelt variable is named, and the right names are listed."""
    with pytest.raises(SettingsError, match=r"ASR_PROT is not a setting.*ASR_PORT"):
        settings.load({"ASR_PROT": "1"}, NO_FILE)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("ASR_PORT", "70000", "from 1 to 65535"),
        ("ASR_PORT", "http", "whole number"),
        ("ASR_INSTANCES", "0", "from 1 to 64"),
        ("ASR_DEVICES", "gpu1", "auto"),
        ("ASR_LOG_LEVEL", "loud", "one of debug, error, info, warning"),
        ("ASR_CALLBACK_PRIVATE", "perhaps", "true or false"),
    ],
)
def test_bad_value_is_refused(name: str, value: str, allowed: str) -> None:
    """The message names the variable, the value and what is allowed."""
    with pytest.raises(SettingsError) as refused:
        settings.load({name: value}, NO_FILE)

    assert f"{name}={value!r}" in str(refused.value)
    assert allowed in str(refused.value)


def test_a_refused_url_is_not_repeated() -> None:
    """It may hold a password."""
    with pytest.raises(SettingsError) as refused:
        settings.load({"ASR_REDIS_URL": "http://:s3cret@host"}, NO_FILE)

    assert "s3cret" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("secret", ["s3cret", "whsec_", "whsec_s3cret", f"whsec_{'s3cr' * 7}", "s3cr" * 8])
def test_a_refused_secret_is_not_repeated(secret: str) -> None:
    """A signature needs a key of 24 bytes or more, and what was tried may be a part of it."""
    with pytest.raises(
        SettingsError, match=r"ASR_CALLBACK_SECRET is not allowed; it is .*`whsec_`"
    ) as refused:
        settings.load({"ASR_CALLBACK_SECRET": secret}, NO_FILE)

    assert "s3cr" not in str(refused.value)


@pytest.mark.parametrize("end", ["", "Zg==", "Zg", "Zm8=", "Zm8", "Zm9v"])
def test_secrets_as_base64(end: str) -> None:
    """Padded or not, as the tools make them."""
    secret = "whsec_" + "s3+/" * 8 + end

    assert key(settings.load({"ASR_CALLBACK_SECRET": secret}, NO_FILE).callback_secret)


def test_the_largest_upload_must_fit() -> None:
    """Otherwise it would be told to come again for ever."""
    with pytest.raises(SettingsError, match="ASR_MAX_SPOOL_MB=100 is less than ASR_MAX_UPLOAD_MB=500"):
        settings.load({"ASR_MAX_SPOOL_MB": "100"}, NO_FILE)


def test_the_key_of_the_load_test_is_no_setting() -> None:
    """It is exported where the service is another one."""
    assert settings.load({"ASR_LOADTEST_KEY": "qk_0"}, NO_FILE) == Settings()


@pytest.mark.parametrize("name", ["asr_port", "Asr_Port"])
def test_names_are_upper_case(name: str) -> None:
    """A name that only looks right is refused, not ignored."""
    with pytest.raises(SettingsError, match=f"{name} is not a setting"):
        settings.load({name: "6001"}, NO_FILE)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"# mine\nASR_PORT 5301\n", "line 2: expected NAME=value"), (b"ASR_PORT=\xff\n", "UTF-8")],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes, said: str) -> None:
    """It is refused by name and line, so that nothing is silently left at its default."""
    file = tmp_path / ".env"
    file.write_bytes(content)

    with pytest.raises(SettingsError, match=said):
        settings.load({}, file)


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    """As Docker makes one where the file to be mounted is missing."""
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        settings.load({}, tmp_path)


@pytest.mark.parametrize("keys", ["secret-1", "ann:secret-1,bob:secret-2", "a.b-c_d:!?=/+secret"])
def test_api_keys(keys: str) -> None:
    """With and without names."""
    assert settings.load({"ASR_API_KEYS": keys}, NO_FILE).api_keys == keys


@pytest.mark.parametrize(
    "keys", ["short", "ann:short", "a b:secret-1", "ann:secret-1,", "geheim-ö-1", "a:b:secret-1"]
)
def test_bad_api_keys(keys: str) -> None:
    """They are refused without being repeated: the rest of them may be secret."""
    with pytest.raises(SettingsError) as refused:
        settings.load({"ASR_API_KEYS": keys}, NO_FILE)
    assert keys not in str(refused.value)
    assert "ASR_API_KEYS" in str(refused.value)


@pytest.mark.parametrize("public", ["", "page", "metrics,stats", "page,metrics,stats,monitoring"])
def test_what_is_public(public: str) -> None:
    """Any of what can be shown to everyone."""
    assert settings.load({"ASR_PUBLIC": public}, NO_FILE).public == public


@pytest.mark.parametrize("public", ["all", "jobs", "page,", "page metrics", "logs", "PAGE"])
def test_what_cannot_be_public(public: str) -> None:
    """It is named, and so is what can be."""
    with pytest.raises(SettingsError, match=f"ASR_PUBLIC='{public}' is not allowed.*`monitoring`"):
        settings.load({"ASR_PUBLIC": public}, NO_FILE)


@pytest.mark.parametrize(("there", "missing"), [("CERT", "KEY"), ("KEY", "CERT")])
def test_certificate_and_key_come_together(there: str, missing: str) -> None:
    """One alone would be a service without TLS whose operator believes that it has it."""
    with pytest.raises(SettingsError, match=f"ASR_TLS_{there} is set and ASR_TLS_{missing} is not"):
        settings.load({f"ASR_TLS_{there}": "file.pem"}, NO_FILE)


def test_a_key_is_one_callers() -> None:
    """Of two names the second would take the place of the first."""
    with pytest.raises(SettingsError, match="twice"):
        settings.load({"ASR_API_KEYS": "ann:secret-1,bob:secret-1"}, NO_FILE)
