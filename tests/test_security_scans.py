"""Scans for faults of security: exceptions to the rules of the linters, secrets in the repository, known faults of the dependencies.

``make lint`` runs the linters themselves, ruff and bandit.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from bandit.core.extension_loader import MANAGER
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings

ROOT = Path(__file__).parent.parent
BASELINE = ".secrets.baseline"
ACCEPTED_SECRETS = {
    "configs/pipeline.yaml": "the name of a variable",
    "examples/draw.py": "the hash of a drawing",
    "mkdocs.yml": "the title of a page",
    "pipeline/checks/calibration.json": "digests of the documents that the weights were fitted to",
    "pipeline/engines/embedded/caption/object_detector.py": "hashes of the weights that are read",
    "pipeline/engines/embedded/chart/chart_calibration.json": "the digest of the charts that the weights were fitted to",
    "pipeline/engines/embedded/fields/addresses/addresses.json": "digests of the documents that the weights were fitted to",
    "pipeline/engines/embedded/fields/items/items.json": "digests of the documents that the weights were fitted to",
    "pipeline/engines/embedded/fields/scorer/scorer.json": "digests of the documents that the weights were fitted to",
    "pipeline/errors.py": "a sentence about passwords",
    "pipeline/intake/container_members.py": "a sentence about passwords",
    "pipeline/pages/formats/office_encryption.py": "the password that everybody knows, of Microsoft's specification",
    "pipeline/pages/pdfium.py": "a word in a message of PDFium",
    "pipeline/settings_sections.py": "the name of a variable",
    "pipeline/web/locale/de/reasons.po": "the translation of a sentence about passwords",
    "pipeline/web/locale/es/reasons.po": "the translation of a sentence about passwords",
    "pipeline/web/locale/fr/reasons.po": "the translation of a sentence about passwords",
    "pipeline/web/locale/it/reasons.po": "the translation of a sentence about passwords",
    "pipeline/web/locale/nl/reasons.po": "the translation of a sentence about passwords",
    "pipeline/web/locale/pl/reasons.po": "the translation of a sentence about passwords",
    "pipeline/web/locale/zh/reasons.po": "the translation of a sentence about passwords",
    "pipeline/web/page_rendering.py": "a word about passwords on a page",
    "tests/checks/test_arithmetic.py": "an invoice number",
    "tests/cli/test_found_settings.py": "an invented key, which must stay where it is",
    "tests/drawn_containers.py": "the passwords of drawn archives and keys",
    "tests/engines/vlm/fixtures/processor.json": "the tokens of a processor",
    "tests/engines/vlm/test_model_store.py": "invented commits of a model",
    "tests/evaluate/test_scoring.py": "an invoice number",
    "tests/mailbox/test_mailbox_connection.py": "the name of a variable",
    "tests/remote/conftest.py": "the key of a server on loopback that lives as long as a test",
    "tests/remote/test_remote_inbox.py": "the key of a server on loopback that lives as long as a test",
    "tests/remote/test_remote_unlock.py": "the key of a server on loopback that lives as long as a test",
    "tests/run/old_outbox/results/bills/invoice.pdf.json": "hashes of documents",
    "tests/run/old_outbox/results/broken.pdf.json": "hashes of documents",
    "tests/run/old_outbox/results/letter.pdf.json": "hashes of documents",
    "tests/run/old_outbox/state/ledger.sql": "hashes of documents, recipes",
    "tests/run/old_outbox/state/said.jsonl": "hashes of documents",
    "tests/run/test_containers_in_inbox.py": "the password of a drawn archive",
    "tests/run/test_hostile_contents.py": "bytes of the format of signed mails",
    "tests/runtime/test_child_process.py": "an invented URL with a password, which must stay where it is",
    "tests/templates/test_builtin.py": "digests of templates",
    "tests/templates/test_digest.py": "digests of templates",
    "tests/test_mailbox_urls.py": "invented URLs with a password, which must be refused",
    "tests/test_object_urls.py": "an invented URL with a password, which must be refused",
    "tests/values/test_identifiers.py": "invented numbers of companies",
    "tests/web/serve/test_unlock.py": "the passwords of drawn documents, right and wrong",
    "tests/web/serve/test_api_tokens.py": "invented passwords of a test",
    "tests/web/serve/test_openai_api.py": "a key that must be refused",
    "training/native_digits.py": "the letters and digits that a sign may be",
}
"""Why the finds of ``.secrets.baseline`` in these files are no secrets."""
ACCEPTED_VULNERABILITIES: dict[str, str] = {}
"""Advisories that do not concern this project, with the reason."""
UNUSED_RULES = {"B403", "B404"}
"""Rules of bandit that are not run; pyproject.toml says why."""


def git_files() -> list[str]:
    """The files of the repository. Skips the test outside of one."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    out = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in out.split("\0") if name and (ROOT / name).is_file()]


