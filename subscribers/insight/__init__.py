"""What the node can say about what it holds: where a bulletin's word comes from, and how many there are."""
