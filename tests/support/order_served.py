"""A session of our own server whose events are in order: material for tests beside what `order_corpus.py` writes down."""

from tests.support.order_rules import Event
from tests.support.served import Served


def voice_turn() -> list[Event]:
    """Two voice turns, the second interrupting the first's answer; a text turn out of band; a cleared buffer."""
    served = Served()
    served.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
    served.hear("." * 25 + "#" * 20 + "." * 30)
    served.session.transcribed(served.wanted()[-1].heard_item or "", "What time is it?", 900)
    served.say("It is ", *[])
    served.say("ten.")
    served.hear("." * 25 + "#" * 20 + "." * 30)
    served.reply("What now?")
    served.send("response.create", response={"conversation": "none", "output_modalities": ["text"]})
    served.reply("Aside.")
    served.send("conversation.item.delete", item_id="nobody")
    return served.sent
