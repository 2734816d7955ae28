"""A real IMAP server (Dovecot) on loopback: a throw-away configuration, certificates of its own, one user with a password and tokens."""

from __future__ import annotations

import datetime
import getpass
import grp
import http.server
import ipaddress
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from contextlib import suppress
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.drawing import text_pdf
from tests.run.processes import wait_for

USER, PASSWORD, TOKEN = "accounts@firm.example", "a secret, ünlike any other", "token-of-today"
DOVECOT = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def needs_dovecot() -> str:
    """The server's program. Skips the test without one, unless the variable TESTS_NEED_DOVECOT says that it must be there."""
    try:
        import imapclient  # noqa: F401 - the extra
    except ImportError:
        missing = "imapclient"
    else:
        missing = "" if DOVECOT else "Dovecot (apt-get install dovecot-imapd)"
    if missing:
        assert not os.environ.get("TESTS_NEED_DOVECOT"), f"TESTS_NEED_DOVECOT is set and there is no {missing}"
        pytest.skip(f"no {missing}")
    return str(DOVECOT)


@cache
def mail(number: int = 1, subject: str | None = None, *, text: str | None = None, attachment: bytes | None = None) -> bytes:
    """A mail with one page as its attachment; the same bytes for the same arguments."""
    message = EmailMessage()
    message["From"], message["To"] = "sales@supplier.example", USER
    message["Subject"] = subject or f"Invoice {number}"
    message["Date"] = "Mon, 02 Nov 2026 10:00:00 +0000"
    message["Message-ID"] = f"<{number}@supplier.example>"
    message.set_content("")
    content = text_pdf([text or f"Page of mail {number}"]) if attachment is None else attachment
    message.add_attachment(content, maintype="application", subtype="pdf", filename=f"invoice-{number}.pdf")
    message.set_boundary("parts")
    return message.as_bytes()


class Dovecot:
    """The server. ``imaps`` and ``imap`` are the URLs of its user's mailbox; ``folder`` holds everything, mails as Maildir."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.chmod(0o755)
        self.ca = make_certificates(folder)
        self.ports = _free_ports(2)
        self.imap, self.imaps = (
            f"{scheme}://{USER}@127.0.0.1:{port}" for scheme, port in zip(("imap", "imaps"), self.ports, strict=True)
        )
        self._tokens = _TokenServer()
        self._config = folder / "dovecot.conf"
        self._config.write_text(self._configuration())
        (folder / "mails").mkdir()
        (folder / "passwords").write_text(f"{USER}:{{PLAIN}}{PASSWORD}::::::\n")
        (folder / "oauth2").write_text(
            f"tokeninfo_url = http://127.0.0.1:{self._tokens.port}/?token=\nusername_attribute = username\n"
            "active_attribute = active\nactive_value = true\n"
        )
        if os.getuid() == 0:
            shutil.chown(folder / "mails", "nobody")
        self._process = subprocess.Popen([needs_dovecot(), "-F", "-c", str(self._config)])
        wait_for(lambda: all(_answers(port) for port in self.ports), 60)

    def _configuration(self) -> str:
        user = "dovecot" if os.getuid() == 0 else getpass.getuser()
        group = "dovecot" if os.getuid() == 0 else grp.getgrgid(os.getgid()).gr_name
        login = "dovenull" if os.getuid() == 0 else user
        owner = "nobody" if os.getuid() == 0 else user
        imap, imaps = self.ports
        return f"""
