"""Git: read a repository, its tags and its objects."""
