"""The Bot API methods about the bot itself and about chats: commands, descriptions, menu button, getChat."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bots.sandbox.methods import MESSAGE_METHODS, Method, Service
from bots.sandbox.model import ChatKind, Json, Standing
from bots.sandbox.params import Params
from bots.sandbox.refusals import refuse
from bots.sandbox.world import World

MAX_COMMANDS = 100
MAX_COMMAND = 32
MAX_COMMAND_DESCRIPTION = 256
MAX_DESCRIPTION = 512
MAX_SHORT_DESCRIPTION = 120

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_PLAIN_SCOPES = frozenset({"default", "all_private_chats", "all_group_chats", "all_chat_administrators"})
_CHAT_SCOPES = frozenset({"chat", "chat_administrators", "chat_member"})
_MENU_BUTTONS = frozenset({"default", "commands", "web_app"})


def get_me(service: Service, _params: Params) -> object:
    """bots/api#getme"""
    return {
        **service.world.me.wire(),
        "can_join_groups": True,
        "can_read_all_group_messages": True,
        "supports_inline_queries": False,
    }


# ---------------------------------------------------------------------- commands


def _scope(params: Params) -> str:
    """The scope as a key: its type, with the chat and member it names."""
    scope = params.json("scope")
    if scope is None:
        return "default"
    if not isinstance(scope, dict):
        raise refuse("scope-invalid", what="expected an Object")
    kind = scope.get("type")
    if kind in _PLAIN_SCOPES:
        return str(kind)
    if kind not in _CHAT_SCOPES:
        raise refuse("scope-invalid", what="unsupported type specified")
    if not isinstance(scope.get("chat_id"), int):
        raise refuse("chat-empty")
    member = f"/{scope.get('user_id')}" if kind == "chat_member" else ""
    return f"{kind}/{scope['chat_id']}{member}"


def _language(params: Params) -> str:
    language = params.text("language_code")
    if language and not _LANGUAGE.fullmatch(language):
        raise refuse("language-invalid")
    return language


def _command(value: object) -> Json:
    if not isinstance(value, dict):
        raise refuse("parameter-invalid", what="BotCommand: expected an Object")
    command = str(value.get("command", "")).strip().removeprefix("/")
    description = str(value.get("description", "")).strip()
    if not command:
        raise refuse("command-empty")
    if len(command) > MAX_COMMAND:
        raise refuse("command-long")
    if not description:
        raise refuse("command-description-empty")
    if len(description) > MAX_COMMAND_DESCRIPTION:
        raise refuse("command-description-long")
    if not _COMMAND.fullmatch(command):
        raise refuse("command-invalid")
    return {"command": command, "description": description}


def set_my_commands(service: Service, params: Params) -> object:
    """bots/api#setmycommands"""
    key = (_scope(params), _language(params))
    commands = [_command(each) for each in params.array("commands")]
    if len(commands) > MAX_COMMANDS:
        raise refuse("commands-too-many")
    if commands:
        service.world.profile.commands[key] = commands
    else:
        service.world.profile.commands.pop(key, None)
    service.world.tell("profile", {})
    return True


def get_my_commands(service: Service, params: Params) -> object:
    """bots/api#getmycommands: exactly this scope and language, without falling back."""
    return service.world.profile.commands.get((_scope(params), _language(params)), [])


def delete_my_commands(service: Service, params: Params) -> object:
    """bots/api#deletemycommands"""
    service.world.profile.commands.pop((_scope(params), _language(params)), None)
    service.world.tell("profile", {})
    return True


def commands_for(world: World, chat_id: int, user_id: int, language: str) -> list[Json]:
    """What a client suggests there: the narrowest scope first, each in the user's language, then the default
    (bots/api#determining-list-of-commands).
    """
    chat = world.chats[chat_id]
    wide = "all_group_chats" if chat.is_group else "all_private_chats"
    member = [f"chat_member/{chat_id}/{user_id}"] if chat.is_group else []
    for scope in (*member, f"chat/{chat_id}", wide, "default"):
        for code in (language[:2], ""):
            commands = world.profile.commands.get((scope, code))
            if commands:
                return commands
    return []


