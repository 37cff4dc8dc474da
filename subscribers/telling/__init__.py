"""What a node says by itself: to the agency's own systems, in digests, and of amendments and retractions."""