base_dir = {self.folder}/run
state_dir = {self.folder}/state
log_path = {self.folder}/log
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {login}
default_client_limit = 200
default_process_limit = 50
first_valid_uid = 1
mail_max_userip_connections = 40
mail_location = maildir:{self.folder}/mails/%u
maildir_very_dirty_syncs = no
auth_mechanisms = plain login xoauth2 oauthbearer
ssl = required
ssl_cert = <{self.folder}/server.pem
ssl_key = <{self.folder}/server.key
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = {self.folder}/passwords
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {self.folder}/oauth2
}}
userdb {{
  driver = static
  args = uid={owner} gid={"nogroup" if os.getuid() == 0 else group} home={self.folder}/mails/%u
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""

    def client(self) -> Any:
        """A program for mail that is logged in."""
        import ssl

        from imapclient import IMAPClient

        client = IMAPClient("127.0.0.1", self.ports[1], ssl_context=ssl.create_default_context(cafile=self.ca), timeout=30)
        client.plain_login(USER, PASSWORD)
        return client

    def clear(self) -> None:
        """Delete all mails and folders."""
        from imapclient.exceptions import IMAPClientError

        client = self.client()
        for name in sorted((name for _, _, name in client.list_folders()), reverse=True):
            if name != "INBOX":
                with suppress(IMAPClientError):  # a folder of folders only
                    client.delete_folder(name)
        client.select_folder("INBOX")
        if uids := client.search("ALL"):
            client.delete_messages(uids)
            client.expunge()
        client.logout()

    def put(self, *mails: bytes, folder: str = "INBOX") -> None:
        """Deliver mails."""
        client = self.client()
        if not client.folder_exists(folder):
            client.create_folder(folder)
        for content in mails:
            client.append(folder, content)
        client.logout()

    def deliver(self, count: int) -> None:
        """Deliver many mails at once, as a delivery agent does: as files of the Maildir."""
        self.put(mail(0))
        new = self.folder / "mails" / USER / "new"
        for number in range(1, count):
            path = new / f"{1_790_000_000 + number}.M{number}P1.test"
            path.write_bytes(mail(number))
            if os.getuid() == 0:
                shutil.chown(path, "nobody")

    def flags(self, folder: str = "INBOX") -> dict[str, set[str]]:
        """Flags by subject of all messages in a folder."""
        client = self.client()
        client.select_folder(folder, readonly=True)
        answers = client.fetch(client.search("ALL"), ["FLAGS", "ENVELOPE"])
        client.logout()
        return {
            answer[b"ENVELOPE"].subject.decode(): {flag.decode() for flag in answer[b"FLAGS"]} - {"\\Recent"}
            for answer in answers.values()
        }

    def subjects(self, folder: str = "INBOX") -> list[str]:
        """Subjects of all messages in a folder, sorted; a message that lies there twice is there twice."""
        client = self.client()
        if not client.folder_exists(folder):
            return []
        client.select_folder(folder, readonly=True)
        answers = client.fetch(client.search("ALL"), ["ENVELOPE"])
        client.logout()
        return sorted(answer[b"ENVELOPE"].subject.decode() for answer in answers.values())

    def renumber(self) -> None:
        """Give the folder another UIDVALIDITY, and its messages other UIDs, as a server does that was restored from a backup."""
        mails = self.folder / "mails" / USER
        for path in mails.glob("dovecot*"):
            path.unlink()
        time.sleep(1.1)  # the new number is the second

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)
        self._tokens.stop()


class _TokenServer:
    """Says of a token whose it is."""

    def __init__(self) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                token = parse_qs(urlsplit(self.path).query).get("token", [""])[0]
                body = json.dumps({"active": True, "username": USER} if token == TOKEN else {"active": False}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def make_certificates(folder: Path, host: str = "127.0.0.1") -> Path:
    """A certificate authority, and a certificate of its for the server. Returns the file with the authority's certificate."""
    now = datetime.datetime.now(datetime.UTC)

    def certificate(name: str, key: Any, issuer: str, issuer_key: Any, *, is_ca: bool) -> Any:
        builder = x509.CertificateBuilder(
            _name(issuer), _name(name), key.public_key(), x509.random_serial_number(),
            now - datetime.timedelta(days=1), now + datetime.timedelta(days=30),
        ).add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)  # fmt: skip
        if not is_ca:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False
            )
        return builder.sign(issuer_key, hashes.SHA256())

    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = certificate("Test authority", ca_key, "Test authority", ca_key, is_ca=True)
    own = certificate("Test server", key, "Test authority", ca_key, is_ca=False)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "server.pem").write_bytes(own.public_bytes(pem))
    (folder / "server.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return folder / "ca.pem"


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
