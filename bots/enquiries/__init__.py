"""What officers ask of the archive and of public lists, and what they are answered."""