def test_every_exception_to_a_security_rule_has_its_reason() -> None:
    lines = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / "pipeline").rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"#\s*nosec|#\s*noqa:.*\bS\d{3}", line)
    ]
    assert len(lines) > 10
    reasoned = re.compile(r"# noqa: [A-Z0-9, ]*S\d{3}[A-Z0-9, ]* - \w.+|# nosec B\d{3} # \w.+")
    assert [line for line in lines if not reasoned.search(line)] == []


def test_ruff_and_bandit_share_one_list_of_exceptions() -> None:
    """Ruff's S rules are bandit's. Bandit runs those that ruff lacks, so that no exception is written twice, and none is left out."""
    ruff = [str(Path(sys.executable).with_name("ruff")), "rule", "--all", "--output-format", "json"]
    rules = json.loads(subprocess.run(ruff, capture_output=True, text=True, check=True).stdout)
    of_ruff = {f"B{rule['code'][1:]}" for rule in rules if re.fullmatch(r"S\d+", rule["code"] or "") and not rule["preview"]}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert "S" in settings["ruff"]["lint"]["select"]
    of_bandit = set(settings["bandit"]["tests"])
    assert of_bandit & of_ruff == set()
    assert of_bandit | of_ruff | UNUSED_RULES >= {*MANAGER.plugins_by_id, *MANAGER.blacklist_by_id}


@pytest.mark.slow
def test_the_repository_holds_no_secret() -> None:
    accepted = json.loads((ROOT / BASELINE).read_text(encoding="utf-8"))["results"]
    known = {(name, find["hashed_secret"]) for name, finds in accepted.items() for find in finds}
    assert accepted.keys() == ACCEPTED_SECRETS.keys(), "every file of .secrets.baseline has its reason"
    with default_settings():
        secrets = SecretsCollection(root=str(ROOT))
        secrets.scan_files(*(name for name in git_files() if name != BASELINE))
    found = [(name, find.secret_hash, f"{name}:{find.line_number}: {find.type}") for name, find in secrets]
    assert found, "the scan works"
    unknown = [text for name, secret_hash, text in found if (name, secret_hash) not in known]
    assert not unknown, "remove these, or accept them: detect-secrets scan > .secrets.baseline"


@pytest.mark.slow
def test_no_dependency_has_a_known_vulnerability() -> None:
    """Skipped, with the reason, where no index with advisories can be reached, unless the variable TESTS_NEED_ADVISORIES is set."""
    ignored = [argument for advisory in ACCEPTED_VULNERABILITIES for argument in ("--ignore-vuln", advisory)]
    files = ["--requirement", str(ROOT / "constraints.txt"), "--disable-pip", "--no-deps"]
    command = [sys.executable, "-m", "pip_audit", *files, "--format", "json", "--progress-spinner", "off", *ignored]
    audit = subprocess.run(command, capture_output=True, text=True, timeout=250)
    try:
        dependencies = json.loads(audit.stdout)["dependencies"]
    except ValueError:
        dependencies = []
    audited = [item for item in dependencies if "vulns" in item]
    vulnerable = [f"{item['name']} {item['version']}: {found['id']}" for item in audited for found in item["vulns"]]
    assert not vulnerable
    left_out = [item["name"] for item in dependencies if "skip_reason" in item]
    if not dependencies or left_out:
        lines = audit.stderr.strip().splitlines() or ["no output"]
        reason = f"{len(left_out)} of {len(dependencies)} dependencies have no advisories here" if dependencies else lines[-1]
        message = f"pip-audit has not checked all dependencies: {reason}"
        assert not os.environ.get("TESTS_NEED_ADVISORIES"), message
        pytest.skip(message)
