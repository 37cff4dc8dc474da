"""What officers look for, and what they have told them of: saved searches and the menus that make them."""
