"""What travels between agencies: pure code, no I/O, no clock, no private keys. The normative text is
FORMAT.md beside this file.
"""
