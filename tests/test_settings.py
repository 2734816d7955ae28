"""Settings: keys of older versions are read, named and never silently overruled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.errors import SettingsError
from pipeline.renamed_settings import RENAMED_KEYS, RenamedKey
from pipeline.settings import Settings, configs_folder, load_settings

OLD_FILE = """\
retries: 1
einvoices: ignore
limits: {attempts: 4, seconds: 60}
retry: {attempts: 5, minutes: 7, breaker: 8, engine_seconds: 900, deaths: 9}
intake: {quiet_seconds: 2, patience_seconds: 3, observer: polling}
server: {sees: false, attempts: 6}
ray: {ahead: 11, wait_seconds: 12}
"""
NEW_FILE = """\
read_einvoices: false
limits: {seconds: 60}
retry:
  {page_attempts: 5, wait_minutes: 7, answer_attempts: 2, reader_attempts: 4, stop_after_failures: 8, watchdog_seconds: 900,
   crash_attempts: 9}
intake: {unchanged_seconds: 2, wait_seconds: 3, change_detection: polling}
server: {accepts_images: false, request_attempts: 6}
ray: {units_per_actor: 11, timeout_seconds: 12}
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def settings_file(text: str) -> Path:
    path = Path("pipeline.yaml").resolve()
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_an_older_version_gives_the_same_settings_and_a_line_for_each_old_key() -> None:
    old, new = load_settings(settings_file(OLD_FILE)), load_settings(settings_file(NEW_FILE))
    assert old.model_dump() == new.model_dump()
    assert old.model_dump() != Settings().model_dump()
    assert new.deprecations == ()
    assert len(old.deprecations) == len(RENAMED_KEYS) == 15
    for renamed in RENAMED_KEYS:
        assert any(f"`{renamed.old}: " in line and f"is now `{renamed.new}: " in line for line in old.deprecations), renamed.old


def test_the_line_for_an_old_key_shows_the_new_key_with_its_value() -> None:
    path = settings_file("retries: 1\neinvoices: read\n")
    assert load_settings(path).deprecations == (
        f"{path}: `retries: 1` is now `retry.answer_attempts: 2`",
        f"{path}: `einvoices: read` is now `read_einvoices: true`",
    )


def test_old_environment_variables_are_read_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_RETRIES", "0")
    monkeypatch.setenv("PIPELINE_EINVOICES", "ignore")
    monkeypatch.setenv("PIPELINE_LIMITS__ATTEMPTS", "7")
    monkeypatch.setenv("PIPELINE_SERVER", '{"sees": false, "seconds": 9}')
    settings = load_settings()
    assert (settings.retry.answer_attempts, settings.retry.reader_attempts, settings.read_einvoices) == (1, 7, False)
    assert (settings.server.accepts_images, settings.server.seconds) == (False, 9)
    assert settings.deprecations == (
        "PIPELINE_RETRIES=0 is now PIPELINE_RETRY__ANSWER_ATTEMPTS=1",
        "PIPELINE_EINVOICES=ignore is now PIPELINE_READ_EINVOICES=false",
        "PIPELINE_LIMITS__ATTEMPTS=7 is now PIPELINE_RETRY__READER_ATTEMPTS=7",
        "`sees` in PIPELINE_SERVER is now PIPELINE_SERVER__ACCEPTS_IMAGES=false",
    )


@pytest.mark.parametrize("renamed", RENAMED_KEYS, ids=lambda renamed: renamed.old)
def test_an_old_key_beside_its_new_one_is_an_error_that_names_both(
    renamed: RenamedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    file: dict[str, Any] = {}
    for text, key in ((OLD_FILE, renamed.old), (NEW_FILE, renamed.new)):
        section, _, name = key.rpartition(".")
        values = yaml.safe_load(text)
        (file.setdefault(section, {}) if section else file)[name] = (values[section] if section else values)[name]
    path = settings_file(yaml.safe_dump(file))
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    assert f"`{renamed.old}`" in caught.value.message
    assert f"`{renamed.new}`" in caught.value.message

    path.unlink()
    variables = ["PIPELINE_" + key.replace(".", "__").upper() for key in (renamed.old, renamed.new)]
    for variable in variables:
        monkeypatch.setenv(variable, "1")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert all(variable in caught.value.message for variable in variables)


def test_the_environment_goes_before_the_file_also_with_an_old_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_RETRY__ATTEMPTS", "9")
    assert load_settings(settings_file("retry: {page_attempts: 2}")).retry.page_attempts == 9


@pytest.mark.parametrize("text", ["retries: many", "einvoices: maybe", "limits: {attempts: 0}", "retries: 2\nretry: 5"])
def test_a_wrong_value_under_an_old_key_is_still_an_error(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(settings_file(text))
    assert "retry" in caught.value.message or "read_einvoices" in caught.value.message


def test_sections_that_share_one_yaml_anchor_keep_their_own_keys() -> None:
    settings = load_settings(settings_file("limits: &shared {attempts: 4}\nretry: *shared"))
    assert (settings.retry.reader_attempts, settings.retry.page_attempts) == (4, 4)


def test_the_full_file_holds_only_todays_keys_and_the_defaults() -> None:
    full = load_settings(configs_folder() / "pipeline.yaml")
    assert full.deprecations == ()
    places = {"inbox", "outbox", "templates"}  # relative to the file
    assert full.model_dump(exclude=places) == Settings().model_dump(exclude=places)


@pytest.mark.parametrize("written", ["2", " 2", "+2", "2.0"])
def test_every_way_to_write_the_old_retries_gives_one_attempt_more(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("PIPELINE_RETRIES", written)
    assert load_settings(search=False).retry.answer_attempts == 3
