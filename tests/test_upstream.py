"""The way to an upstream: which key goes where, and what is told."""

import secrets

import pytest

from tests.support.scripted import frame, http, listening, says, upgrades
from voice.doctor.finding import BAD, NOTE, OK, Finding
from voice.doctor.upstream import MODEL, to_address, to_service
from voice.engines.providers import Provider

CREATED = frame('{"type":"session.created"}')
KEY = f"sk-{secrets.token_hex(12)}"


async def address(url: str, environ: dict[str, str]) -> list[Finding]:
    findings = [finding async for finding in to_address(url, environ, 2.0)]
    assert not any(KEY in finding.said + finding.fix for finding in findings)
    return findings


async def service(chosen: Provider, environ: dict[str, str], model: str | None = None) -> list[Finding]:
    findings = [finding async for finding in to_service(chosen, model, environ, 2.0)]
    assert not any(KEY in finding.said + finding.fix for finding in findings)
    return findings


async def test_an_address_is_visited_with_the_key() -> None:
    heads: list[str] = []
    async with listening(upgrades(CREATED, heads=heads)) as port:
        findings = await address(f"ws://127.0.0.1:{port}/v1/realtime", {"OPENAI_API_KEY": KEY})
    assert [(finding.name, finding.state) for finding in findings] == [
        (name, OK) for name in ("key", "name", "connection", "HTTP", "WebSocket")
    ]
    assert findings[0].said == "set, and sent" and findings[0].took_ms is None
    assert all(finding.took_ms is not None for finding in findings[1:])
    assert f"\r\nAuthorization: Bearer {KEY}\r\n" in heads[0]


async def test_without_a_key_it_is_asked_without() -> None:
    heads: list[str] = []
    async with listening(says(http(401), heads)) as port:
        findings = await address(f"ws://127.0.0.1:{port}/", {"HOLYSHEEP_API_KEY": KEY})
    assert findings[0].state == NOTE and findings[0].fix == "set OPENAI_API_KEY if it wants one"
    assert (findings[-1].state, findings[-1].fix) == (BAD, "it wants a key, and none is set")
    assert "authorization" not in heads[0].lower()


@pytest.mark.parametrize("environ", [{"OPENAI_API_KEY": "two words"}, {"OPENAI_API_KEY_FILE": "nowhere"}])
async def test_a_key_that_is_none_ends_it(environ: dict[str, str]) -> None:
    (finding,) = await address("ws://127.0.0.1:1/", environ)
    assert (finding.name, finding.state) == ("key", BAD) and "OPENAI_API_KEY" in finding.said and finding.fix


async def test_a_service_is_visited_at_both_its_addresses() -> None:
    talk, chat = [], []
    async with listening(upgrades(CREATED, heads=talk)) as first, listening(says(http(200, '{"data":[]}'), chat)) as second:
        both = Provider(
            "both", f"ws://127.0.0.1:{first}/v1/realtime", f"http://127.0.0.1:{second}/v1", ("BOTH_KEY",), auth="api-key", recorded=True
        )
        findings = await service(both, {"BOTH_KEY": KEY}, "deaf model")
        await service(both, {"BOTH_KEY": KEY})
    assert [finding.name for finding in findings] == [
        *("provider", "key"),
        *("realtime name", "realtime connection", "realtime HTTP", "realtime WebSocket"),
        *("chat name", "chat connection", "chat HTTP"),
    ]
    assert {finding.state for finding in findings} == {OK}
    assert talk[0].startswith("GET /v1/realtime?model=deaf+model HTTP/1.1\r\n") and f"?model={MODEL} " in talk[1]
    assert chat[0].startswith("GET /v1/models HTTP/1.1\r\n")
    assert all(f"\r\napi-key: {KEY}\r\n" in head and "Bearer" not in head for head in talk + chat)


async def test_one_address_that_fails_does_not_hide_the_other() -> None:
    async with listening(says(http(404))) as first, listening(says(http(200, "{}"))) as second:
        findings = await service(Provider("x", f"ws://127.0.0.1:{first}/v1/realtime", f"http://127.0.0.1:{second}/v1"), {})
    assert [(finding.name, finding.state) for finding in findings if finding.state != OK] == [("provider", NOTE), ("realtime HTTP", BAD)]
    assert findings[-1].name == "chat HTTP" and findings[1] == Finding("key", OK, "none is needed")


async def test_a_service_that_is_known_from_documents_only_is_said_to_be() -> None:
    (provider, key) = await service(Provider("x", None, None, ("X_KEY",)), {})
    assert provider.state == NOTE and "documents only" in provider.said
    assert key == Finding("key", BAD, "no key for 'x'", "set X_KEY, or X_KEY_FILE to the path of a file with the key in it")
