"""What was typed or pressed, read strictly."""
