"""The room's own words, for its templates: one name for each, translated for one reader. Pure."""

from typing import Final

from bots.wording.labels import N_
from bots.wording.words import Words

TEXTS: Final = {
    "room": N_("Reading room"),
    "skip": N_("Skip to the text"),
    "bulletins": N_("Bulletins"),
    "passkeys": N_("Passkeys"),
    "sign_in": N_("Sign in"),
    "sign_out": N_("Sign out"),
    "exercise": N_("EXERCISE"),
    "search": N_("Search"),
    "search_words": N_("Words"),
    "kind": N_("Kind"),
    "severity": N_("Severity"),
    "community": N_("Community"),
    "any_kind": N_("all kinds"),
    "any_community": N_("all communities"),
    "flash": N_("Flash: waiting for your acknowledgement"),
    "none": N_("Nothing found."),
    "older": N_("Older ones"),
    "languages": N_("Languages of this bulletin"),
    "summary": N_("Summary"),
    "text": N_("Text"),
    "caveats": N_("Handling"),
    "facts": N_("Particulars"),
    "files": N_("Files"),
    "download": N_("Download {name}"),
    "links": N_("Linked bulletins"),
    "elsewhere": N_("Not here, or above what you are shown here."),
    "replies": N_("What was answered to it"),
    "acknowledge": N_("Acknowledge"),
    "acknowledged": N_("Acknowledged"),
    "acknowledge_about": N_("It tells the community that your agency has read it."),
    "draft_about": N_("A draft is begun. Nothing goes out before it is released."),
    "print": N_("Print view"),
    "printed": N_("Printed for {name}, {time}"),
    "back": N_("Back to the bulletin"),
    "bulletins_all": N_("All bulletins"),
    "welcome": N_("Your agency's bulletins, up to the markings that stay out of chat."),
    "use_passkey": N_("Sign in with a passkey"),
    "use_chat": N_("From chat: send /room to the bot. Its link works once, within two minutes."),
    "use_admin": N_("No chat? Your administrator can give you a link at your agency's terminal."),
    "go_on": N_("I am signed in: go on"),
    "no_script": N_("Passkeys do not work without scripts. Reading does: sign in from chat."),
    "no_passkeys": N_("This browser has no passkeys. Sign in from chat, or use another browser."),
    "link_title": N_("Sign in with your link"),
    "link_about": N_("This link works once. Go on only if you asked for it just now."),
    "link_old": N_("This link was used already, or is too old. Ask for another."),
    "opening": N_("Opening the reading room …"),
    "app_failed": N_("The chat could not say who you are. Close this window, and open it from chat anew."),
    "app_outside": N_("This page opens from the chat. In a browser, sign in here:"),
    "passkey_failed": N_("That passkey was not accepted. Try again, or sign in from chat."),
    "passkey_refused": N_(
        "That passkey was not accepted. If it was removed here, delete it on your device too. Use another "
        "one, or sign in from chat."
    ),
    "passkey_stopped": N_("Nothing was done: the browser's question was closed or took too long."),
    "keys_about": N_("A passkey is kept in your telephone, computer or security key. It needs no chat."),
    "keys_none": N_("You have no passkeys yet."),
    "keys_add": N_("Add a passkey"),
    "keys_taken": N_("This device already has one of the passkeys above: nothing more is needed."),
    "keys_taken_same": N_(
        "This device already has one of the passkeys above. Another one made from chat would do no more; one "
        "that does is made with a link from your agency’s terminal."
    ),
    "keys_taken_chat": N_(
        "This device already has one of the passkeys above. If that is one made from chat, remove it first; "
        "then add the new one."
    ),
    "keys_full": N_("You have as many passkeys as there may be. Remove one first."),
    "keys_made": N_("Added {time}, last used {used}"),
    "keys_chat": N_("Made from chat: shows bulletins up to {tlp}."),
    "keys_agency": N_("Made at the agency's terminal: shows bulletins up to {tlp}."),
    "keys_short": N_("It does not release drafts above {tlp}."),
    "keys_whole": N_("It releases drafts up to {tlp}."),
    "keys_removed": N_("One that you remove here is not accepted any more: delete it on your device too."),
    "keys_remove": N_("Remove"),
    "keys_leave": N_("Sign out everywhere"),
    "shown_up_to": N_("You are shown bulletins up to {tlp}."),
    "above_title": N_("{ref} is not shown here"),
    "above_terminal": N_("Its marking keeps it out of here. Read it on your agency's terminal."),
    "above_passkey": N_("Its marking asks for a passkey made at your agency’s terminal."),
    "above_used": N_("The passkey that you signed in with was made from chat: it is not enough for this."),
    "error_home": N_("To the bulletins"),
    "error_400": N_("That could not be read. Go back and try again."),
    "error_403": N_("This form is too old or came from elsewhere. Nothing was done. Open the page anew."),
    "error_404": N_("There is no such page or bulletin here. A reference looks like FRA-2026-0042."),
    "error_429": N_("Too many tries. Wait a minute."),
    "error_500": N_("Something went wrong here. It has been noted; try again."),
    "error_503": N_("Your agency's node does not answer just now. Try again in a minute. ({code})"),
    "file_later": N_("The file is still on its way to your agency. Try again in a minute."),
    "write": N_("Write"),
    "draft_new": N_("New draft"),
    "drafts_none": N_("No drafts."),
    "drafts_above": N_(
        "Not shown under this sign-in: {drafts}. It takes a passkey made at your agency’s terminal."
    ),
    "draft_save": N_("Save"),
    "draft_overtaken": N_(
        "It was changed elsewhere while this form was open, so this is not saved. Look at how it stands now; "
        "if you save here, what stands below takes its place."
    ),
    "draft_back": N_("Back"),
    "draft_on": N_("Go on"),
    "draft_change": N_("Change"),
    "draft_undo": N_("Undo"),
    "draft_discard": N_("Discard"),
    "draft_final": N_("Once released it cannot be taken back, only amended or retracted."),
    "draft_release": N_("Release"),
    "draft_unofficial": N_("Release, translations not official"),
    "draft_official": N_("Release, translations official"),
    "draft_official_about": N_(
        "Its translations are shown as official only if your agency answers for them: choose with the button."
    ),
    "draft_official_later": N_("Whoever releases it says whether its translations are official."),
    "draft_elsewhere": N_("Its files were given elsewhere. Release it where they were given."),
    "draft_passkey": N_(
        "To read, change or send it back, /room is enough. Releasing it takes a passkey made at your "
        "agency’s terminal."
    ),
    "draft_change_about": N_(
        "Once a change is saved, it no longer waits for release until it is sent again."
    ),
    "draft_return": N_("Send back"),
    "draft_note": N_("{draft}: what should be changed? Send a line."),
    "draft_another": N_("Another officer must release it."),
    "draft_send": N_("Send for release"),
    "draft_take": N_("Take back"),
    "draft_take_first": N_("To change or discard it, take it back first."),
    "draft_unsure": N_(
        "The node did not answer, and may have taken it. Ask again: it goes out once, at most."
    ),
    "draft_again": N_("Ask again"),
    "hint_marking": N_("Above {tlp} it takes a passkey made at your agency’s terminal. Sign in with it."),
    "hint_marking_terminal": N_("Above {tlp} it is written on your agency’s terminal."),
    "hint_grading": N_("A letter from A to F and a number from 1 to 6, such as B2."),
    "hint_regions": N_("Countries by name or code, such as France or DE-BE."),
    "hint_tactics": N_("Codes of tactics, such as T1566 or T0049."),
    "hint_references": N_("References, such as FRA-2026-0042."),
    "hint_event": N_("The name; on a second line the venue."),
    "hint_channel": N_("The address; on a second line the platform."),
    "hint_until": N_("A day such as 2026-12-24, or 2026-12-24 18:00."),
    "hint_caveats": N_("One caveat a line."),
    "hint_translation": N_("Title on the first line, text below. Without a text the translation goes."),
    "signed_out": N_("You are signed out. Close this window if others use the machine."),
}  # fmt: skip
"""Every text. Those with `{places}` are filled by calling `PageWords`."""


class PageWords:
    """`t.name` is a text; `t("name", place=value)` is one with its places filled with plain text."""

    def __init__(self, say: Words) -> None:
        self._say = say

    def __getattr__(self, name: str) -> str:
        if name not in TEXTS:
            raise AttributeError(name)
        return self._say.text(TEXTS[name])

    def __call__(self, name: str, /, **places: str) -> str:
        """The text `name`, its places filled."""
        filled = {key: self._say.embed(value) for key, value in places.items()}
        return self._say.text(TEXTS[name], **filled)
