"""Which bulletins a text names, for the audit: those it shows, and those of which it, or a button under it,
has the reference alone. Pure.

One place for everything that leaves, so that no screen can forget it.
"""

import re
from collections.abc import Iterator
from typing import Final

from bots.showing.release import Sight
from bots.showing.rendered import Rendered, Showing

_REFERENCE: Final = re.compile(r"(?<![A-Za-z0-9-])[A-Z][A-Z0-9]{1,7}-[0-9]{4}-[0-9]{1,7}(?![A-Za-z0-9-])")
_FOREIGN: Final = "CVE-"
"""A weakness of a program has a number that looks like a reference."""


def named(rendered: Rendered) -> tuple[Showing, ...]:
    """What is shown, then what is named alone, each once. A text that shows bulletins is not searched: what
    stands in a bulletin is its own.
    """
    known = {each.ref for each in rendered.shows}
    alone = dict.fromkeys(ref for ref in _references(rendered) if ref not in known)
    return (*rendered.shows, *rendered.entries, *(Showing(ref, Sight.WAITING) for ref in alone))


def _references(rendered: Rendered) -> Iterator[str]:
    if rendered.quotes:
        return
    texts = [button.text for row in rendered.rows for button in row]
    if not rendered.shows:
        texts += [part.plain for part in rendered.parts]
    for text in texts:
        yield from (ref for ref in _REFERENCE.findall(text) if not ref.startswith(_FOREIGN))
