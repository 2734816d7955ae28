"""Errors of the hub and the disk, as messages with a cure."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.engines.vlm.model_store import cache_folder
from pipeline.errors import ExitCode, PipelineError


class PullError(PipelineError):
    """A download that failed and may succeed later. Files that are here stay."""

    exit_code = ExitCode.SOME_FAILED


class HubUnreachableError(PullError):
    """There is no connection to the hub."""


@contextmanager
def translated_errors(name: str, revision: str) -> Iterator[None]:
    """A context in which errors of the hub and the disk become PipelineErrors with a cure."""
    import httpx2
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    again = f"run `pipeline models pull {name}` again: it goes on where it stopped"
    token = "make a token on the hub and set HF_TOKEN to it"  # noqa: S105 - a sentence about a token
    try:
        yield
    except OfflineModeIsEnabled as error:
        raise HubUnreachableError(
            "HF_HUB_OFFLINE is set, so there is no connection to the hub", "unset it to download"
        ) from error
    except GatedRepoError as error:
        raise PipelineError(
            f"{name} is gated: its owner wants terms accepted first", f"accept them on its page, {token}"
        ) from error
    except RevisionNotFoundError as error:
        raise PipelineError(f"{name} has no revision {revision}", "name a branch, a tag or a commit") from error
    except RepositoryNotFoundError as error:
        raise PipelineError(
            f"the hub knows no model {name}, or it is private", f"check the spelling (ORG/NAME); if private, {token}"
        ) from error
    except HfHubHTTPError as error:
        raise _status_error(name, error.response.status_code, again, token) from error
    except httpx2.RequestError as error:
        cure = f"check the connection (HTTPS_PROXY for a proxy, HF_ENDPOINT for a mirror), then {again}"
        raise HubUnreachableError(f"the hub cannot be reached, or broke off: {error or type(error).__name__}", cure) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise PullError(f"the disk with {cache_folder()} is full", f"free some, then {again}") from error
        raise PullError(
            f"{cache_folder()}: {error}", "check that the folder can be written, or set HF_HOME to another"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        cure = "if HF_ENDPOINT is set, check it; a proxy may have answered instead"
        raise PullError(f"what came for {name} is not an answer of a hub: {error}", cure) from error


def _status_error(name: str, status: int, again: str, token: str) -> PipelineError:
    if status in (401, 403):
        return PipelineError(f"the hub does not allow {name} (answer {status})", f"if HF_TOKEN is set, check it; else {token}")
    if status == 404:
        return PipelineError(f"the hub knows no model {name}, or lacks one of its files", "check the spelling (ORG/NAME)")
    return PullError(f"the hub answered {status} for {name}", f"later, {again}")
