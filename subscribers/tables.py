"""The node's tables, in the order in which they came to be: append only."""

from typing import Final

from subscribers import archive, digest, ledger, outbox

NODE: Final[tuple[str, ...]] = (
    archive.MIGRATIONS[0],
    ledger.MIGRATIONS[0],
    outbox.MIGRATIONS[0],
    digest.MIGRATIONS[0],
)
