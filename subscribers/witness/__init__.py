"""`liaison-witness`: follows the directory, and signs each head that follows from all it has seen before."""
