"""TLS and proxies, as the connection declares them."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.errors import FluxError
from tests.contracts.conftest import Bench, credentials, ids, pages
from tests.contracts.servers.wire import Reply, Wire, script, serve

LIST = "{path: /x, params: {page: 1}}"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    form = serialization.Encoding.PEM
    plain = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(plain + signed.public_bytes(form))
    return file


@pytest.fixture
def secure(certificate: Path, bench: Bench) -> Wire:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return bench.server(script(Reply(200, [{"id": 1}])), tls=context)


def test_a_certificate_that_nobody_knows_is_refused_at_once(bench: Bench, secure: Wire) -> None:
    with pytest.raises(FluxError, match=r"the TLS certificate of 127\.0\.0\.1 is not trusted") as caught:
        pages(bench.source(secure, LIST))
    assert (caught.value.code, caught.value.transient) == ("CONNECTION_INVALID", False)
    assert "`verify`" in caught.value.next_step
    assert secure.calls == []


def test_the_authority_of_the_connection_is_trusted(bench: Bench, secure: Wire, certificate: Path) -> None:
    assert ids(pages(bench.source(secure, LIST, extra={"verify": str(certificate)}))) == [1]


def test_the_check_can_be_switched_off_and_that_is_logged(
    bench: Bench, secure: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    assert ids(pages(bench.source(secure, LIST, extra={"verify": "false"}))) == [1]
    assert "connection 'crm' does not check TLS certificates" in caplog.text


def test_a_link_that_forgets_tls_is_followed_with_tls(bench: Bench, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    replies = [Reply(200, {"data": [{"id": 1}], "next": "?"}), Reply(200, {"data": [{"id": 2}], "next": None})]
    wire = bench.server(script(*replies), tls=context)
    replies[0].body["next"] = wire.url.replace("https:", "http:") + "/x?page=2"
    declared = "{path: /x, records: data, page: {kind: next_url, next: next}}"
    assert ids(pages(bench.source(wire, declared, extra={"verify": str(certificate)}))) == [1, 2]


@pytest.mark.parametrize("where", ["connection", "proxies", "environment"])
def test_calls_go_through_the_proxy(bench: Bench, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    proxy = bench.server(script(Reply(200, [{"id": 1}])))
    extra = {"connection": {"proxy": proxy.url}, "proxies": {"proxies": {"http": proxy.url}}, "environment": {}}[where]
    if where == "environment":
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
    assert ids(pages(bench.source("http://api.invalid", LIST, extra=extra))) == [1]
    assert proxy.calls[0].headers["host"] == "api.invalid"


def test_the_environments_proxy_is_not_taken_where_the_connection_or_no_proxy_says_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    with serve(script(Reply(200, []))) as wire:
        registry.get("rest").test(credentials(wire, extra={"trust_env": "false"}))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        registry.get("rest").test(credentials(wire))
    assert len(wire.calls) == 2
