"""Names of objects as local paths: they come back without loss, and never lie outside their folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.object_urls import is_url, local_folder, local_path, outbox_folder, outbox_url, parse_store_url, url_of
from pipeline.remote.objects import result_name

OBJECTS = Path("/state/objects")
odd = st.sampled_from(
    ["", ".", "..", "a", "%", "%2E", "%-", "é", "\\", "a" * 200, "\x00", "..\\..", "name.pdf", "~", "\n", "雨" * 90]
)
keys = st.one_of(
    st.text(min_size=1), st.lists(odd, min_size=1, max_size=8).map("/".join), st.lists(odd, min_size=1, max_size=8).map("".join)
).filter(lambda key: key and not key.endswith("/"))


@given(keys)
@example("a" * 200 + "..")
@example("../../etc/passwd")
@example("/etc/passwd")
def test_a_key_is_a_path_in_its_folder_and_comes_back(key: str) -> None:
    url = f"s3://bucket/{key}"
    path = local_path(OBJECTS, url)
    assert url_of(OBJECTS, path) == url
    assert ".." not in path.parts
    assert Path(*path.parts).is_relative_to(OBJECTS / "s3")
    assert all(len(part.encode(errors="surrogatepass")) <= 255 and "\x00" not in part for part in path.parts)


@given(keys, keys)
def test_no_object_stands_where_another_one_has_its_folder(one: str, other: str) -> None:
    path, further = local_path(OBJECTS, f"s3://b/{one}"), local_path(OBJECTS, f"s3://b/{other}")
    assert (path == further) == (one == other)
    assert path not in further.parents


@given(keys)
def test_results_lie_in_the_outbox(key: str) -> None:
    name = result_name(key)
    assert not name.startswith("/")
    assert {"", ".", ".."}.isdisjoint(name.split("/"))
    assert len(name.encode()) < 900
    assert "\x00" not in name


def test_ordinary_keys_are_named_as_files_are() -> None:
    assert result_name("2025/März/50 % off (1).pdf") == "2025/März/50 % off (1).pdf"


@pytest.mark.parametrize("url", ["s3://bucket", "gs://bucket/a/b", "abfs://box@account.dfs.core.windows.net/x"])
def test_the_url_of_a_folder_comes_back(url: str) -> None:
    assert url_of(OBJECTS, local_folder(OBJECTS, url)) == url
    assert outbox_url(OBJECTS, outbox_folder(OBJECTS, url)) == url


def test_an_outbox_inside_of_another_ones_url_is_no_part_of_it() -> None:
    outer, inner = outbox_folder(OBJECTS, "s3://b/x"), outbox_folder(OBJECTS, "s3://b/x/y")
    assert not inner.is_relative_to(outer)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("S3://bucket//a/b/", "s3://bucket/a/b"),
        ("gcs://bucket", "gs://bucket"),
        ("file:///scans/in", Path("/scans/in")),
        ("abfs://box@account.dfs.core.windows.net/x", "abfs://box@account.dfs.core.windows.net/x"),
    ],
)
def test_urls_are_written_in_one_way(url: str, place: object) -> None:
    assert is_url(url)
    assert parse_store_url(url) == place


@pytest.mark.parametrize(
    "url",
    [
        "s3://user:pass-word@bucket/x",
        "s3://pass-word@bucket/x",
        "abfs://a:pass-word@b/x",
        "az://box/x?sig=pass-word",
        "ftp://pass-word/x",
        "s3://",
        "s3://bucket/../x",
        "file://relative",
        "s3://b/\n",
    ],
)
def test_other_urls_are_refused_and_never_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"store|path") as refused:
        parse_store_url(url)
    assert "pass-word" not in str(refused.value)
