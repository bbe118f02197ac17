"""The certificate that the API shows, and how the recipes on its machine know it again."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from actors.errors import StartupError
from actors.settings import Settings

_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"

#: OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python has no name for.
_NO_CHECK_TIME: Final = 0x200000


def check(settings: Settings) -> None:
    """Certificate and key can be read, and belong together.

    Raises:
        StartupError: they cannot, or do not.
    """
    if not settings.tls_cert:
        return
    for name, path in (("ASR_TLS_CERT", settings.tls_cert), ("ASR_TLS_KEY", settings.tls_key)):
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise StartupError(f"{name}={path} cannot be read: {error.strerror}") from error
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings.tls_cert, settings.tls_key, _no_passphrase)
        trust_of(Path(settings.tls_cert))
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise StartupError("ASR_TLS_KEY is not the key of the certificate in ASR_TLS_CERT") from error
        raise StartupError(
            f"ASR_TLS_CERT={settings.tls_cert} and ASR_TLS_KEY={settings.tls_key} are not a certificate and "
            f"its key in PEM ({error.reason or error})"
        ) from error


def _no_passphrase() -> str:
    raise StartupError("ASR_TLS_KEY has a passphrase, which nobody could type at a restart: take it off")


def trust_of(
    certificate: Path, create: Callable[..., ssl.SSLContext] = ssl.create_default_context
) -> ssl.SSLContext:
    """A context that believes the owner of the certificate in this file.

    Raises:
        OSError: it cannot be read.
    """
    return trust_in(first_of(certificate), create)


def first_of(certificate: Path) -> str:
    """The first certificate of a file, without what tools write around it, in whatever encoding.

    Behind it may stand an authority, which gives others certificates too.

    Raises:
        OSError: it cannot be read.
    """
    _, begin, rest = certificate.read_text(encoding="latin-1").partition(_BEGIN)
    return f"{begin}{rest.partition(_END)[0]}{_END}\n"


def trust_in(
    certificates: str, create: Callable[..., ssl.SSLContext] = ssl.create_default_context
) -> ssl.SSLContext:
    """A context that believes the owners of these certificates and nobody else, by whatever name.

    An expired one is still the same, so that the recipes go on.
    """
    context = create(cadata=certificates)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    return context
