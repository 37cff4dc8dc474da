"""`/who`: the chain from a bulletin to the root, in words, the verdict first. Part of the release gate. Pure.

Of a bulletin above the ceiling it says who signed, with which key, and who vouches for that: nothing of what
the bulletin says, where it was published, or how its source was graded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bots.clock import moment
from bots.parsing.actions import encode, short
from bots.showing.release import Ceiling, Release, Sight
from bots.showing.render import Reader
from bots.showing.rendered import Button, Part, Rendered, Showing
from bots.wording import labels
from bots.wording.labels import N_
from bots.wording.markup import Span, laid
from bots.wording.words import Words, words
from schemas.encoding import from_instant
from subscribers.insight.shapes import Provenance, SigningKey
from subscribers.records import Record

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_KID_SHOWN: Final = 8
_STATES: Final = {
    "current": N_("still in use"),
    "replaced": N_("replaced by a newer one since, as is usual"),
    "revoked": N_("revoked since"),
}


@dataclass(frozen=True, slots=True)
class _Told:
    """What the lines are made from; `now` in Unix seconds."""

    chain: Provenance
    reader: Reader
    say: Words
    now: float

    @property
    def agency(self) -> str:
        """Its name, fit for a line."""
        return self.say.embed(self.chain.agency_name)

    def day(self, instant: str) -> str:
        """A date with its time."""
        return self.say.embed(self.say.when(moment(from_instant(instant) / 1000), self.reader.zone))


def chain(told: Provenance, record: Record, ceiling: Ceiling, reader: Reader, *, now: float) -> Rendered:
    """The chain of `record`, as far as `ceiling` allows. `now` in Unix seconds."""
    say, full = words(reader.language), ceiling.allows(record.bulletin.tlp) is Release.FULL
    facts = _Told(told, reader, say, now)
    verdict = ("✅ " if _whole(told) else "⚠️ ") + _verdict(facts)
    spans: list[Span] = [Span(verdict, "b"), Span("\n"), *say.code(record.bulletin.ref), Span("\n")]
    spans += [Span("\n" + line) for line in _signing(facts)]
    if full:
        spans += [Span("\n" + line) for line in _reading(facts, record)]
    else:
        spans.append(Span("\n🔒 " + say.text("Its marking keeps the rest on your agency's terminal.")))
    rows = ((Button("📖 " + say.text("Show more"), encode("more", short(told.id), reader.language.value)),),)
    # Who signed what on which day is not for forwarding, whatever the marking.
    return Rendered(
        (Part.of(laid(spans, rtl=say.rtl)),),
        rows if full else (),
        silent=True,
        passing=not full,
        shows=(Showing(record.bulletin.ref, Sight.TITLE if full else Sight.WAITING),),
    )


def _whole(told: Provenance) -> bool:
    """Whether nothing in the chain is missing or in doubt."""
    witnessed = told.key is not None and (told.key.witnessed or not told.vouching.quorum)
    return told.key is not None and told.key.state != "revoked" and witnessed and not told.vouching.stale


def _verdict(facts: _Told) -> str:
    say, told, vouching = facts.say, facts.chain, facts.chain.vouching
    if told.key is None:
        return say.text(
            "{agency} signed it: checked when it came, not kept to show again.", agency=facts.agency
        )
    if told.key.state == "revoked":
        return say.text(
            "Signed by {agency} with a key that it has revoked since. Ask {agency} whether it still stands.",
            agency=facts.agency,
        )
    if not vouching.quorum:
        return say.text(
            "Signed by {agency}, whose key the root of {year} vouches for; there are no witnesses.",
            agency=facts.agency,
            year=_year(facts),
        )
    if not told.key.witnessed:
        return say.text(
            "Signed by {agency}, with a key that the witnesses have not confirmed yet.", agency=facts.agency
        )
    if vouching.stale:
        return say.text(
            "Signed by {agency}, but the witnesses have been silent for too long.", agency=facts.agency
        )
    return say.text(
        "Signed by {agency}, whose key the root of {year} vouches for; witnessed by {seen} of {all}.",
        agency=facts.agency,
        year=_year(facts),
        seen=vouching.cosigned,
        all=vouching.witnesses,
    )


def _signing(facts: _Told) -> Iterator[str]:
    """Key, voucher, witnesses, and how to make sure by voice."""
    say, told, vouching = facts.say, facts.chain, facts.chain.vouching
    if told.key:
        yield "🔑 " + _key(facts, told.key)
        if told.signature == "reached":
            yield "↪️ " + say.text(
                "The signature of a later message of {agency} covers it.", agency=facts.agency
            )
    yield "🏛 " + say.text(
        "Registrars who vouch for {agency}: {needed} of {all} must sign (root {version}, {date}).",
        needed=vouching.threshold,
        all=vouching.registrars,
        agency=facts.agency,
        version=vouching.root,
        date=facts.day(vouching.issued),
    )
    if vouching.seen:
        yield "👁 " + say.text(
            "Witnesses who saw this directory: {seen} of {all}, {age}.",
            seen=vouching.cosigned,
            all=vouching.witnesses,
            age=_age(facts, vouching.seen),
        )
    elif vouching.quorum:
        yield "👁 " + say.text("No witness has been heard yet.")
    if told.identities > 1:
        yield "🪪 " + say.text("Its identity key was replaced before: notices told of it.")
    if told.fingerprint:
        yield "☎️ " + say.text("To be sure, have {agency} read you its fingerprint:", agency=facts.agency)
        yield say.embed(told.fingerprint)


def _key(facts: _Told, key: SigningKey) -> str:
    say = facts.say
    return say.text(
        "Key {key}, in use since {date}: {state}",
        key=say.embed(key.kid[:_KID_SHOWN]),
        date=facts.day(key.since),
        state=say.text(_STATES[key.state]),
    )


def _reading(facts: _Told, record: Record) -> Iterator[str]:
    """Who may read it, how the source was graded, what became of it, and what can be shown to others."""
    say, audience = facts.say, facts.chain.audience
    yield ""
    if audience.private:
        yield "🔏 " + say.text("Sealed to its originator and its sender alone.")
    else:
        owners = say.listed(say.embed(each) for each in audience.owners)
        members = say.count("{number} agency", "{number} agencies", audience.members + audience.readers)
        yield "👥 " + say.text(
            "{community}: {members} may read it. Owned by {owners}.",
            community=say.embed(facts.chain.community_title),
            members=members,
            owners=owners,
        )
    grading = record.bulletin.grading
    yield "🎚 " + (labels.grading(grading, say) if grading else say.text("Its source was not graded."))
    if facts.chain.state != "current":
        changed = say.text("AMENDED since") if facts.chain.state == "amended" else say.text("RETRACTED")
        yield "✏️ " + changed
    yield "⚖️ " + (
        say.text("Your agency's terminal can export evidence of it for a third party.")
        if facts.chain.evidence
        else say.text("Evidence of it cannot be exported now.")
    )


def _age(facts: _Told, instant: str) -> str:
    """How long ago, in the largest unit that has passed."""
    say, seconds = facts.say, max(0, int(facts.now - from_instant(instant) / 1000))
    if seconds < _HOUR:
        return say.count("{number} minute ago", "{number} minutes ago", seconds // _MINUTE)
    if seconds < _DAY:
        return say.count("{number} hour ago", "{number} hours ago", seconds // _HOUR)
    return say.count("{number} day ago", "{number} days ago", seconds // _DAY)


def _year(facts: _Told) -> str:
    return facts.chain.vouching.issued[:4]
