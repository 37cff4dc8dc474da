"""Clusters joined by gateways: what each server's configuration says of it. Rendering is pure.

One cluster has the hub's streams; the others are relays, that keep nothing: their servers belong to no group
that elects a leader, so that a cut between the clusters takes nothing from the one that has the streams.
Endpoints connect to whichever is near.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.errors import Code, FormatError

DOMAIN: Final = "liaison"
"""The name of the cluster with the streams, and JetStream's domain in it."""
NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}\Z")
"""Of a server or of a cluster."""
_REMOTE: Final = re.compile(
    r"([a-z0-9][a-z0-9-]{0,31})=((?:[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:]{2,39}\]):[0-9]{1,5})\Z"
)


@dataclass(frozen=True)
class Gateways:
    """How a cluster is joined to others: the port of its servers for theirs, and `HOST:PORT` of theirs by the
    clusters' names. `relay` is its own name where it keeps nothing.
    """

    relay: str | None
    port: int
    others: dict[str, tuple[str, ...]]

    @property
    def name(self) -> str:
        """The cluster's own name."""
        return self.relay or DOMAIN

    @classmethod
    def parse(cls, relay: str | None, port: int | None, joined: Sequence[str]) -> "Gateways | None":
        """From `NAME=HOST:PORT` of each server of another cluster; None when there is none. FormatError
        `bad_request`.
        """
        name, others = relay or DOMAIN, dict[str, tuple[str, ...]]()
        if relay is not None and (relay == DOMAIN or not NAME.match(relay)):
            raise FormatError(
                Code.BAD_REQUEST,
                f"{relay!r} is no name of a relay",
                f"lower-case letters, digits and dashes, at most 32, and not {DOMAIN}: as overseas",
            )
        for each in joined:
            found = _REMOTE.match(each)
            if found is None or found[1] == name:
                raise FormatError(
                    Code.BAD_REQUEST,
                    f"{each!r} is no server of another cluster than {name}",
                    "write NAME=HOST:PORT, as overseas=nats1.overseas.example:7222",
                )
            others[found[1]] = (*others.get(found[1], ()), found[2])
        if not others and port is None and relay is None:
            return None
        if not others or port is None:
            raise FormatError(
                Code.BAD_REQUEST,
                "clusters are joined by a port for gateways and the other cluster's servers",
                "give both --gateway-port and --join; a relay needs them",
            )
        return cls(relay, port, others)

    def lines(self, host: str, listen: str, tls: str) -> list[str]:
        """The block of a server that the others reach as `host`; `tls` is the line of its certificates."""
        remotes = []
        for name, servers in self.others.items():
            urls = ", ".join(f'"tls://{each}"' for each in servers)
            remotes.append(f"    {{ name: {name}, urls: [{urls}] }}")
        return [
            "gateway {",
            f"  name: {self.name}",
            f'  listen: "{listen}:{self.port}"',
            f'  advertise: "{host}:{self.port}"',
            f"  {tls}",
            "  gateways: [",
            *remotes,
            "  ]",
            "}",
        ]
