"""What a hostile agency or a careless registrar might enter into the directory, each one thing wrong."""

from collections.abc import Callable
from hashlib import sha256

import pytest

from hub.admission import View, decide, open_frame
from schemas.chain import ChainHead
from schemas.directory import Directory
from schemas.documents import Keys, Role
from schemas.encoding import to_base64
from schemas.errors import Code, LiaisonError
from schemas.frame import header_bytes as write_header
from schemas.frame import join, parse_frame, signed_message
from schemas.merkle import Head
from tests.support.format_example import AT, World, public, signing_key

WORLD = World()


def refused(make: Callable[[], object]) -> Code:
    with pytest.raises(LiaisonError) as caught:
        make()
    return caught.value.code


def keys(**changes: object) -> bytes:
    """Another version of the second agency's keys."""
    fields = {**WORLD.keys("jpn").model_dump(), "version": 2, "signing": public("jpn second"), **changes}
    return WORLD.document(Keys.model_validate(fields), "jpn identity")


def test_an_endpoint_keeps_its_encryption_key_or_takes_a_new_one() -> None:
    grown = WORLD.directory.apply(keys())
    assert grown.endpoints[WORLD.jpn].version == 2
    new = to_base64(sha256(b"x").digest() * 38)
    again = keys(version=3, signing=public("jpn third"), kem=new)
    assert grown.apply(again).kems[new] == WORLD.jpn


def test_nobody_enters_the_encryption_key_of_another_as_its_own() -> None:
    copied = keys(kem=WORLD.keys("fra").kem)
    assert refused(lambda: WORLD.directory.apply(copied)) is Code.BAD_KEY


def test_nor_one_that_was_replaced() -> None:
    new = to_base64(sha256(b"x").digest() * 38)
    fields = {**WORLD.keys("fra").model_dump(), "version": 2, "signing": public("fra second"), "kem": new}
    grown = WORLD.directory.apply(WORLD.document(Keys.model_validate(fields), "fra identity"))
    assert refused(lambda: grown.apply(keys(kem=WORLD.keys("fra").kem))) is Code.BAD_KEY


def test_a_code_is_not_changed() -> None:
    agency = WORLD.directory.agencies["jpn"].model_copy(update={"version": 2, "code": "NPN"})
    document = WORLD.document(agency, "registrar")
    assert refused(lambda: WORLD.directory.apply(document)) is Code.BAD_DOCUMENT


@pytest.mark.parametrize("threshold", [1, 3])
def test_a_registrar_role_that_could_never_sign_is_refused_with_its_root(threshold: int) -> None:
    key = public("registrar")
    role = Role(keys=[key, key] if threshold == 1 else [key], threshold=threshold)
    known = WORLD.directory.root
    second = known.model_copy(update={"version": 2, "registrar": role})
    document = WORLD.document(second, "root 1", "root 2")
    assert refused(lambda: WORLD.directory.apply(document)) is Code.BELOW_THRESHOLD
    first = WORLD.document(second.model_copy(update={"version": 1}), "root 1", "root 2")
    assert refused(lambda: Directory.pinned(first)) is Code.BELOW_THRESHOLD


def cited(**changes: Head) -> bytes:
    """The announcement with other heads in it."""
    header = write_header(parse_frame(WORLD.announcement).header._replace(**changes))  # type: ignore[arg-type]
    return join(header, signing_key("fra signing").sign(signed_message(header, b"")), b"")


@pytest.mark.parametrize("log", ["dir", "mem"])
def test_the_hub_refuses_heads_that_it_does_not_have(log: str) -> None:
    view = View.of(WORLD.directory, frozenset(), AT)

    def verdict(raw: bytes) -> object:
        return decide(open_frame(raw, view.keys), WORLD.place, view, ChainHead(), AT)

    assert verdict(WORLD.announcement)
    assert refused(lambda: verdict(cited(**{log: Head(10**15, bytes(32))}))) is Code.LOG_BEHIND
    assert refused(lambda: verdict(cited(**{log: Head(1, bytes(32))}))) is Code.SPLIT_VIEW
