"""What people write: drafts, and replies to what others wrote."""
