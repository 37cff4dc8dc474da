"""The one error root, and the stable codes of every refusal.

A code is a promise: it is what a receipt, a quarantine entry, a log line and a test name. Codes are never
reused for another meaning. The message says what is wrong, the fix says what to do; neither ever carries
bulletin text or key material.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class Code(StrEnum):
    """Every reason for which Liaison refuses something, grouped by where the check stands (FORMAT.md,
    "Refusals").
    """

    # bytes and encoding
    TOO_LARGE = "too_large"
    TRUNCATED = "truncated"
    BAD_VERSION = "bad_version"
    BAD_JSON = "bad_json"
    BAD_ENCODING = "bad_encoding"
    BAD_HEADER = "bad_header"
    BAD_SUBJECT = "bad_subject"
    SUBJECT_MISMATCH = "subject_mismatch"
    # keys and signatures
    UNKNOWN_KEY = "unknown_key"
    REVOKED_KEY = "revoked_key"
    BAD_KEY = "bad_key"
    BAD_SIGNATURE = "bad_signature"
    # who may say what, where
    UNKNOWN_PUBLISHER = "unknown_publisher"
    SUSPENDED = "suspended"
    UNKNOWN_COMMUNITY = "unknown_community"
    WRONG_REALM = "wrong_realm"
    NOT_MEMBER = "not_member"
    READ_ONLY_MEMBER = "read_only_member"
    # time
    EXPIRED = "expired"
    FROM_THE_FUTURE = "from_the_future"
    TOO_OLD = "too_old"
    CLOCK_SKEW = "clock_skew"
    # chain
    REPLAYED = "replayed"
    GAP = "gap"
    FORK = "fork"
    # epochs and content
    UNKNOWN_EPOCH = "unknown_epoch"
    MISSING_WRAP = "missing_wrap"
    BAD_WRAP = "bad_wrap"
    KEY_MISMATCH = "key_mismatch"
    DECRYPTION_FAILED = "decryption_failed"
    BAD_PADDING = "bad_padding"
    COMMITMENT_MISMATCH = "commitment_mismatch"
    BODY_UNEXPECTED = "body_unexpected"
    HISTORY_NONE = "history_none"
    BAD_PAGE = "bad_page"
    # directory and membership
    BAD_DOCUMENT = "bad_document"
    BELOW_THRESHOLD = "below_threshold"
    NOT_NEXT = "not_next"
    UNKNOWN_AGENCY = "unknown_agency"
    ALREADY_KNOWN = "already_known"
    ROOT_MISMATCH = "root_mismatch"
    SPLIT_VIEW = "split_view"
    LOG_BEHIND = "log_behind"
    TOO_EARLY = "too_early"
    BAD_RECEIPT = "bad_receipt"
    BAD_CHECKPOINT = "bad_checkpoint"
    WITNESS_SHORTFALL = "witness_shortfall"
    STALE_HEAD = "stale_head"
    ROLLBACK = "rollback"
    STOLEN_KEY = "stolen_key"
    RESTORING = "restoring"
    BAD_PROOF = "bad_proof"
    BAD_PARCEL = "bad_parcel"
    BAD_EVIDENCE = "bad_evidence"
    # attachments
    BAD_CHUNK = "bad_chunk"
    BAD_ATTACHMENT = "bad_attachment"
    MISSING_CHUNK = "missing_chunk"
    OVER_QUOTA = "over_quota"
    # bulletins and drafts
    BAD_DRAFT = "bad_draft"
    MISSING_MARKING = "missing_marking"
    RED_WITH_HISTORY = "red_with_history"
    UNKNOWN_LANGUAGE = "unknown_language"
    DANGLING_REFERENCE = "dangling_reference"
    EXERCISE_MISMATCH = "exercise_mismatch"
    CONTENT_MISMATCH = "content_mismatch"
    NOT_A_REPLY = "not_a_reply"
    NO_READER = "no_reader"
    NOT_GRANTED = "not_granted"
    GRANT_EXPIRED = "grant_expired"
    RED_ONWARD = "red_onward"
    # the machines
    WRONG_KEY = "wrong_key"
    STORE_CORRUPT = "store_corrupt"
    DISK_FULL = "disk_full"
    ALREADY_RUNNING = "already_running"
    NOT_ENROLLED = "not_enrolled"
    HUB_UNREACHABLE = "hub_unreachable"
    NODE_UNREACHABLE = "node_unreachable"
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    BAD_REQUEST = "bad_request"
    BAD_SETTINGS = "bad_settings"
    INTERNAL = "internal"


class LiaisonError(Exception):
    """A refusal with a stable code, what is wrong, and what to do about it.

    `code` is for machines, `message` and `fix` for people. Neither text may carry bulletin content or keys.
    """

    def __init__(self, code: Code, message: str, fix: str = "") -> None:
        super().__init__(f"{code}: {message}" + (f" ({fix})" if fix else ""))
        self.code = code
        self.message = message
        self.fix = fix

    def as_dict(self) -> dict[str, str]:
        """Shape for JSON answers: `{"code", "message", "fix"}`."""
        return {"code": str(self.code), "message": self.message, "fix": self.fix}


class FormatError(LiaisonError):
    """The bytes are not what FORMAT.md says they must be."""


class TrustError(LiaisonError):
    """Well-formed, but not by somebody who may say it, or not in its place."""


class SealError(LiaisonError):
    """The content cannot be opened, or is not what its signed header commits to."""


class DraftError(LiaisonError):
    """A draft that must not be sent as it stands."""


class OperationError(LiaisonError):
    """A machine, a file or a connection does not let us go on."""


@contextmanager
def about(file: object) -> Iterator[None]:
    """Name the file in a refusal of what it holds: where several are given."""
    try:
        yield
    except LiaisonError as refusal:
        raise type(refusal)(refusal.code, f"{file}: {refusal.message}", refusal.fix) from None


@contextmanager
def of_files() -> Iterator[None]:
    """Make a refusal of what the system says about a file: OperationError `not_found`, `forbidden` or
    `bad_request`. An OSError that names no file is left as it is.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise
        said = f"{error.filename}: {error.strerror}"
        if isinstance(error, PermissionError):
            fix = "run it as the user whom that belongs to, or choose another place"
            raise OperationError(Code.FORBIDDEN, said, fix) from error
        if isinstance(error, FileNotFoundError):
            raise OperationError(Code.NOT_FOUND, said, "check the path, and what it stands in") from error
        raise OperationError(Code.BAD_REQUEST, said, "choose another place") from error
