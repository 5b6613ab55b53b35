"""What the program itself has said aloud: a notice, word for word, in the model's own voice and the language of the conversation.

As with the words while a function runs (`dead_air.py`) it is asked for as a response with instructions of its own, at a moment when nobody speaks and
nothing is being answered; it answers nothing that the user has said.
"""

from collections.abc import Callable, Mapping

from voice.protocol.errands import Errands

MUTING = {
    "en": "Nobody has spoken for a while, so I am muting the microphone.",
    "de": "Es hat eine Weile niemand gesprochen, darum schalte ich das Mikrofon stumm.",
    "es": "Nadie ha hablado desde hace un rato, así que silencio el micrófono.",
    "fr": "Personne n'a parlé depuis un moment, je coupe donc le micro.",
    "it": "Nessuno parla da un po', quindi disattivo il microfono.",
    "ja": "しばらくお話がなかったので、マイクをミュートします。",
    "ko": "한동안 말씀이 없으셔서 마이크를 끄겠습니다.",
    "nl": "Er is een tijdje niets gezegd, dus ik demp de microfoon.",
    "pt": "Ninguém fala há algum tempo, por isso vou silenciar o microfone.",
    "ru": "Уже некоторое время никто не говорит, поэтому я отключаю микрофон.",
    "zh": "有一会儿没有人说话了，我先把麦克风静音。",
}
ENDS_SOON = {
    "en": "This conversation will end soon.",
    "de": "Dieses Gespräch endet bald.",
    "es": "Esta conversación terminará pronto.",
    "fr": "Cette conversation va bientôt se terminer.",
    "it": "Questa conversazione terminerà tra poco.",
    "ja": "この会話はまもなく終わります。",
    "ko": "이 대화는 곧 끝납니다.",
    "nl": "Dit gesprek eindigt binnenkort.",
    "pt": "Esta conversa vai terminar em breve.",
    "ru": "Этот разговор скоро закончится.",
    "zh": "这次对话很快就要结束了。",
}
FAREWELL = {
    "en": "The time for this conversation is up. Goodbye.",
    "de": "Die Zeit für dieses Gespräch ist um. Auf Wiederhören.",
    "es": "El tiempo de esta conversación se ha acabado. Adiós.",
    "fr": "Le temps de cette conversation est écoulé. Au revoir.",
    "it": "Il tempo di questa conversazione è finito. Arrivederci.",
    "ja": "会話の時間が終わりました。さようなら。",
    "ko": "대화 시간이 다 되었습니다. 안녕히 계세요.",
    "nl": "De tijd voor dit gesprek is om. Tot ziens.",
    "pt": "O tempo desta conversa acabou. Até logo.",
    "ru": "Время этого разговора истекло. До свидания.",
    "zh": "这次对话的时间到了，再见。",
}


class Aloud:
    """See the top of the file. `is_quiet`: whether nobody speaks and nothing is being answered; `kick`: there is something to send."""

    def __init__(self, errands: Errands, is_quiet: Callable[[], bool], kick: Callable[[], None]) -> None:
        self._errands = errands
        self._is_quiet = is_quiet
        self._kick = kick

    @property
    def quiet(self) -> bool:
        """Nobody speaks, as far as the server and our own detector hear, and nothing is being answered."""
        return self._is_quiet()

    def say(self, words: Mapping[str, str]) -> bool:
        """Have this said, by language; English for all others. False if it is not the moment: ask again, or leave it."""
        if not self._is_quiet() or not self._errands.announce(words):
            return False
        self._kick()
        return True
