"""The refusals of the real Bot API, word for word, each with where it was read.

Sources: `bots/api` and `bots/faq` are pages of core.telegram.org; `Client.cpp` is tdlib/telegram-bot-api (the
public server's source, `fail_query_with_error` and the `process_*_query` functions); `td` is the client
library under it; `observed` is what users of the service report for an error that the service's own servers
raise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class RefusalText:
    """One refusal: HTTP status (also `error_code`), description (a `str.format` template) and its source."""

    code: int
    description: str
    source: str


class ApiRefusal(Exception):
    """A Bot API call is refused: becomes `{"ok": false, "error_code", "description", "parameters"}`."""

    def __init__(
        self, name: str, code: int, description: str, parameters: Mapping[str, int] | None = None
    ) -> None:
        super().__init__(description)
        self.name = name
        self.code = code
        self.description = description
        self.parameters = dict(parameters or {})


_NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly "
    "the same as a current content and reply markup of the message"
)
_OTHER_POLL = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
)
_WEBHOOK_SET = (
    "Conflict: can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)
_QUERY_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"

REFUSALS: Mapping[str, RefusalText] = MappingProxyType(
    {
        # who calls, and how
        "token-malformed": RefusalText(404, "Not Found", "Client.cpp"),
        "token-unknown": RefusalText(401, "Unauthorized", "Client.cpp; bots/api#authorizing-your-bot"),
        "method-unknown": RefusalText(404, "Not Found: method not found", "Client.cpp"),
        "request-too-large": RefusalText(
            413, "Request Entity Too Large", "Client.cpp; bots/api#sending-files"
        ),
        "body-unreadable": RefusalText(400, "Bad Request: can't parse request body", "HttpConnection.cpp"),
        "parameter-invalid": RefusalText(400, "Bad Request: can't parse {what}", "Client.cpp"),
        # flood control
        "too-many": RefusalText(
            429, "Too Many Requests: retry after {retry_after}", "bots/faq#my-bot-is-hitting-limits"
        ),
        # two readers of one queue of updates
        "poll-terminated": RefusalText(409, _OTHER_POLL, "Client.cpp"),
        "webhook-active": RefusalText(409, _WEBHOOK_SET, "Client.cpp; bots/api#getupdates"),
        "webhook-url": RefusalText(
            400, "Bad Request: bad webhook: an HTTPS URL must be provided for webhook", "WebhookActor.cpp"
        ),
        "webhook-secret": RefusalText(
            400, "Bad Request: secret token contains unallowed characters", "Client.cpp; bots/api#setwebhook"
        ),
        # who can be written to
        "chat-empty": RefusalText(400, "Bad Request: chat_id is empty", "Client.cpp"),
        "chat-unknown": RefusalText(400, "Bad Request: chat not found", "Client.cpp"),
        "chat-migrated": RefusalText(
            400, "Bad Request: group chat was upgraded to a supergroup chat", "bots/api#responseparameters"
        ),
        "group-deleted": RefusalText(403, "Forbidden: the group chat was deleted", "Client.cpp"),
        "bot-blocked": RefusalText(403, "Forbidden: bot was blocked by the user", "Client.cpp"),
        "bot-kicked": RefusalText(403, "Forbidden: bot was kicked from the {kind} chat", "Client.cpp"),
        "user-deactivated": RefusalText(403, "Forbidden: user is deactivated", "Client.cpp"),
        "not-started": RefusalText(
            403, "Forbidden: bot can't initiate conversation with a user", "Client.cpp"
        ),
        "user-unknown": RefusalText(400, "Bad Request: user not found", "Client.cpp"),
        # text and its formatting
        "text-empty": RefusalText(400, "Bad Request: message text is empty", "Client.cpp"),
        "text-too-long": RefusalText(
            400, "Bad Request: message is too long", "Client.cpp; bots/api#sendmessage"
        ),
        "edit-too-long": RefusalText(
            400, "Bad Request: MESSAGE_TOO_LONG", "observed; bots/api#editmessagetext"
        ),
        "caption-too-long": RefusalText(
            400, "Bad Request: message caption is too long", "td; bots/api#senddocument"
        ),
        "parse-mode": RefusalText(400, "Bad Request: unsupported parse_mode", "Client.cpp"),
        "entities": RefusalText(
            400, "Bad Request: can't parse entities: {what}", "Client.cpp; td MessageEntity.cpp"
        ),
        # buttons
        "markup-unreadable": RefusalText(
            400, "Bad Request: can't parse reply keyboard markup JSON object", "Client.cpp"
        ),
        "markup-not-object": RefusalText(400, "Bad Request: object expected as reply markup", "Client.cpp"),
        "markup-too-long": RefusalText(400, "Bad Request: reply markup is too long", "Client.cpp"),
        "button-unreadable": RefusalText(
            400,
            "Bad Request: can't parse inline keyboard button: {what}",
            "Client.cpp; bots/api#inlinekeyboardbutton",
        ),
        "button-plain": RefusalText(
            400,
            "Bad Request: can't parse inline keyboard button: "
            "Text buttons are unallowed in the inline keyboard",
            "Client.cpp",
        ),
        "button-data": RefusalText(
            400, "Bad Request: BUTTON_DATA_INVALID", "observed; bots/api#inlinekeyboardbutton"
        ),
        "button-url": RefusalText(400, "Bad Request: BUTTON_URL_INVALID", "observed"),
        "query-old": RefusalText(400, _QUERY_OLD, "Client.cpp"),
        "answer-too-long": RefusalText(
            400, "Bad Request: MESSAGE_TOO_LONG", "observed; bots/api#answercallbackquery"
        ),
        # messages already sent
        "message-unspecified": RefusalText(
            400, "Bad Request: message identifier is not specified", "Client.cpp"
        ),
        "edit-unknown": RefusalText(400, "Bad Request: message to edit not found", "Client.cpp"),
        "edit-forbidden": RefusalText(400, "Bad Request: message can't be edited", "Client.cpp; td"),
        "edit-no-text": RefusalText(400, "Bad Request: there is no text in the message to edit", "td"),
        "edit-no-caption": RefusalText(400, "Bad Request: there is no caption in the message to edit", "td"),
        "not-modified": RefusalText(400, _NOT_MODIFIED, "Client.cpp"),
        "delete-unknown": RefusalText(400, "Bad Request: message to delete not found", "Client.cpp"),
        "delete-forbidden": RefusalText(
            400, "Bad Request: message can't be deleted for everyone", "td; bots/api#deletemessage (48 hours)"
        ),
        "delete-none": RefusalText(400, "Bad Request: message identifiers are not specified", "Client.cpp"),
        "delete-too-many": RefusalText(
            400, "Bad Request: too many message identifiers specified", "Client.cpp; bots/api#deletemessages"
        ),
        "reply-unknown": RefusalText(400, "Bad Request: message to be replied not found", "Client.cpp"),
        # inline mode
        "inline-result": RefusalText(
            400,
            "Bad Request: can't parse inline query result: {what}",
            "Client.cpp; bots/api#inlinequeryresult",
        ),
        "inline-too-many": RefusalText(
            400,
            "Bad Request: too many inline query results specified",
            "td InlineQueriesManager.cpp; bots/api#answerinlinequery (50)",
        ),
        "inline-id": RefusalText(
            400, "Bad Request: RESULT_ID_INVALID", "observed; bots/api#inlinequeryresultarticle (64 bytes)"
        ),
        "inline-id-twice": RefusalText(
            400, "Bad Request: RESULT_ID_DUPLICATE", "observed; bots/api#inlinequeryresultarticle"
        ),
        "inline-title": RefusalText(
            400, "Bad Request: ARTICLE_TITLE_EMPTY", "observed; bots/api#inlinequeryresultarticle"
        ),
        # files
        "file-missing": RefusalText(400, "Bad Request: there is no {what} in the request", "Client.cpp"),
        "file-empty": RefusalText(400, "Bad Request: file must be non-empty", "td"),
        "file-unknown": RefusalText(
            400, "Bad Request: wrong file identifier/HTTP URL specified", "Client.cpp; bots/api#sending-files"
        ),
        "file-id": RefusalText(400, "Bad Request: invalid file_id", "Client.cpp"),
        "file-url": RefusalText(400, "Bad Request: failed to get HTTP URL content", "Client.cpp"),
        "file-too-big": RefusalText(
            400, "Bad Request: file is too big", "Client.cpp; bots/api#getfile (20 MB)"
        ),
        "photo-too-big": RefusalText(
            400,
            "Bad Request: file of size {size} bytes is too big for a photo; "
            "the maximum size is 10485760 bytes",
            "td; bots/api#sendphoto",
        ),
        "photo-unreadable": RefusalText(400, "Bad Request: IMAGE_PROCESS_FAILED", "observed"),
        "file-gone": RefusalText(404, "Not Found", "bots/api#getfile"),
        # the bot's own settings
        "command-empty": RefusalText(400, "Bad Request: command must be non-empty", "td BotCommand.cpp"),
        "command-long": RefusalText(
            400, "Bad Request: command length must not exceed 32", "td BotCommand.cpp"
        ),
        "command-invalid": RefusalText(
            400, "Bad Request: BOT_COMMAND_INVALID", "observed; bots/api#botcommand"
        ),
        "command-description-empty": RefusalText(
            400, "Bad Request: command description must be non-empty", "td BotCommand.cpp"
        ),
        "command-description-long": RefusalText(
            400, "Bad Request: command description length must not exceed 256", "td BotCommand.cpp"
        ),
        "commands-too-many": RefusalText(
            400, "Bad Request: BOT_COMMANDS_TOO_MUCH", "observed; bots/api#setmycommands"
        ),
        "language-invalid": RefusalText(
            400, "Bad Request: invalid language code specified", "td BotCommand.cpp"
        ),
        "scope-invalid": RefusalText(400, "Bad Request: can't parse BotCommandScope: {what}", "Client.cpp"),
        "description-long": RefusalText(
            400, "Bad Request: BOT_DESCRIPTION_TOO_LONG", "observed; bots/api#setmydescription"
        ),
        "menu-button": RefusalText(400, "Bad Request: can't parse menu button: {what}", "Client.cpp"),
        "action-wrong": RefusalText(400, "Bad Request: wrong parameter action in request", "Client.cpp"),
        # the service itself
        "server-error": RefusalText(500, "Internal Server Error", "Client.cpp"),
        "bad-gateway": RefusalText(502, "Bad Gateway", "observed"),
    }
)


def refuse(name: str, *, parameters: Mapping[str, int] | None = None, **values: object) -> ApiRefusal:
    """Build the refusal `name` of `REFUSALS`; `values` fill its template."""
    text = REFUSALS[name]
    return ApiRefusal(name, text.code, text.description.format(**values), parameters)


def too_many(retry_after: int) -> ApiRefusal:
    """429: the caller must wait `retry_after` seconds (a positive integer)."""
    return refuse("too-many", parameters={"retry_after": retry_after}, retry_after=retry_after)


def migrated(to_chat_id: int) -> ApiRefusal:
    """400 with `migrate_to_chat_id`: the group has become the supergroup `to_chat_id`."""
    return refuse("chat-migrated", parameters={"migrate_to_chat_id": to_chat_id})
