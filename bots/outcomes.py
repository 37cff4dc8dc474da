"""How a request to the chat service can fail, in the terms that delivery decides by."""


class ChatFailure(Exception):
    """The message was not, or perhaps not, delivered."""


class TooFast(ChatFailure):
    """429: not delivered; wait `retry_after` seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"retry after {retry_after} s")
        self.retry_after = retry_after


class Blocked(ChatFailure):
    """403: the officer blocked the bot or left; nothing arrives until they are back."""


class Moved(ChatFailure):
    """The chat has another id now."""

    def __init__(self, chat: int) -> None:
        super().__init__("the chat moved")
        self.chat = chat


class Refused(ChatFailure):
    """400 and the like: the service will never take this request."""


class NotSent(ChatFailure):
    """No connection: surely not delivered."""


class Unsure(ChatFailure):
    """The connection broke or the service failed after the request left: perhaps delivered."""
