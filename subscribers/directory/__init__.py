"""The directory as it comes from the hub: its entries, its newest head, and who is told of its changes."""
