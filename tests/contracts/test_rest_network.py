"""The network: TLS, proxies, other hosts, and bodies that are none."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.contract import WriteItem
from airflow_provider_flux.errors import FluxError
from tests.contracts.conftest import Bench, credentials, ids, pages
from tests.contracts.servers.saas import KEY
from tests.contracts.servers.wire import Reply, Wire, script, serve

LIST = "{path: /x, params: {page: 1}}"


def signed(folder: Path, *, address: str = "127.0.0.1", ended: bool = False) -> Path:
    """A self-signed certificate for that address, with its key in the same file.

    :param ended: it was valid until yesterday
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=-1 if ended else 1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{address}-{ended}.pem"
    form = serialization.Encoding.PEM
    plain = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(plain + certificate.public_bytes(form))
    return file


def listening(bench: Bench, certificate: Path) -> Wire:
    """A server that shows that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return bench.server(script(Reply(200, [{"id": 1}])), tls=context)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key in the same file."""
    return signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def secure(certificate: Path, bench: Bench) -> Wire:
    return listening(bench, certificate)


def test_a_certificate_that_nobody_knows_is_refused_at_once(bench: Bench, secure: Wire) -> None:
    with pytest.raises(FluxError, match=r"the TLS certificate of 127\.0\.0\.1 is not trusted") as caught:
        pages(bench.source(secure, LIST))
    assert (caught.value.code, caught.value.transient) == ("CONNECTION_INVALID", False)
    assert "`verify`" in caught.value.next_step
    assert secure.calls == []


@pytest.mark.parametrize(
    ("address", "ended", "why"),
    [("127.0.0.1", True, "has expired"), ("127.0.0.9", False, "IP address mismatch|not valid for '127.0.0.1'")],
    ids=["expired", "another name"],
)
def test_a_certificate_of_a_known_authority_must_be_valid_and_of_that_host(
    bench: Bench, tmp_path: Path, address: str, ended: bool, why: str
) -> None:
    wrong = signed(tmp_path, address=address, ended=ended)
    wire = listening(bench, wrong)
    with pytest.raises(FluxError, match=why) as caught:
        pages(bench.source(wire, LIST, password=KEY, extra={"verify": str(wrong)}))
    assert (caught.value.code, caught.value.transient, wire.calls) == ("CONNECTION_INVALID", False, [])
    assert_tells_no_secret(caught.value)


def test_a_server_without_tls_is_said(bench: Bench) -> None:
    wire = bench.server(script(Reply(200, [])))
    with pytest.raises(FluxError) as caught:
        pages(bench.source(wire.url.replace("http:", "https:"), LIST, password=KEY, extra={"retry_budget": 0.1}))
    assert (caught.value.code, caught.value.transient, wire.calls) == ("CONNECTION_INVALID", False, [])
    assert "does not speak TLS" in caught.value.message
    assert "http://" in caught.value.next_step


def test_a_server_that_wants_tls_and_hears_none_is_an_error_of_the_network(bench: Bench, secure: Wire) -> None:
    with pytest.raises(FluxError) as caught:
        pages(bench.source(secure.url.replace("https:", "http:"), LIST, password=KEY, extra={"retry_budget": 0.1}))
    assert (caught.value.code, secure.calls) == ("CONNECTION_TIMEOUT", [])
    assert_tells_no_secret(caught.value)


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


# --- other hosts --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("auth", ["{kind: bearer}", "{kind: api_key}", "{kind: api_key, query: key}"])
def test_no_credentials_follow_a_redirect_to_another_host(bench: Bench, status: int, auth: str) -> None:
    thief = bench.server(script(Reply(200, [])))
    wire = bench.server(script(Reply(status, headers={"Location": f"{thief.url}/x?key={KEY}"})))
    with pytest.raises(FluxError) as caught:
        pages(bench.source(wire, f"{{path: /x, auth: {auth}}}", password=KEY))
    assert caught.value.code == "CONNECTION_INVALID"
    assert thief.url in caught.value.message
    assert_tells_no_secret(caught.value)

    destination = bench.destination(wire, f"{{path: /x, mode: create, auth: {auth}, idempotent: true}}", password=KEY)
    with pytest.raises(FluxError) as caught:
        destination.write([WriteItem({"id": 1})])
    assert caught.value.code in ("BAD_REQUEST", "CONNECTION_INVALID")
    assert_tells_no_secret(caught.value)
    assert thief.calls == []


