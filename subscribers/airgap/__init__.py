"""A node without a network: parcels on removable media, and the courier that carries them."""
