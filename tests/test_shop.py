"""The shop of the examples: its rules, and that no prompt and no customer gets around them."""

import asyncio
import json
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from examples.shop.service import additions
from examples.shop.store import BASKETS, Shop
from voice.engines.toolset import ToolContext
from voice.errors import ToolError
from voice.server.visitor import Visitor, facts_about

TODAY = date(2026, 11, 20)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop.sqlite", lambda: TODAY)


def refused(work: object, *given: object) -> str:
    with pytest.raises(ToolError) as why:
        work(*given)  # type: ignore[operator]
    return str(why.value)


def rows(shop: Shop, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(shop._path)) as db:
        return db.execute(query).fetchall()


def test_where_an_order_is(shop: Shop) -> None:
    assert shop.look_up("1", 1003) == "Order 1003, the rain jacket, is on its way. It will arrive on Saturday, November 21."
    assert shop.look_up("1", None) == shop.look_up("1", 1003), "the newest"
    assert shop.look_up("1", 1001).startswith("Order 1001, the wool hat, is delivered. It arrived on Monday")


@pytest.mark.parametrize("number", [0, -1001, 2**63 - 1, 2**63, 99999999999999999999999])
def test_a_number_that_no_order_can_have_is_one_that_there_is_not(shop: Shop, number: int) -> None:
    sentence = f"There is no order {number} on this account."
    assert refused(shop.look_up, "1", number) == sentence == refused(shop.refund, "1", number)
    assert refused(shop.exchange, "1", number, "red scarf") == sentence


def test_a_refund_is_made_once(shop: Shop) -> None:
    assert "19.00 dollars" in shop.refund("1", 1001)
    stock = rows(shop, "SELECT stock FROM article WHERE name = 'wool hat'")
    assert refused(shop.refund, "1", 1001) == "Order 1001 was refunded on Friday, November 20: that is done once."
    assert "was refunded" in refused(shop.exchange, "1", 1001, "red scarf")
    assert rows(shop, "SELECT stock FROM article WHERE name = 'wool hat'") == stock
    assert shop.look_up("1", 1001).endswith("It was refunded.")


def test_an_exchange_is_made_once_and_for_the_same_price(shop: Shop) -> None:
    for wanted, why in [
        ("spacecraft", "does not have"),
        ("rain jacket", "same price only"),
        ("wool hat", "same price only"),
        ("blue scarf", "sold out"),
    ]:
        assert why in refused(shop.exchange, "1", 1001, wanted)
    assert rows(shop, "SELECT * FROM closed") == [], "nothing of what was refused is kept"
    assert "red scarf is sent" in shop.exchange("1", 1001, " Red Scarf ")
    assert "was exchanged for the red scarf" in refused(shop.exchange, "1", 1001, "red scarf")
    assert rows(shop, "SELECT name, stock FROM article WHERE name IN ('red scarf', 'wool hat') ORDER BY name") == [
        ("red scarf", 2),
        ("wool hat", 13),
    ]


@pytest.mark.parametrize(
    ("account", "number", "why"),
    [
        ("1", 1003, "Order 1003 is on its way: it can be sent back once it has been delivered."),
        ("2", 1005, "Order 1005 is being packed: it can be sent back once it has been delivered."),
        ("1", 1002, "Order 1002 was delivered more than 30 days ago: it can not be sent back any more."),
        ("1", 1004, "There is no order 1004 on this account."),
        ("2", 1001, "There is no order 1001 on this account."),
        ("1", 9999, "There is no order 9999 on this account."),
        ("", 1001, "There is no order 1001 on this account."),
        ("1' OR '1'='1", 1001, "There is no order 1001 on this account."),
    ],
)
def test_what_is_refused_is_refused_in_a_sentence(shop: Shop, account: str, number: int, why: str) -> None:
    assert refused(shop.refund, account, number) == why == refused(shop.exchange, account, number, "red scarf")
    assert rows(shop, "SELECT * FROM closed") == []


def test_nobody_has_no_orders(shop: Shop) -> None:
    assert refused(shop.look_up, "7", None) == "There are no orders on this account."
    assert shop.about("7") == {} and shop.orders("7") == []


def test_two_who_ask_at_once_are_paid_once(shop: Shop) -> None:
    def pay(_: int) -> str:
        try:
            return shop.refund("1", 1001)
        except ToolError as exc:
            return str(exc)

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(pay, range(16)))
    assert sum("is refunded" in text for text in told) == 1 and sum("done once" in text for text in told) == 15
    assert rows(shop, "SELECT stock FROM article WHERE name = 'wool hat'") == [(13,)]


def test_orders_outlive_the_program(shop: Shop) -> None:
    shop.refund("1", 1001)
    assert "was refunded" in refused(Shop(shop._path, lambda: TODAY).refund, "1", 1001)


async def test_a_tool_knows_the_customer_from_the_session_alone(shop: Shop) -> None:
    extra = additions(shop)
    assert extra.tools is not None
    async with extra.tools as tools:
        declared = json.dumps([tool.parameters for tool in tools.tools])
        assert not re.search("who|account|user|customer_id", declared)
        own = await tools.run("refund_order", '{"number": 1001}', ToolContext({"user": "1"}))
        assert not own.failed and "is refunded" in own.output
        for arguments in ('{"number": 1004}', '{"number": 1004, "who": {"values": {"user": "2"}}}', '{"number": 1004, "account": "2"}'):
            assert (await tools.run("refund_order", arguments, ToolContext({"user": "1"}))).failed
        nobody = await tools.run("look_up_order", "{}", ToolContext({"user": ""}))
        assert nobody.failed and "Nobody is signed in" in nobody.output
        newest = await tools.run("look_up_order", "{}", ToolContext({"user": "2"}))
        assert "Order 1005" in newest.output
        swapped = await tools.run("exchange_order", '{"number": 1004, "article": "wool hat"}', ToolContext({"user": "2"}))
        assert "is exchanged" in swapped.output


async def known(account: str, shop: Shop) -> str:
    extra = additions(shop)
    return (await facts_about(Visitor(account), extra.about, extra.threads)).words


async def test_a_basket_that_gives_orders_is_data(shop: Shop) -> None:
    attack = dict(BASKETS)["2"]
    assert '"""\n' in attack
    async with asyncio.timeout(30):
        words = await known("2", shop)
    head, _, rest = words.partition("\n<")
    line = rest.partition("\n")[2].partition("\n</")[0]
    assert json.loads(line)["basket"] == [attack] and "\n" not in line and "Ignore" not in head
    assert json.loads(line)["recent_orders"][0]["number"] == 1005
    other = await known("1", shop)
    assert "1005" not in other and "Ignore all" not in other and '"membership":"gold"' in other
