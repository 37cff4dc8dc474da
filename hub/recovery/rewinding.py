"""Sets an endpoint's durables back when its node was restored from a copy: it reads once more what came after
that, and no more than it may read anyway. FORMAT.md, "History".
"""

import structlog

from hub.durables import begin_at, reset
from hub.grants import DIRECTORY, TRAFFIC
from hub.jetstream import api
from hub.office import Office
from schemas.errors import Code, TrustError
from schemas.pages import Page

_log = structlog.get_logger(__name__)


async def rewind(office: Office, endpoint: str, after: int) -> Page:
    """Deliver to `endpoint` what its filters give it after the sequence `after` of TRAFFIC, and all of the
    directory; an empty page that says where TRAFFIC ends. TrustError `suspended`, or what a server that is
    away makes of a call.
    """
    if endpoint in office.view().suspended:
        raise TrustError(Code.SUSPENDED, "the endpoint is suspended")
    async with office.writing():  # nobody else makes or changes durables meanwhile
        last = int((await api(office.nc, f"STREAM.INFO.{TRAFFIC}"))["state"]["last_seq"])
        await reset(office.nc, DIRECTORY, endpoint, 1)
        await begin_at(office.nc, TRAFFIC, endpoint, min(after, last) + 1)
    _log.info("feeds set back", endpoint=endpoint, after=after, last=last)
    return Page(last, more=False, frames=())
