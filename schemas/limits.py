"""Every limit, named once (FORMAT.md, "Limits"). Sizes in bytes, times in milliseconds unless the name says
otherwise.
"""

from typing import Final

HEADER_MAX: Final = 2 * 1024
PAYLOAD_MAX: Final = 64 * 1024
PAYLOAD_ROOM_MIN: Final = 1024
SALT_SIZE: Final = 32
LENGTH_SIZE: Final = 4
NONCE_SIZE: Final = 24
TAG_SIZE: Final = 16
SIGNATURE_SIZE: Final = 64
FRAME_MAX: Final = (
    3 + HEADER_MAX + SIGNATURE_SIZE + NONCE_SIZE + SALT_SIZE + LENGTH_SIZE + PAYLOAD_MAX + TAG_SIZE
)

WRAP_CIPHERTEXT_SIZE: Final = 1168
WRAP_SIZE: Final = 32 + 16 + WRAP_CIPHERTEXT_SIZE
WRAPS_PER_BUNDLE: Final = 256
REPLY_KEYS_MAX: Final = 16
"""Readers of one sealed reply: the endpoints of two agencies."""

DOCUMENT_MAX: Final = 32 * 1024
"""A signed directory document or membership entry, with its envelope."""
JSON_DEPTH_MAX: Final = 12
INTEGER_MAX: Final = 2**53 - 1

CLOCK_SKEW_MAX: Final = 5 * 60 * 1000
"""How far ahead of the hub's clock a frame's `iat` may be."""
INTAKE_AGE_MAX: Final = 7 * 24 * 3600 * 1000
"""How old a frame may be when the hub first sees it: an agency that was cut off for a week still gets
through.
"""
LIFE_MAX: Final = 400 * 24 * 3600 * 1000
"""The furthest `exp` may lie after `iat`."""

HEARTBEAT_FIRST: Final = 5 * 60 * 1000
"""After this a chain that is quiet has its first heartbeat, at the latest."""
HEARTBEAT_LONGEST: Final = 60 * 60 * 1000
"""The longest time between frames of a chain that has begun."""

TITLE_MAX: Final = 200
SUMMARY_MAX: Final = 1_000
BODY_MAX: Final = 20_000
LIST_MAX: Final = 64

ATTACHMENTS_MAX: Final = 16
ATTACHMENT_MAX: Final = 2 * 1024**3
"""A file that goes with a bulletin."""
ATTACHMENT_ROOM_MIN: Final = 1024
CHUNK_SIZE: Final = 64 * 1024
"""Plaintext in a chunk of an attachment."""
CHUNK_OVERHEAD: Final = 17
CHUNK_MAX: Final = CHUNK_SIZE + CHUNK_OVERHEAD
STREAM_HEADER_SIZE: Final = 24
ADDRESSES_PER_LIST: Final = 2048
FILE_NAME_MAX: Final = 100
"""Code points."""
FILE_NAME_BYTES_MAX: Final = 200

COMMUNITY_MEMBERS_MAX: Final = 10_000
SECRETARIAT_KEYS_MAX: Final = 32
WITNESSES_MAX: Final = 16
COOL_DOWN: Final = 72 * 3600 * 1000
COOL_DOWN_MAX: Final = 90 * 24 * 3600 * 1000
"""Between an agency's identity key being said to be replaced and its replacement, unless the root says
longer or shorter.
"""
DISPUTE_FACTOR: Final = 3
"""How many cool-downs it takes after the agency's present key has objected."""
IDENTITY_LOGS_MAX: Final = 256
"""Communities of which an identity document says how long their membership logs are."""
NOTE_MAX: Final = 32 * 1024
"""A checkpoint with its signatures."""
NOTE_SIGNATURES_MAX: Final = 32
"""Signatures under a checkpoint: the log's, the witnesses', and some of which we know nothing."""

EVIDENCE_MAX: Final = 4 * 1024 * 1024
EVIDENCE_DOCUMENTS_MAX: Final = 1024
EVIDENCE_MEMBERSHIP_MAX: Final = 4096
EXPORT_MAX: Final = 256 * 1024 * 1024
"""An exported directory: some forty years of 300 agencies."""
PAGE_FRAMES_MAX: Final = 256
"""Old frames in one page."""
PAGE_MAX: Final = 480 * 1024
"""A page of old frames: it is one NATS message."""
