"""What is told together: digests, hand-overs, situation reports, and the hours at which they are due."""
