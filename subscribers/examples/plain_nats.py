"""Follow bulletins live with plain nats-py: a NATS address, a key, and a subject with wildcards.

python plain_nats.py URL SEED_FILE [SUBJECT] [HOW_MANY]

Subjects are `bulletin.<realm>.<community>.<kind>.<severity>.<tlp>`: `bulletin.live.*.cyber.>` is every live
bulletin about computer attacks. The server gives no more than the client's TLP ceiling allows. Live means
that what came while you were away is not repeated: for that, see subscribe.py.
"""

import asyncio
import json
import sys

import nats


async def main(url: str, seed_file: str, subject: str = "bulletin.>", how_many: str = "0") -> None:
    """Print subject and title of bulletins as they come; end after `how_many`, or never."""
    left = int(how_many)
    connection = await nats.connect(url, nkeys_seed=seed_file, name="plain-nats-example")
    subscription = await connection.subscribe(subject)
    await connection.flush()
    print(f"listening on {subject}", flush=True)
    async for message in subscription.messages:
        record = json.loads(message.data)
        print(message.subject, record["agency_name"], record["bulletin"]["title"], flush=True)
        left -= 1
        if left == 0:
            break
    await connection.close()


if __name__ == "__main__":
    if not sys.argv[2:]:
        sys.exit(__doc__)
    asyncio.run(main(*sys.argv[1:5]))
