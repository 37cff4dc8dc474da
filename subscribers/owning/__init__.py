"""What owners of communities do: found them, let agencies in and put them out, alone or together."""
