"""What an index answers: its pages, its JSON, its opinion of a token."""