@pytest.mark.parametrize("key", ["next_url", "link_header"])
def test_no_credentials_follow_a_next_page_on_another_host(bench: Bench, key: str) -> None:
    thief = bench.server(script(Reply(200, [])))
    link = {"Link": f'<{thief.url}/x?page=2>; rel="next"'}
    wire = bench.server(script(Reply(200, {"data": [{"id": 1}], "next": f"{thief.url}/x?page=2"}, link)))
    page = "{kind: next_url, next: next}" if key == "next_url" else "{kind: link_header}"
    with pytest.raises(FluxError, match="leads to") as caught:
        pages(bench.source(wire, f"{{path: /x, records: data, page: {page}}}", password=KEY))
    assert (caught.value.code, thief.calls) == ("CONNECTION_INVALID", [])


def test_a_redirect_to_the_same_host_without_tls_is_not_followed(bench: Bench, certificate: Path) -> None:
    plain = bench.server(script(Reply(200, [])))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    wire = bench.server(script(Reply(302, headers={"Location": f"{plain.url}/x"})), tls=context)
    with pytest.raises(FluxError) as caught:
        pages(bench.source(wire, LIST, password=KEY, extra={"verify": str(certificate)}))
    assert (caught.value.code, plain.calls) == ("CONNECTION_INVALID", [])


# --- bodies -------------------------------------------------------------------------------------


def endless() -> Iterator[bytes]:
    """A list that says the key that it was asked with, and never ends."""
    yield f'[{{"id": 0, "key": "{KEY}"}}'.encode()
    while True:
        yield b', {"id": 1}' * 100_000


@pytest.mark.parametrize("announced", [True, False], ids=["100 MB, announced", "without end"])
def test_a_body_that_is_too_large_is_an_error_with_its_beginning(bench: Bench, announced: bool) -> None:
    headers = {"Content-Length": str(100 * 1024**2)} if announced else {}
    wire = bench.server(script(Reply(200, headers=headers, stream=endless())))
    with pytest.raises(FluxError, match="larger than 64 MB") as caught:
        pages(bench.source(wire, "{path: /x}", password=KEY))
    assert (caught.value.code, len(wire.calls)) == ("BAD_REQUEST", 1)
    assert (caught.value.answer or "").startswith('[{"id": 0, "key": "***"}')
    assert_tells_no_secret(caught.value)


@pytest.mark.parametrize("content_type", ["text/plain", "text/html", "application/octet-stream", "x", ""])
def test_json_is_read_whatever_it_is_called(bench: Bench, content_type: str) -> None:
    wire = bench.server(script(Reply(200, [{"id": 1, "name": "Müller"}], {"Content-Type": content_type})))
    [page] = pages(bench.source(wire, "{path: /x}"))
    assert page.records == [{"id": 1, "name": "Müller"}]


@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "zlib", "no-such-thing"])
def test_a_wrong_charset_is_overlooked_and_broken_bytes_are_an_error(bench: Bench, charset: str) -> None:
    header = {"Content-Type": f"application/json; charset={charset}"}
    sound, broken = '[{"id": 1, "name": "Müller"}]'.encode(), b'[{"id": 1, "name": "M\xfcl'
    wire = bench.server(script(Reply(200, sound, header), Reply(200, broken, header)))
    source = bench.source(wire, "{path: /x}", extra={"retry_budget": 0.1})
    assert pages(source)[0].records == [{"id": 1, "name": "Müller"}]
    with pytest.raises(FluxError, match="is not JSON") as caught:
        pages(source)
    assert caught.value.code == "UNREADABLE_ANSWER"
    assert (caught.value.answer or "").startswith('[{"id": 1')


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_body_that_is_broken_is_an_error(bench: Bench, encoding: str) -> None:
    wire = bench.server(script(Reply(200, b"not compressed", {"Content-Encoding": encoding})))
    with pytest.raises(FluxError) as caught:
        pages(bench.source(wire, "{path: /x}", extra={"retry_budget": 0.1}))
    assert caught.value.code == "CONNECTION_TIMEOUT"
    assert "compressed answer" in caught.value.message


def assert_tells_no_secret(error: FluxError) -> None:
    shown = f"{error} {error.answer} {error.next_step}"
    assert KEY not in shown
    assert "5ecret" not in shown
