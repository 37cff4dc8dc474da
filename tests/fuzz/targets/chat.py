"""What comes from the chat service, and what the sandbox's own service is given."""

from collections.abc import Callable
from typing import Final

from bots.parsing import commands, queries
from bots.parsing.actions import decode, encode
from bots.parsing.carried import carried, carry
from bots.parsing.commands import clean
from bots.parsing.queries import Query
from bots.sandbox.entities import EntityError, parse_html, utf16_length
from bots.sandbox.params import Params, json_fields
from bots.sandbox.refusals import ApiRefusal
from schemas.encoding import canonical_json
from schemas.errors import LiaisonError
from schemas.vocabulary import Realm
from subscribers.records import Community
from tests.fuzz.mutate import changed_json, spliced
from tests.fuzz.target import Target


def _callback(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    action = decode(text)
    assert encode(action.verb, *action.arguments) == text
    for index in range(len(action.arguments) + 1):
        for read in (action.number, action.bulletin):
            try:
                read(index)
            except LiaisonError:
                continue


def _carried(data: bytes) -> None:
    """What a button with words says; and typed words, in a button and back."""
    text = data.decode("utf-8", "replace")
    made = carry("f", 1, text)
    if made is not None:
        assert carried(decode(made).arguments[1:]) == clean(text)
    words = carried(text.split(":"))
    assert clean(words) == words


def _buttons() -> list[bytes]:
    return [
        (carry("f", 1, words) or "").removeprefix("f:1:").encode() for words in ("a port", "порт", "港口")
    ]


_COMMANDS: Final[dict[int, Callable[[str], object]]] = dict(
    enumerate((commands.digest, commands.reference, commands.regions, commands.words, commands.code))
)


def _command(data: bytes) -> None:
    """What is typed after a command; the first byte says which."""
    if data:
        _COMMANDS[data[0] % len(_COMMANDS)](data[1:].decode("utf-8", "replace"))


def _typed() -> list[bytes]:
    digests = (
        "daily 07:30",
        "weekly monday 07:30",
        "quiet 22:00-06:00",
        "quiet off",
        "zone Europe/Paris",
        "now",
        "off",
        "",
    )
    others = (
        "\x01FRA-2026-0042",
        "\x01fra 2026 42",
        "\x02FR, BE ES-MD",
        "\x03words to find",
        "\x04" + "a" * 32,
    )
    return [("\x00" + each).encode() for each in digests] + [each.encode() for each in others]


_COMMUNITY: Final = Community(
    id="0123456789abcdef" * 2,
    slug="alpha",
    title="Alpha and Omega",
    realm=Realm.LIVE,
    role="member",
    owner=False,
    members=[],
)


def _query(data: bytes) -> None:
    """What is typed to be looked for: kept and read again it is the same, and a restriction (the input's
    length says which) can be taken away alone.
    """
    query = queries.parse(data.decode("utf-8", "replace"), _NOON, (_COMMUNITY,))
    assert Query.model_validate_json(query.model_dump_json()) == query
    if found := queries.facets(query):
        cut = found.pop(len(data) % len(found))
        assert queries.facets(queries.without(query, cut)) == found


_NOON: Final = 1_774_008_000.0
_KEYS: Final = tuple(f" {each}:".encode() for each in queries.KEYS)
_VALUES: Final = (
    b"cyber", b"threat,tactic", b"high", b"flash", b"FR", b"fr-idf,BE", b"alpha", b'"Alpha and Omega"',
    b"12h", "«Summit 2026»".encode(), b"T1566", b"TA0043", b"LT-0001", b"QDi.001", b"qde.014", b"ar", b"7d",
    b"999w", b"2026-11-01", b"9999-12-31", b"0001-01-01", b"drone", b'"',
)  # fmt: skip


def _searches() -> list[bytes]:
    texts = (
        "drone stadium",
        "kind:cyber severity:high region:FR since:7d port",
        "kind:threat,tactic community:alpha until:2026-11-01",
        'event:"Summit 2026" lang:ar tactic:T1566.001 subject:QDi.001 مطار',
        "community:«Alpha and Omega» since:12h until:1h nothing:known 无人机",
    )
    return [each.encode() for each in texts]


def _markup(data: bytes) -> None:
    source = data.decode("utf-8", "replace")
    text, entities = parse_html(source)
    room = utf16_length(text)
    assert all(each["offset"] >= 0 and each["offset"] + each["length"] <= room for each in entities)


_TAGS: Final = (
    b"<b>", b"</b>", b"<i>", b"</i>", b'<a href="https://x.example">', b"</a>", b"<code>", b"</code>",
    b"<pre>", b"</pre>", b"&lt;", b"&#x41;", b"&#1114112;", b"&amp", b"<tg-spoiler>",
    b"<blockquote expandable>", b"</blockquote>", b'<span class="tg-spoiler">', b"\xf0\x9f\x98\x80", b"<",
)  # fmt: skip


def _params(data: bytes) -> None:
    params = Params(json_fields(data.decode("utf-8", "replace")), {})
    for read in (params.integer, params.json, params.array, params.flag, params.upload):
        for name in ("chat_id", "text", "reply_markup"):
            try:
                read(name)
            except ApiRefusal:
                continue
    params.chat_id()


TARGETS: Final = (
    Target(
        "callback",
        _callback,
        ("bots/parsing/actions.py",),
        lambda: [b"ack:019c132cdf4070008000000000000001", b"page:2:abc", b"x", b"sub:kind:tactic"],
        longest=80,
    ),
    Target("carried", _carried, ("bots/parsing/carried.py",), _buttons, longest=120),
    Target("command", _command, ("bots/parsing/commands.py",), _typed, longest=96),
    Target(
        "query", _query, ("bots/parsing/queries.py",), _searches, spliced((*_KEYS, *_VALUES)), longest=256
    ),
    Target(
        "sandbox_markup",
        _markup,
        ("bots/sandbox/entities.py",),
        lambda: [
            b"<b>bold</b> <i>it<u>al</u>ic</i>",
            b'<a href="https://x.example">x</a> &amp; <pre><code class="language-c">x</code></pre>',
        ],
        spliced(_TAGS),
        (EntityError,),
        longest=256,
    ),
    Target(
        "sandbox_params",
        _params,
        ("bots/sandbox/params.py",),
        lambda: [canonical_json({"chat_id": 7, "text": "x", "reply_markup": '{"inline_keyboard":[]}'})],
        changed_json,
        (ApiRefusal,),
        longest=256,
    ),
)
