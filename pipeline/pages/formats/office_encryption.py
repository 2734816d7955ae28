"""Office files with a password: Word, Excel and PowerPoint, new and old.

msoffcrypto reads the encryption of MS-OFFCRYPTO: agile and standard (2007 and later), RC4 CryptoAPI and RC4 (97 to 2003), XOR (Excel).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import BinaryIO

from pipeline.errors import DocumentError
from pipeline.pages.protocol import LOCKED

DEFAULT_PASSWORD = "VelvetSweatshop"  # noqa: S105 - public: MS-OFFCRYPTO 2.4.2.2
"""By which Excel encrypts workbooks that are only protected against changes, and which it tries by itself."""


def decrypted_office(file: BinaryIO, passwords: Sequence[str]) -> io.BytesIO | None:
    """The file without its password; None for one that has none, or whose encryption msoffcrypto does not recognise.

    Raises DocumentError ``needs_password`` where none of the passwords opens it, ``unsupported`` for other encryption (by certificate).
    """
    import msoffcrypto  # only few files need it
    from msoffcrypto.exceptions import DecryptionError, InvalidKeyError

    file.seek(0)
    try:
        office = msoffcrypto.OfficeFile(file)
        if not office.is_encrypted():
            return None
    except MemoryError:
        raise
    except DecryptionError as error:
        raise _other_encryption() from error
    except Exception:  # msoffcrypto raises many types on damaged files, whose reading says what is wrong with them
        return None
    for password in (*passwords, DEFAULT_PASSWORD):
        try:
            office.load_key(password=password, **({"verify_password": True} if office.format == "ooxml" else {}))
        except InvalidKeyError:
            continue
        except MemoryError:
            raise
        except Exception as error:  # damaged headers of encryption raise many types
            raise _error(error) from error
        plain = io.BytesIO()
        try:
            office.decrypt(plain)
        except MemoryError:
            raise
        except Exception as error:
            raise _error(error) from error
        plain.seek(0)
        return plain
    raise DocumentError("needs_password", LOCKED)


def _error(error: Exception) -> DocumentError:
    from msoffcrypto.exceptions import DecryptionError, InvalidKeyError

    if isinstance(error, DecryptionError) and not isinstance(error, InvalidKeyError):
        return _other_encryption()
    return DocumentError("unreadable", f"its password fits, and its contents cannot be decrypted: {error}")


def _other_encryption() -> DocumentError:
    cure = "open it in the program that it belongs to, save it without encryption and drop that"
    return DocumentError("unsupported", f"this is an office file with encryption by a method that is not supported: {cure}")
