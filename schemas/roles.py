"""The secretariat's roles, and the witnesses that a root names. FORMAT.md, "Directory".

Pure: a role and an envelope go in; a refusal comes out, or nothing.
"""

from schemas.documents import Role, Root
from schemas.encoding import from_base64
from schemas.errors import Code, TrustError
from schemas.signing import KEY_SIZE, Envelope


def require(envelope: Envelope, role: Role) -> None:
    """That enough keys of the role have signed. TrustError `below_threshold`."""
    if not signed_by_role(envelope, role):
        raise TrustError(
            Code.BELOW_THRESHOLD,
            f"fewer than {role.threshold} signatures of the role hold",
            "collect more signatures",
        )


def signed_by_role(envelope: Envelope, role: Role) -> bool:
    """Whether enough keys of the role have signed. TrustError `below_threshold` for an unsound role."""
    return len(envelope.signed_by(check_role(role))) >= role.threshold


def check_role(role: Role) -> set[bytes]:
    """The role's keys, when they are named once and are no fewer than its threshold. TrustError
    `below_threshold`.
    """
    keys = {from_base64(key, KEY_SIZE) for key in role.keys}
    if len(keys) != len(role.keys) or role.threshold > len(keys):
        raise TrustError(
            Code.BELOW_THRESHOLD,
            "a role names a key twice, or fewer keys than its threshold",
            "correct the role",
        )
    return keys


def check_witnesses(root: Root) -> None:
    """That witnesses are different from each other and from the secretariat. TrustError `bad_document`,
    `bad_key`.
    """
    names, keys = ({getattr(each, name) for each in root.witnesses} for name in ("name", "key"))
    if len(names) != len(root.witnesses) or len(keys) != len(root.witnesses):
        raise TrustError(Code.BAD_DOCUMENT, "a witness or its key is named twice", "name each once")
    if root.quorum > len(root.witnesses):
        raise TrustError(
            Code.BAD_DOCUMENT,
            f"a quorum of {root.quorum} of {len(root.witnesses)} witnesses",
            "name more witnesses, or lower the quorum",
        )
    check_apart(root, {*root.root.keys, *root.registrar.keys})


def check_apart(root: Root, keys: set[str]) -> None:
    """That no witness has one of these keys. TrustError `bad_key`."""
    # A witness is worth something because it is somebody else.
    if any(each.key in keys for each in root.witnesses):
        raise TrustError(
            Code.BAD_KEY,
            "a witness has a key of the secretariat or the hub",
            "use a key of the witness's own",
        )
