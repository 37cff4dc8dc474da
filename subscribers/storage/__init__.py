"""What the node keeps on disk: one encrypted database, its tables, the archive and its search."""
