"""What a hub can try: every attack by its name, with who shall notice it."""

from tests.faults.attacks import on_directory, on_files, on_members, on_receipts, on_traffic
from tests.faults.attacks.scene import ATTACKS, RECORD, After, Attack, Sight, Stage, Who, ahead_file, record

__all__ = [
    "ATTACKS",
    "RECORD",
    "After",
    "Attack",
    "Sight",
    "Stage",
    "Who",
    "ahead_file",
    "on_directory",
    "on_files",
    "on_members",
    "on_receipts",
    "on_traffic",
    "record",
]
