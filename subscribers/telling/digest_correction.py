"""A digest that listed what was amended or retracted since, as an amendment of that digest. Pure.

It tells no more than the digest and the amendments do: what was retracted keeps its reference alone, what was
amended is told by its amendment, under the highest marking and the strictest history flag among them.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from schemas.bulletin import Draft
from schemas.encoding import canonical_json
from schemas.limits import LIST_MAX, TITLE_MAX
from schemas.particulars import Link, Translation
from schemas.vocabulary import History, Kind, Language, Relation, Severity
from subscribers.records import Record
from subscribers.telling.digest import LINE_ROOM, PER_LANGUAGE, caveats, listed_line
from subscribers.telling.digest_texts import TEXTS

MIGRATIONS: Final = (
    """
    CREATE TABLE corrections(
        digest TEXT, change TEXT, amendment TEXT NOT NULL, PRIMARY KEY (digest, change)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX replacements_of ON replacements(position);
    DELETE FROM terms WHERE rowid IN (
        SELECT position FROM bulletins WHERE state = 'amended' AND kind = 'digest'
    );
    """,
)


def correction(digest: Record, listed: Sequence[Record], replacements: Mapping[str, Record]) -> Draft:
    """The amendment of `digest`. `listed` are the bulletins that it lists, as they stand now, `replacements`
    the amendments by their ids.
    """
    shown = [
        (each, replacements.get(each.replaced_by or "", each) if each.state == "amended" else each)
        for each in listed
    ]
    told = [now for each, now in shown if each.state != "retracted"]
    texts = {language: _text(digest, shown, language) for language in Language}
    main = texts.pop(Language.ENGLISH)
    everything, kept = [digest, *told], dict.fromkeys(each.bulletin.id for each in told)
    return Draft(
        kind=Kind.AMENDMENT,
        title=main.title,
        body=main.body,
        language=Language.ENGLISH,
        translations=list(texts.values()),
        severity=Severity.INFO,
        tlp=max((each.bulletin.tlp for each in everything), key=lambda tlp: tlp.rank),
        history=min((each.bulletin.history for each in everything), key=list(History).index),
        caveats=caveats(everything),
        regions=sorted({region for each in told for region in each.bulletin.regions})[:LIST_MAX],
        links=[
            Link(relation=Relation.AMENDS, id=digest.bulletin.id),
            *(Link(relation=Relation.CONTAINS, id=each) for each in kept),
        ],
        exercise=digest.bulletin.exercise,
    )


def _text(digest: Record, shown: Sequence[tuple[Record, Record]], language: Language) -> Translation:
    texts, room = TEXTS[language], PER_LANGUAGE - LINE_ROOM
    lines: list[str] = []
    # What has changed comes first: that is what a reader of the digest must know.
    for each, now in sorted(shown, key=lambda pair: pair[0].state == "current"):
        if each.state == "retracted":
            text = f"• {each.bulletin.ref} · {texts.withdrawn}"
        elif now is not each:
            text = f"{listed_line(now, language, texts)} ({texts.corrected}: {each.bulletin.ref})"
        else:
            text = listed_line(each, language, texts)
        if room < (size := len(canonical_json(text))):
            continue
        lines.append(text)
        room -= size
    if left := len(shown) - len(lines):
        lines.append(f"+{left} {texts.more}")
    title = f"{texts.corrected}: {digest.bulletin.text_in(language).title}"[:TITLE_MAX]
    return Translation(language=language, official=False, title=title, body="\n".join(lines))
