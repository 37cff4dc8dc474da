"""The node's tables, in the order in which they came to be: append only."""

from typing import Final

from subscribers.airgap import node_side as air_gap
from subscribers.directory import notices, vouched
from subscribers.exchange import attempts
from subscribers.judging import alarms, held, kept, own_frames, replaced, returned
from subscribers.keyring import epoch_keys
from subscribers.recovery import resending
from subscribers.sharing import asked
from subscribers.storage import archive, history_rows, journal, ledger, upload_rows
from subscribers.telling import compliance, digest, digest_correction
from subscribers.writing import once

NODE: Final[tuple[str, ...]] = (
    archive.MIGRATIONS[0],
    ledger.MIGRATIONS[0],
    journal.MIGRATIONS[0],
    digest.MIGRATIONS[0],
    alarms.MIGRATIONS[0],
    ledger.MIGRATIONS[1],
    held.MIGRATIONS[0],
    epoch_keys.MIGRATIONS[0],
    air_gap.MIGRATIONS[0],
    kept.MIGRATIONS[0],
    vouched.MIGRATIONS[0],
    notices.MIGRATIONS[0],
    replaced.MIGRATIONS[0],
    archive.MIGRATIONS[1],
    kept.MIGRATIONS[1],
    history_rows.MIGRATIONS[0],
    asked.MIGRATIONS[0],
    archive.MIGRATIONS[2],
    compliance.MIGRATIONS[0],
    own_frames.MIGRATIONS[0],
    digest_correction.MIGRATIONS[0],
    upload_rows.MIGRATIONS[0],
    attempts.MIGRATIONS[0],
    archive.MIGRATIONS[3],
    once.MIGRATIONS[0],
    archive.MIGRATIONS[4],
    archive.MIGRATIONS[5],
    archive.MIGRATIONS[6],
    archive.MIGRATIONS[7],
    returned.MIGRATIONS[0],
    resending.MIGRATIONS[0],
    archive.MIGRATIONS[8],
    resending.MIGRATIONS[1],
    returned.MIGRATIONS[1],
)
