"""Publish a bulletin through your agency's node.

python publish.py LOCAL_DIRECTORY CLIENT COMMUNITY TITLE

LOCAL_DIRECTORY is where the node keeps its local NATS; CLIENT is a client with the role `publisher`
(`liaison-agency client add NAME --role publisher`).
"""

import asyncio
import sys
from pathlib import Path

from schemas.bulletin import parse_draft
from schemas.errors import LiaisonError
from subscribers.client import Agency, ClientSettings


async def main(directory: str, client: str, community: str, title: str) -> None:
    """Give the node one draft, and print the reference that it was given."""
    draft = parse_draft(
        {
            "kind": "tactic",
            "title": title,
            "body": "What was seen, where, and what to do about it.",
            "language": "en",
            "severity": "elevated",
            "tlp": "TLP:GREEN",
        }
    )
    async with Agency.open(ClientSettings.from_directory(Path(directory), client)) as agency:
        published = await agency.publish(draft, community)
        print(published.ref, published.state)


if __name__ == "__main__":
    if not sys.argv[4:]:
        sys.exit(__doc__)
    try:
        asyncio.run(main(*sys.argv[1:5]))
    except LiaisonError as error:
        sys.exit(str(error))
