"""What the user has heard nothing of, though it was made: it is taken out of the conversation, or the model believes that it has said it.

Two ways lead to it. An item waits behind another at the loudspeaker and is stopped with it; or an answer is stopped, and items of it begin after that,
since our cancel is still on its way. Neither can be deleted while it is being generated: so all of them are when their answer is over. Of an item
whose sound had begun before the stop the loudspeaker says how much was heard (`conversation.item.truncate`). Twin of web/unheard.js.
"""

from collections.abc import Callable

from voice.protocol.objects import Response

SOUND = ("output_audio", "audio")


class Unheard:
    """See the top of the file."""

    def __init__(self) -> None:
        self._items: dict[str, None] = {}
        self._stopped: str | None = None

    def add(self, item_id: str) -> None:
        """Nothing was heard of this item, whose answer is being made."""
        self._items[item_id] = None

    def stop(self, response_id: str | None) -> None:
        """The answer in progress is stopped: what of it begins from now on is not heard. None: there is none yet."""
        if response_id is not None:
            self._stopped = response_id

    def stopped(self, response_id: str) -> bool:
        """Whether this answer was stopped."""
        return response_id == self._stopped

    def over(self, response: Response, sound_ms: Callable[[str], int]) -> list[str]:
        """An answer is over: the items to delete. `sound_ms`: how much sound of an item has come that was not dropped."""
        items, self._items = self._items, {}
        if response.id == self._stopped:
            self._stopped = None
            for item in response.output if isinstance(response.output, list) else ():
                if isinstance(item.id, str) and any(part.type in SOUND for part in item.content or ()) and not sound_ms(item.id):
                    items[item.id] = None
        return list(items)

    def clear(self) -> None:
        """The link is gone, and with it what was being made."""
        self._items.clear()
        self._stopped = None
