"""Attachments on their way: sealed onto this disk, sent in chunks, fetched, opened again."""
