"""Codes of invitation."""

import secrets


def new_code() -> str:
    """192 bits of chance, in 32 of the characters that a start link may carry."""
    return secrets.token_urlsafe(24)
