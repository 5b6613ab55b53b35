"""What a voice may do in the shop, and what it knows of whoever calls: the tools, and the context hook.

Who the customer is comes from the session (the signed secret that the page was opened with), never from the model: no tool has an argument for it.
"""

from typing import Any

from examples.shop.store import Shop
from voice.engines.functions import function_tool
from voice.engines.toolset import ToolContext, Toolset
from voice.errors import ToolError
from voice.server.additions import Additions
from voice.server.visitor import Visitor

INSTRUCTIONS = (
    "You are the customer service of a small outdoor shop. Look orders up before you speak about them. Refund or exchange only what the "
    "customer has asked for in so many words, and say what a tool has refused as it is."
)


def additions(shop: Shop) -> Additions:
    """What the shop's server adds to each session."""

    def look_up_order(who: ToolContext, number: int | None = None) -> str:
        """How an order of the customer's stands.

        Args:
            number: the order's number; without it, the newest order
        """
        return shop.look_up(account(who), number)

    def refund_order(number: int, who: ToolContext) -> str:
        """Pay the customer back what an order has cost.

        Args:
            number: the order's number
        """
        return shop.refund(account(who), number)

    def exchange_order(number: int, article: str, who: ToolContext) -> str:
        """Send the customer another article of the same price instead.

        Args:
            number: the order's number
            article: what is wanted instead, as the shop calls it
        """
        return shop.exchange(account(who), number, article)

    def about(visitor: Visitor) -> dict[str, Any]:
        return shop.about(visitor.user)

    tools = Toolset([function_tool(tool) for tool in (look_up_order, refund_order, exchange_order)])
    return Additions(tools, about, INSTRUCTIONS)


def account(who: ToolContext) -> str:
    """The customer's account. Raises: ToolError if nobody is signed in."""
    if user := str(who.values.get("user") or ""):
        return user
    raise ToolError("Nobody is signed in: the customer has to open the page with the link of the account.")
