"""What a server says of a login reaches a message without the secret, in whatever form the server repeats it."""

from __future__ import annotations

import base64

import pytest

from pipeline.remote.mail_secret import without_secret

SECRETS = ["wr0ng-and-secret", "pässwörd one", 'a"quote\\d one', "x>?y~~zz>>??"]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("user", ["u", "us", "use"])
def test_no_form_of_the_secret_is_left(secret: str, user: str) -> None:
    plain, login = f"\0{user}\0{secret}".encode(), f"user={user}\1auth=Bearer {secret}\1\1".encode()
    forms = [base64.b64encode(form).decode() for form in (plain, login, secret.encode())]
    forms += [
        base64.urlsafe_b64encode(plain).decode(),
        forms[0][:-4],
        f"AUTH={forms[0]}",
        secret,
        secret.encode().hex().upper(),
    ]
    for form in forms:
        said = without_secret(f"[AUTHENTICATIONFAILED] Invalid credentials {form} (Failure)", secret)
        assert said.startswith("[AUTHENTICATIONFAILED] Invalid credentials …")
        assert said.endswith("… (Failure)")


def test_what_helps_stays() -> None:
    said = "Application-specific password required: https://support.example/accounts/answer/185833 (Failure) 5xZ9Qw+/=="
    assert without_secret(said, "wr0ng-and-secret") == said
    assert without_secret(said, "") == said
