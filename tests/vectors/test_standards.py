"""Known answers of the standards that the format stands on."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)

from schemas.merkle import Head, Log, Tree, check_consistency, paths, root_from_path
from schemas.signing import pae, verify
from subscribers.keys import KemKey, SigningKey
from tests.vectors import rfc9162

STANDARDS = Path(__file__).resolve().parent / "standards"

RFC_8032 = (
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
            "387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
            "4a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
)
"""Seed, public key, message, signature: RFC 8032, 7.1, tests 1 to 3."""

CT_LEAVES = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)
CT_ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""Certificate Transparency's reference inputs, and the roots at sizes 0 to 8."""


@pytest.mark.parametrize("seed,public,message,signature", RFC_8032)
def test_ed25519(seed: str, public: str, message: str, signature: str) -> None:
    key = SigningKey(bytes.fromhex(seed))
    assert key.public.hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    assert verify(key.public, bytes.fromhex(message), bytes.fromhex(signature))


def test_dsse_pre_authentication_encoding() -> None:
    """https://github.com/secure-systems-lab/dsse, protocol.md, "Test Vectors"."""
    assert pae(b"http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_xchacha20_poly1305() -> None:
    """draft-irtf-cfrg-xchacha-03, A.3.1."""
    text = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
        b"future, sunscreen would be it."
    )
    aad = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    key, nonce = bytes(range(0x80, 0xA0)), bytes(range(0x40, 0x58))
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(text, aad, nonce, key)
    assert sealed.hex() == (
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39"
        "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
        "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49"
    )
    assert crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, aad, nonce, key) == text


def test_hpke_with_xwing() -> None:
    """draft-ietf-hpke-pq, KEM 0x647A: our key derivation gives its public key, and opens what it sealed."""
    vector = json.loads((STANDARDS / "hpke_xwing.json").read_text(encoding="utf-8"))["vector"]
    key = KemKey(bytes.fromhex(vector["skRm"]))
    assert key.public.hex() == vector["pkRm"]
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    sealed = vector["encryptions"][0]
    ciphertext = bytes.fromhex(vector["enc"] + sealed["ct"])
    # The one-shot public call takes no associated data, which this vector has; it is the same code with it.
    opened = openssl.hpke._decrypt_with_aad(  # noqa: SLF001
        suite, ciphertext, key.private, bytes.fromhex(vector["info"]), bytes.fromhex(sealed["aad"])
    )
    assert opened.hex() == sealed["pt"]


def test_merkle_roots_of_certificate_transparency() -> None:
    tree = Tree()
    for size, root in enumerate(CT_ROOTS):
        assert tree.head == (size, bytes.fromhex(root))
        if size:
            assert paths([bytes.fromhex(leaf) for leaf in CT_LEAVES[:size]])[0].hex() == root
        if size < len(CT_LEAVES):
            tree = tree.append(bytes.fromhex(CT_LEAVES[size]))


CT_PROOFS = {
    (1, 1): (),
    (1, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
"""Certificate Transparency's reference consistency proofs over the same inputs."""


@pytest.mark.parametrize("sizes", CT_PROOFS)
def test_consistency_proofs_of_certificate_transparency(sizes: tuple[int, int]) -> None:
    log = Log(bytes.fromhex(leaf) for leaf in CT_LEAVES)
    proof = [bytes.fromhex(step) for step in CT_PROOFS[sizes]]
    assert log.consistency(*sizes) == proof
    old, new = (Head(size, bytes.fromhex(CT_ROOTS[size])) for size in sizes)
    assert check_consistency(old, new, proof)


@pytest.mark.parametrize("size", range(34))
def test_merkle_roots_as_defined(size: int) -> None:
    entries = [bytes((number,)) * number for number in range(size)]
    tree = Tree()
    for entry in entries:
        tree = tree.append(entry)
    assert tree.head == (size, rfc9162.root(entries))


def test_the_proofs_that_are_written_down() -> None:
    """standards/rfc9162.json, as another implementation would use it."""
    table = json.loads((STANDARDS / "rfc9162.json").read_text(encoding="utf-8"))
    hashes = [bytes.fromhex(each) for each in table["hashes"]]
    entries = [bytes((number,)) for number in range(33)]
    heads = [Head(size, hashes[place]) for size, place in enumerate(table["roots"])]
    assert len(heads) == 34
    for size, head in enumerate(heads):
        for index in range(size):
            path = [hashes[place] for place in table["inclusion"][size][index]]
            assert root_from_path(entries[index], index, size, path) == head.root
        for old in range(size + 1):
            proof = [hashes[place] for place in table["consistency"][size][old]]
            assert check_consistency(heads[old], head, proof)
