"""Put a new token in the place of an old one."""
