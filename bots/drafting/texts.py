"""What the steps of a draft are called, how they are asked, and why an answer cannot be taken."""

from typing import Final

from bots.drafting.draft import HalfDraft, Step
from bots.drafting.wizard import Why
from bots.wording.labels import N_
from schemas.vocabulary import Kind

LABELS: Final = {
    Step.MARKING: N_("Marking"),
    Step.COMMUNITY: N_("Community"),
    Step.KIND: N_("Kind"),
    Step.SEVERITY: N_("Severity"),
    Step.GRADING: N_("Grading"),
    Step.CHANNEL: N_("Channel"),
    Step.EVENT: N_("Event"),
    Step.TITLE: N_("Title"),
    Step.BODY: N_("Text"),
    Step.SUMMARY: N_("Summary"),
    Step.LIKELIHOOD: N_("Likelihood"),
    Step.REGIONS: N_("Region"),
    Step.TACTICS: N_("Tactics"),
    Step.REFERENCES: N_("References"),
    Step.VALID: N_("Valid until"),
    Step.CAVEATS: N_("Caveats"),
    Step.LANGUAGE: N_("Language"),
    Step.TRANSLATION: N_("Translations"),
    Step.FILES: N_("Files"),
    Step.SEEN: N_("When"),
    Step.NUMBER: N_("How many"),
}
ASKED: Final = N_("The question")
"""What a request has for a title."""
ANSWERS_BY: Final = N_("Answers by")
"""A request is valid until answers are no longer awaited."""
QUESTIONS: Final = {
    Step.COMMUNITY: N_("For which community?"),
    Step.KIND: N_("What is it?"),
    Step.SEVERITY: N_("How bad is it?"),
    Step.GRADING: N_("How reliable is the source? Choose, or send a grading such as B2."),
    Step.CHANNEL: N_("Send the address of the channel; on a second line its platform."),
    Step.EVENT: N_("Send the name of the event; on a second line its venue."),
    Step.TITLE: N_("Send the title: one line, up to 200 characters."),
    Step.BODY: N_("Send the text."),
    Step.SUMMARY: N_("Send a summary: a few sentences, read first."),
    Step.LIKELIHOOD: N_("How likely is it?"),
    Step.REGIONS: N_("Which regions? Send names or codes, such as France or DE-BE."),
    Step.TACTICS: N_("Which tactics? Send their codes, such as T1566 or T0049."),
    Step.REFERENCES: N_("Which bulletins does it speak of? Send their references."),
    Step.VALID: N_("Until when does it hold? Choose, or send a day: 2026-12-24, or 2026-12-24 18:00."),
    Step.CAVEATS: N_("What must readers observe? Send one caveat a line."),
    Step.LANGUAGE: N_("In which language is the text?"),
    Step.TRANSLATION: N_("Into which language?"),
    Step.FILES: N_("Send a file, up to 20 MB. It goes to your agency's node."),
    Step.SEEN: N_("When was it seen? Choose, or send a time: 14:30, or 2026-12-24 14:30."),
    Step.NUMBER: N_("How many were seen? Send a number."),
}
TRANSLATING: Final = N_("Send one message: the title on the first line, the text on the lines below it.")
"""How a text in another language is asked for."""
ASKING: Final = {
    Step.SEVERITY: N_("How urgent is it?"),
    Step.VALID: N_("Until when do you want answers? Choose, or send a time: 20:00, or 2026-12-24 18:00."),
    Step.TITLE: N_("Send your question: one line, up to 200 characters."),
    Step.BODY: N_("Send what helps to answer it."),
}
"""The same of a request for information."""
ANSWERING: Final = {
    Step.BODY: N_("Send your answer. It is marked like the question, or higher if you change that."),
}
"""The same of a response."""
SEEING: Final = {
    Step.BODY: N_("Send what you want to add: no names of persons."),
    Step.REGIONS: N_("Where? Send names or codes, such as France or DE-BE."),
}
"""The same of an answer by button."""
REASONS: Final = {
    Why.LINE: N_("That is no single line of up to 200 characters."),
    Why.TEXT: N_("That is empty, too long, or holds signs that no bulletin may have."),
    Why.GRADING: N_("A grading is a letter from A to F and a number from 1 to 6, such as B2."),
    Why.REGIONS: N_("Those are no countries. Write names or codes, like this: France, DE-BE"),
    Why.TACTICS: N_("Those are no codes of tactics. Write them like this: T1566, T0049"),
    Why.TIME: N_("That is no time ahead, within a year. Write 18:00, tomorrow 18:00, or 2026-12-24 18:00"),
    Why.CAVEATS: N_("At most 8 caveats, each a line of up to 200 characters."),
    Why.TRANSLATION: N_(
        "A translation has a title and, on the lines below it, a text: not one without the other."
    ),
    Why.REFERENCES: N_("There is no such bulletin here. Write references like this: FRA-2026-0042"),
    Why.FLOOR: N_("It may not be marked lower than what it answers or changes."),
    Why.PAST: N_("That is no time of the past year. Write it like this: 14:30, or 2026-12-24 14:30"),
    Why.NUMBER: N_("That is no number from 1 to 99999."),
    Why.CHOICE: N_("Choose one of the buttons."),
}


def label_of(half: HalfDraft, step: Step) -> str:
    """What a step is called for this draft: a message of the catalogue."""
    own = {Step.VALID: ANSWERS_BY, Step.TITLE: ASKED} if half.kind is Kind.REQUEST else {}
    return own.get(step, LABELS[step])


def question_of(half: HalfDraft, step: Step) -> str:
    """How a step is asked for this draft: a message of the catalogue."""
    if half.quick is not None:
        return SEEING.get(step, QUESTIONS[step])
    own = {Kind.REQUEST: ASKING, Kind.RESPONSE: ANSWERING}.get(half.kind) if half.kind else None
    return (own or QUESTIONS).get(step, QUESTIONS[step])
