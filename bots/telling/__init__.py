"""What the bot says by itself: from the node's feed into the outbox, and out of it; bells that ring."""
