"""Git: the repository, its tags, its objects."""
