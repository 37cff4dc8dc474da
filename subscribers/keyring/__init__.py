"""The agency's own keys over time: kept, rotated, replaced, backed up, destroyed."""
