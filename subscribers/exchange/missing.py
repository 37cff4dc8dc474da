"""What a frame says of others that have not come: alarms, raised in the transaction that takes it in."""

from schemas.chain import ChainKey
from schemas.frame import Frame
from subscribers.judging.missed import Us, losses, unheard, unread
from subscribers.judging.verdicts import Beat, Skipped, Verdict
from subscribers.storage.ledger import Changes


def suspect(changes: Changes, verdict: Verdict, frame: Frame, agency: str, now: int) -> None:
    """Raise what the verdict says of frames of its chain. Called before the chain moves; `now` in Unix
    milliseconds.
    """
    key = ChainKey.of(frame)
    before, known = changes.pulse(key), changes.chains.get(key) or changes.base.chains.get(key)
    entries = changes.base.known().communities[key.community].by_agency
    ours = entries.get(agency, ())
    if before is None or all(entry.nbf <= before.last for entry in ours):
        # Else our own membership has changed since: nothing was due to us while we were out.
        changes.alarms += losses(verdict, known, now)


def miss(changes: Changes, verdict: Skipped | Beat, us: Us, now: int) -> None:
    """Raise what the verdict says of frames that have never come."""
    directory = changes.base.known()
    if isinstance(verdict, Beat):
        changes.alarms += unheard(verdict, changes.heard(), directory, us, now)
        return
    changes.alarms += unread(verdict, directory, us, now)
    if verdict.chain is None:
        changes.glimpse(verdict.frame, now)
