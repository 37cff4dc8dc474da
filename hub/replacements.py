"""What the hub holds against its clock when an agency's identity key is replaced. FORMAT.md, "Directory".

Pure. That the documents are in order and signed is checked with the directory; this is what no log can tell.
"""

from typing import Any, Final

from schemas.directory import Directory
from schemas.documents import Identity, Replace, SignedDocument
from schemas.encoding import instant
from schemas.errors import Code, TrustError
from schemas.limits import CLOCK_SKEW_MAX

_LATEST: Final = 9_000_000_000_000
"""A time that an instant of four digits of year can tell (Unix milliseconds)."""


def check_time(directory: Directory, signed: SignedDocument, now: int) -> None:
    """That a replacement leaves its time from `now` on (Unix ms), and that one which is taken up has had it.
    TrustError `too_early`, `from_the_future` or `not_next`.
    """
    document = signed.document
    if isinstance(document, Replace):
        cool_down = directory.identities.cool_down(document.agency, directory.root)
        if document.nbf + CLOCK_SKEW_MAX < now + cool_down:
            raise TrustError(
                Code.TOO_EARLY,
                f"it was to leave {cool_down} ms to object, and leaves {max(0, document.nbf - now)} ms",
                "have the secretariat sign it again with a later time",
            )
    if isinstance(document, Identity):
        _check_taken_up(directory, signed, document, now)


def _check_taken_up(directory: Directory, signed: SignedDocument, document: Identity, now: int) -> None:
    if document.issued > now + CLOCK_SKEW_MAX:
        raise TrustError(Code.FROM_THE_FUTURE, "it is dated ahead of the hub's clock", "set the node's clock")
    nbf = directory.identities.pending[document.agency].nbf
    if now < nbf and not directory.identities.agreed(document, signed.envelope):
        raise TrustError(
            Code.TOO_EARLY, "the present identity key still has time to object", f"wait until {_when(nbf)}"
        )
    if document.logs != directory.owned_logs(document.agency):
        raise TrustError(
            Code.NOT_NEXT,
            "it does not say how long the logs of the agency's communities are",
            "fetch the membership logs and sign again",
        )


def waiting(directory: Directory) -> list[dict[str, Any]]:
    """The replacements that wait, for `status`."""
    return [
        {
            "agency": each.agency,
            "effective": _when(each.nbf),
            "disputed": each.agency in directory.identities.disputed,
        }
        for each in directory.identities.pending.values()
    ]


def _when(moment: int) -> str:
    return instant(min(moment, _LATEST))
