"""Follow bulletins with the Python API: each at least once, and from where you left off after a restart.

python subscribe.py LOCAL_DIRECTORY CLIENT [HOW_MANY]
"""

import asyncio
import sys
from pathlib import Path

from schemas.errors import LiaisonError
from subscribers.client import Agency, ClientSettings


async def main(directory: str, client: str, how_many: str = "0") -> None:
    """Print bulletins as they come; end after `how_many`, or never."""
    left = int(how_many)
    async with Agency.open(ClientSettings.from_directory(Path(directory), client)) as agency:
        print(f"{agency.name} follows bulletins up to {agency.ceiling}", flush=True)
        async for delivery in agency.bulletins():
            bulletin = delivery.record.bulletin
            print(bulletin.ref, bulletin.kind, bulletin.tlp, bulletin.title, flush=True)
            await delivery.ack()  # after handling it: what is not acknowledged comes again
            left -= 1
            if left == 0:
                break


if __name__ == "__main__":
    if not sys.argv[2:]:
        sys.exit(__doc__)
    try:
        asyncio.run(main(*sys.argv[1:4]))
    except LiaisonError as error:
        sys.exit(str(error))
