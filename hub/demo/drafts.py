"""What is published: the committed samples for people to read, and numbered variations for measuring. Pure;
the randomness is passed in.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Final

from hub.demo import plan
from hub.demo.plan import Sent
from schemas.vocabulary import Kind, Language, Relation, Severity, Tlp

STEM_BYTES: Final = 10
_FLASH_AT_MOST: Final = 20
"""So many flash bulletins in a run at most: a chat takes one message a second."""
_FLASH_EVERY: Final = 8
_TARGET_DISTANCE: Final = 12
_TITLE_OF: Final = {
    Language.ARABIC: "تقرير رقم",
    Language.CHINESE: "第号通报",
    Language.ENGLISH: "Report number",
    Language.FRENCH: "Compte rendu numéro",
    Language.RUSSIAN: "Сообщение номер",
    Language.SPANISH: "Informe número",
}
_SENTENCE_OF: Final = {
    Language.ARABIC: "رُصد الأسلوب نفسه مرتين هذا الأسبوع عند المعبر نفسه.",
    Language.CHINESE: "本周在同一口岸两次发现相同手法。",
    Language.ENGLISH: "The same method was seen twice this week at the same crossing.",
    Language.FRENCH: "La même méthode a été vue deux fois cette semaine au même passage.",
    Language.RUSSIAN: "На этой неделе тот же приём дважды отмечен на том же переходе.",
    Language.SPANISH: "El mismo método se vio dos veces esta semana en el mismo paso.",
}
_TOLD_AGAIN: Final = frozenset({Kind.NOTICE, Kind.EVENT})
"""What is sent again rather than seen again."""
_SEEN_AGAIN: Final = {
    Language.ARABIC: ("بلاغ جديد: ", "أبلغ مكان آخر عن الأمر نفسه: يُعامل كحالة مستقلة."),
    Language.CHINESE: ("再次通报：", "另一地点通报了同样情况，请按单独事件处理。"),
    Language.ENGLISH: (
        "Reported again: ",
        "The same is reported from another place: treat it as a case of its own.",
    ),
    Language.FRENCH: (
        "Nouveau signalement : ",
        "Le même fait est signalé d'un autre lieu : à traiter comme un cas distinct.",
    ),
    Language.RUSSIAN: ("Новое сообщение: ", "О том же сообщают из другого места: считать отдельным случаем."),
    Language.SPANISH: (
        "Nuevo aviso: ",
        "Lo mismo se comunica desde otro lugar: trátese como un caso aparte.",
    ),
}
"""Before the title, and the first sentence."""
_ASKED_AGAIN: Final = {
    Language.ARABIC: ("سؤال مجدد: ", "نسأل مرة أخرى: لم تكفِ الأجوبة حتى الآن."),
    Language.CHINESE: ("再次询问：", "再次询问：迄今的答复还不够。"),
    Language.ENGLISH: ("Asked again: ", "We ask again: the answers so far were not enough."),
    Language.FRENCH: ("Nouvelle demande : ", "Nous redemandons : les réponses reçues ne suffisent pas."),
    Language.RUSSIAN: ("Повторный запрос: ", "Спрашиваем снова: полученных ответов недостаточно."),
    Language.SPANISH: ("Nueva consulta: ", "Volvemos a preguntar: las respuestas recibidas no bastan."),
}
_SENT_AGAIN: Final = {
    Language.ARABIC: ("تذكير: ", "يُرسل مرة أخرى للعلم، دون تغيير."),
    Language.CHINESE: ("提醒：", "再次发送供参考，内容没有变化。"),
    Language.ENGLISH: ("Reminder: ", "Sent again so that it is at hand; nothing in it has changed."),
    Language.FRENCH: ("Rappel : ", "Envoyé de nouveau pour mémoire, sans changement."),
    Language.RUSSIAN: ("Напоминание: ", "Направляется повторно для сведения, без изменений."),
    Language.SPANISH: ("Recordatorio: ", "Se envía de nuevo como recordatorio, sin cambios."),
}
_PLAIN_KINDS: Final = (
    Kind.TACTIC,
    Kind.THREAT,
    Kind.SUBJECT,
    Kind.CHANNEL,
    Kind.NARRATIVE,
    Kind.CYBER,
    Kind.EVENT,
    Kind.REQUEST,
    Kind.NOTICE,
)
_ANSWERING: Final = {
    Kind.RESPONSE: Relation.RESPONDS_TO,
    Kind.SIGHTING: Relation.SIGHTS,
    Kind.ACKNOWLEDGEMENT: Relation.ACKNOWLEDGES,
    Kind.AMENDMENT: Relation.AMENDS,
    Kind.RETRACTION: Relation.RETRACTS,
}
CHANGES: Final = frozenset({Kind.AMENDMENT, Kind.RETRACTION})
_SEVERITIES: Final = (Severity.INFO, Severity.LOW, Severity.ELEVATED, Severity.HIGH)
_MARKINGS: Final = (
    *(Tlp.GREEN, Tlp.AMBER, Tlp.CLEAR, Tlp.AMBER, Tlp.GREEN),
    *(Tlp.AMBER_STRICT, Tlp.AMBER, Tlp.GREEN, Tlp.RED),
)
_NEEDED: Final[Mapping[Kind, Mapping[str, Any]]] = {
    Kind.SUBJECT: {
        "subjects": [{"type": "person", "name": "Salim Example", "reference": "QDi.999"}],
        "personal": {
            "legal_basis": "Example Act, section 1",
            "review": "2099-01-01T00:00:00Z",
            "correction": "The agency's data protection officer",
        },
    },
    Kind.CHANNEL: {"channel": {"address": "https://example.org/channel-7", "state": "reported"}},
    Kind.EVENT: {"event": {"name": "Continental Games 2026", "venue": "Stade national"}},
    Kind.CYBER: {"indicators": [{"pattern": "[domain-name:value = 'visa-update.example']"}]},
}
_REGIONS: Final = ("FR", "KZ", "JO", "TR", "DE-BE", "IQ")


@dataclass(frozen=True, slots=True)
class Planned:
    """A bulletin to be published by `agency`. `answers`: the place in the plan of the one it links to."""

    agency: str
    sent: Sent
    draft: Mapping[str, Any]
    relation: Relation | None = None
    answers: int | None = None

    def linked(self, id: str) -> "Planned":
        """With its link filled in, now that the other's id is known."""
        relation = self.relation.value if self.relation else ""
        return replace(self, draft={**self.draft, "links": [{"relation": relation, "id": id}]})