# ---------------------------------------------------------------------- descriptions, menu button


def description_for(world: World, language: str) -> str:
    """What a client shows to somebody who has not started the bot, in this language or else the default."""
    kept = world.profile.descriptions
    return kept.get(language[:2], kept.get("", ""))


def _set_description(params: Params, kept: dict[str, str], name: str, longest: int) -> bool:
    language, text = _language(params), params.text(name).strip()
    if len(text) > longest:
        raise refuse("description-long")
    if text:
        kept[language] = text
    else:
        kept.pop(language, None)
    return True


def set_my_description(service: Service, params: Params) -> object:
    """bots/api#setmydescription"""
    done = _set_description(params, service.world.profile.descriptions, "description", MAX_DESCRIPTION)
    service.world.tell("profile", {})
    return done


def set_my_short_description(service: Service, params: Params) -> object:
    """bots/api#setmyshortdescription"""
    kept = service.world.profile.short_descriptions
    return _set_description(params, kept, "short_description", MAX_SHORT_DESCRIPTION)


def get_my_description(service: Service, params: Params) -> object:
    """bots/api#getmydescription"""
    return {"description": description_for(service.world, _language(params))}


def get_my_short_description(service: Service, params: Params) -> object:
    """bots/api#getmyshortdescription"""
    kept = service.world.profile.short_descriptions
    return {"short_description": kept.get(_language(params), kept.get("", ""))}


def _menu_chat(service: Service, params: Params) -> int | None:
    return service.world.chat_for_bot(params.chat_id()).id if params.text("chat_id") else None


def set_chat_menu_button(service: Service, params: Params) -> object:
    """bots/api#setchatmenubutton"""
    button = params.json("menu_button")
    if button is None:
        button = {"type": "default"}
    if not isinstance(button, dict) or button.get("type") not in _MENU_BUTTONS:
        raise refuse("menu-button", what="unsupported type specified")
    service.world.profile.menu_buttons[_menu_chat(service, params)] = button
    return True


def get_chat_menu_button(service: Service, params: Params) -> object:
    """bots/api#getchatmenubutton"""
    kept = service.world.profile.menu_buttons
    return kept.get(_menu_chat(service, params), kept.get(None, {"type": "commands"}))


# ---------------------------------------------------------------------- chats and members


def get_chat(service: Service, params: Params) -> object:
    """bots/api#getchat"""
    chat = service.world.chat_for_bot(params.chat_id())
    return {
        **chat.wire(),
        "accent_color_id": abs(chat.id) % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": {
            "unlimited_gifts": False,
            "limited_gifts": False,
            "unique_gifts": False,
            "premium_subscription": False,
            "gifts_from_channels": False,
        },
    }


def get_chat_member(service: Service, params: Params) -> object:
    """bots/api#getchatmember: members of the chat, or the bot itself."""
    world = service.world
    chat = world.chat_for_bot(params.chat_id())
    user_id = params.integer("user_id")
    if user_id == world.me.id:
        return {"status": "member", "user": world.me.wire()}
    user = chat.members.get(user_id)
    if user is not None:
        return {"status": "member", "user": user.wire()}
    for other in world.chats.values():
        if user_id in other.members and other.kind is ChatKind.PRIVATE and other.standing is not Standing.NEW:
            return {"status": "left", "user": other.members[user_id].wire()}
    raise refuse("user-unknown")


METHODS: Mapping[str, Method] = {
    **MESSAGE_METHODS,
    "getMe": get_me,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "setMyDescription": set_my_description,
    "getMyDescription": get_my_description,
    "setMyShortDescription": set_my_short_description,
    "getMyShortDescription": get_my_short_description,
    "setChatMenuButton": set_chat_menu_button,
    "getChatMenuButton": get_chat_menu_button,
    "getChat": get_chat,
    "getChatMember": get_chat_member,
}
BY_LOWER_NAME = {name.lower(): (name, method) for name, method in METHODS.items()}
