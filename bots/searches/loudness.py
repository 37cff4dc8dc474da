"""How a saved search tells, in words: how loud, in which language, what sounds while it is quiet. Pure."""

from collections.abc import Sequence
from typing import Final

from bots.dialogue.menus import hours
from bots.searches.watching import NEVER_QUIET, Mode, Search
from bots.state.officers import Officer
from bots.times import Quiet
from bots.wording.labels import N_
from bots.wording.words import NAMES, Words, words
from schemas.vocabulary import Tlp

_OTHERS_SHOWN: Final = 5

MODES: Final = {
    Mode.ALERT: ("🔔", N_("Alert at once")),
    Mode.DIGEST: ("🗞", N_("Only in the digest")),
    Mode.SILENT: ("🔕", N_("Silent: only when you look")),
}


def mode(value: Mode, say: Words) -> str:
    """How loud a search is, in words."""
    sign, text = MODES[value]
    return f"{sign} {say.text(text)}"


def named(name: str, say: Words) -> str:
    """A saved search by its name, which may read like anything: said to be one."""
    return say.text("subscription “{name}”", name=say.embed(name))


def heading(name: str, say: Words) -> str:
    """The same at the head of a message."""
    return say.text("Subscription “{name}”", name=say.embed(name))


def language(say: Words) -> str:
    """In which language bulletins are shown."""
    return "🌐 " + say.text(
        "Bulletins are shown to you in {language} if they have such a text, else in the original; /language"
        " changes that.",
        language=NAMES[say.language],
    )


def quiet_hours(own: Quiet | None, officer: Officer, say: Words) -> str:
    """The quiet hours that hold for a search, in words."""
    if own is None:
        within = hours(officer.quiet, say)
        if officer.quiet:
            within += f", {say.embed(officer.zone.key)}"
        return "🌙 " + say.text("Quiet hours: yours ({hours})", hours=within)
    if own == NEVER_QUIET:
        return "🌙 " + say.text("Quiet hours: {hours}", hours=hours(None, say))
    within = f"{hours(own, say)} ({say.embed(officer.zone.key)})"
    return "🌙 " + say.text("Quiet hours: {hours}", hours=within)


def told(
    search: Search, officer: Officer, others: Sequence[str] | None, *, withheld: Tlp | None
) -> list[str]:
    """Lines. `others`: which subscriptions may sound while it is quiet for this one; None when it never is.
    `withheld`: from which marking up this door withholds a text; None for nothing.
    """
    say = words(officer.language)
    lines = [mode(search.mode, say), language(say), quiet_hours(search.quiet, officer, say)]
    lines += _sounding(search, others, withheld=withheld, say=say)
    if withheld is not None and search.looks_inside:
        lines.append(
            "🔒 "
            + say.text(
                "Of what chat may not show, words, tactics, subjects and events are not looked for: kind,"
                " severity, community, region, language and marking decide. Each such bulletin comes by its"
                " reference, with kind, severity and marking as far as chat may show them, without a sound"
                " unless it is a flash."
            )
        )
    return lines


def _sounding(search: Search, others: Sequence[str] | None, *, withheld: Tlp | None, say: Words) -> list[str]:
    """What sounds while it is quiet; of one that never alerts, that a flash does."""
    if search.mode is not Mode.ALERT:
        return ["🔴 " + say.text("A flash sounds all the same.")]
    if others is None:
        return []
    flash = say.text("In them a flash sounds that this subscription wants, whatever its marking.")
    if withheld is not None:
        flash += " " + say.text(
            "So does one marked {tlp} or higher, which chat does not show: you get its reference.",
            tlp=say.embed(withheld.value),
        )
    also = say.text("No other subscription of yours sounds in them.")
    if others:
        some = [named(each, say) for each in others[:_OTHERS_SHOWN]]
        if left := len(others[_OTHERS_SHOWN:]):
            some.append(say.count("and {number} more", "and {number} more", left))
        also = say.text("May still sound in these hours: {searches}.", searches=say.listed(some))
        also += " " + say.text("Open one to give it quiet hours too, or set yours with /digest.")
    duty = say.text("Whoever is on duty is called to every flash.")
    rest = say.text("All else that comes in them is told when they end.")
    return [f"🔴 {flash} {duty}", f"🔔 {also}", f"🕕 {rest}"]
