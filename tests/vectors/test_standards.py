"""Known answers of the standards that the format stands on."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)

from schemas.merkle import Tree, paths
from schemas.signing import pae, verify
from subscribers.keys import KemKey, SigningKey

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


def _root(entries: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word for word."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return sha256(b"\x01" + _root(entries[:split]) + _root(entries[split:])).digest()


@pytest.mark.parametrize("size", range(34))
def test_merkle_roots_as_defined(size: int) -> None:
    entries = [bytes((number,)) * number for number in range(size)]
    tree = Tree()
    for entry in entries:
        tree = tree.append(entry)
    assert tree.head == (size, _root(entries))
