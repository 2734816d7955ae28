"""`pipeline serve` as a process with a certificate and accounts: the address, the cookie, and what it says without a usable certificate."""

from __future__ import annotations

import datetime
import os
import re
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

pytest.importorskip("fastapi")

from pipeline.cli.commands import cli

pytestmark = pytest.mark.slow
PHRASE = "correct horse battery staple"


def write_certificate(path: Path) -> None:
    """A certificate of localhost that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(certificate.public_bytes(encoding) + private)


def test_a_server_with_a_certificate_and_an_account(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    write_certificate(tmp_path / "server.pem")
    (tmp_path / "mine.yaml").write_text("serve: {certificate: server.pem}\n")
    places = ["--config", str(tmp_path / "mine.yaml"), "--outbox", str(tmp_path / "outbox")]
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "serve",
        *places,
        "--inbox",
        str(tmp_path / "inbox"),
        "--port",
        "0",
        "--engine",
        "embedded",
    ]
    invited = CliRunner().invoke(cli, ["users", "invite", "Ada", "--role", "admin", *places])
    token = invited.stdout.split()[0].rpartition("/")[2]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "PIPELINE_WORKERS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout
            address = re.fullmatch(r"https://127\.0\.0\.1:(\d+)/\n", process.stdout.readline())
            assert address, "with accounts, the address has no token"
            base = f"https://localhost:{address[1]}"
            context = ssl.create_default_context(cafile=str(tmp_path / "server.pem"))
            with httpx.Client(base_url=base, verify=context, headers={"origin": base}, timeout=60) as browser:
                assert browser.get("/", headers={"accept": "text/html"}).status_code == 401
                answer = browser.post(f"/invitation/{token}", data={"password": PHRASE, "again": PHRASE})
                assert answer.status_code == 303
                cookie = answer.headers["set-cookie"]
                assert cookie.startswith("__Host-pipeline_session_")
                assert "; Secure" in cookie
                assert browser.get("/people").status_code == 200
            with pytest.raises(httpx.TransportError):
                httpx.get(f"http://localhost:{address[1]}/", timeout=20)
        finally:
            process.terminate()
    listed = CliRunner().invoke(cli, ["users", "list", *places])
    assert "Ada" in listed.stdout
    assert "admin" in listed.stdout
    assert CliRunner().invoke(cli, ["users", "role", "Ada", "read", *places]).exit_code == 0
    assert CliRunner().invoke(cli, ["users", "remove", "Ada", *places]).exit_code == 0
    assert "no accounts" in CliRunner().invoke(cli, ["users", "list", *places]).stdout
    assert CliRunner().invoke(cli, ["users", "remove", "Ada", *places]).exit_code != 0


def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "mine.yaml").write_text("serve: {certificate: server.pem}\n")
    (tmp_path / "server.pem").write_text("nothing of the kind")
    places = ["--config", str(tmp_path / "mine.yaml"), "--outbox", str(tmp_path / "outbox"), "--inbox", str(tmp_path / "inbox")]
    result = subprocess.run(
        [sys.executable, "-m", "pipeline", "serve", *places, "--port", "0"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 2
    assert "server.pem" in result.stderr
    assert "PEM" in result.stderr