def samples() -> list[Planned]:
    """The committed samples, in their order (schemas/samples/bulletins.json). Keys are their titles."""
    text = resources.files("schemas").joinpath("samples/bulletins.json").read_text("utf-8")
    found = []
    for entry in json.loads(text):
        answers = entry.get("answers")
        found.append(
            Planned(
                entry["agency"],
                _sent(entry["draft"]["title"], entry["community"], entry["draft"]),
                entry["draft"],
                Relation(answers["relation"]) if answers else None,
                answers["to"] - 1 if answers else None,
            )
        )
    return found


def varied(planned: Sequence[Planned], number: int) -> list[Planned]:
    """The same bulletins for a further round, as an agency would write them that sees the same again: what
    links to another says by that which one it means, and stays as it is.
    """
    if number == 1:
        return list(planned)
    return [each if each.answers is not None else replace(each, draft=_again(each.draft)) for each in planned]


def _again(draft: Mapping[str, Any]) -> dict[str, Any]:
    asked, sent = draft["kind"] == Kind.REQUEST, draft["kind"] in _TOLD_AGAIN
    about = _ASKED_AGAIN if asked else _SENT_AGAIN if sent else _SEEN_AGAIN

    def worded(text: Mapping[str, Any]) -> dict[str, Any]:
        title, sentence = about[Language(text["language"])]
        body = "\n\n".join(filter(None, (sentence, text.get("body", ""))))
        return {**text, "title": title + text["title"], "body": body}

    return {**worded(draft), "translations": [worded(text) for text in draft.get("translations", [])]}


def numbered(count: int, stem: str, source: random.Random) -> list[Planned]:
    """`count` bulletins of every kind, marking, language, community and publisher, each with its own marker.

    The marker, `stem` followed by a number and random digits, stands in title, summary and body.
    """
    made: list[Planned] = []
    flash_every = max(_FLASH_EVERY, -(-count // _FLASH_AT_MOST))
    for place in range(count):
        community = plan.COMMUNITIES[source.choice((0, 0, 1, 2))]
        agency = source.choice(community.members)
        marker = f"{stem}{place:06d}{source.randrange(16**6):06x}"
        flash = place % flash_every == flash_every // 2
        kind = source.choice([*_PLAIN_KINDS, *_ANSWERING])
        target = None if flash else _target(made, kind, agency, community.slug, source)
        if kind in _ANSWERING and target is None:
            kind = source.choice(_PLAIN_KINDS)
        draft = _draft(place, marker, kind, source)
        draft["severity"] = Severity.FLASH if flash else source.choice(_SEVERITIES)
        made.append(
            Planned(
                agency,
                _sent(marker, community.slug, draft),
                draft,
                _ANSWERING.get(kind),
                target if kind in _ANSWERING else None,
            )
        )
    return made


def changed(planned: Sequence[Planned]) -> frozenset[str]:
    """The keys of what others of the plan amend or retract."""
    return frozenset(
        planned[each.answers].sent.key
        for each in planned
        if each.answers is not None and each.sent.kind in CHANGES
    )


def _draft(place: int, marker: str, kind: Kind, source: random.Random) -> dict[str, Any]:
    language, other = source.sample(list(Language), 2)
    body = "\n\n".join([_SENTENCE_OF[language]] * source.randint(1, 12))
    return {
        "kind": kind,
        "language": language,
        "title": f"{_TITLE_OF[language]} {place} {marker}",
        "summary": f"{marker} {_SENTENCE_OF[language]}",
        "body": f"{body}\n\n{marker}",
        "translations": [
            {
                "language": other,
                "official": False,
                "title": f"{_TITLE_OF[other]} {place} {marker}",
                "summary": "",
                "body": f"{_SENTENCE_OF[other]} {marker}",
            }
        ],
        "tlp": _MARKINGS[place % len(_MARKINGS)],
        "regions": source.sample(_REGIONS, 2),
        **_NEEDED.get(kind, {}),
    }


def _target(
    made: Sequence[Planned], kind: Kind, agency: str, community: str, source: random.Random
) -> int | None:
    """Something that a bulletin of this kind may speak of, far enough back to have arrived.

    Only the originator changes a bulletin, once, and nothing that woke officers: what they are told of a
    change is another test's matter.
    """
    if kind not in _ANSWERING:
        return None
    spoken_of = {each.answers for each in made}
    fitting = [
        place
        for place, each in enumerate(made[: max(0, len(made) - _TARGET_DISTANCE)])
        if each.sent.community == community
        and each.sent.severity is not Severity.FLASH
        and each.sent.kind not in _ANSWERING
        and place not in spoken_of
        and (kind not in CHANGES or each.agency == agency)
    ]
    return source.choice(fitting) if fitting else None


def _sent(key: str, community: str, draft: Mapping[str, Any]) -> Sent:
    return Sent(key, community, Kind(draft["kind"]), Severity(draft["severity"]), Tlp(draft["tlp"]))
