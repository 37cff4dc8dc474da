"""Major events: which bulletins are theirs, how they are run, and what is left of them."""
