"""Refusals: the one exception of this package, and the codes that the text knows."""

from collections.abc import Iterator
from contextlib import contextmanager

CODES = frozenset(
    """
    too_large truncated bad_version bad_json bad_encoding bad_header bad_subject subject_mismatch
    unknown_key revoked_key bad_key bad_signature unknown_publisher suspended unknown_community
    wrong_realm not_member read_only_member expired from_the_future too_old clock_skew replayed gap fork
    unknown_epoch missing_wrap bad_wrap key_mismatch decryption_failed bad_padding commitment_mismatch
    body_unexpected bad_document below_threshold not_next unknown_agency already_known root_mismatch
    split_view log_behind bad_receipt bad_checkpoint witness_shortfall stale_head rollback bad_proof
    bad_parcel bad_evidence bad_draft missing_marking red_with_history unknown_language dangling_reference
    exercise_mismatch content_mismatch wrong_key store_corrupt disk_full already_running not_enrolled
    hub_unreachable node_unreachable not_found forbidden bad_request bad_settings internal history_none
    bad_page too_early not_a_reply no_reader stolen_key bad_chunk bad_attachment missing_chunk over_quota
    restoring not_granted grant_expired red_onward
    """.split()
)


class Refused(Exception):
    """Something is refused, for the reason that `code` names."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def demand(condition: bool, code: str) -> None:
    """Refuse with `code` unless the condition holds."""
    if not condition:
        raise Refused(code)


@contextmanager
def renamed(instead_of: str, code: str) -> Iterator[None]:
    """Within this block a refusal with one code becomes one with another."""
    try:
        yield
    except Refused as refused:
        raise Refused(code if refused.code == instead_of else refused.code) from refused
