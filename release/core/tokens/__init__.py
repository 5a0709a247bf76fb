"""API tokens: what they contain and allow, and how they can be damaged."""
