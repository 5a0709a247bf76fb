"""Look at the tokens again and again: cron, systemd, launchd, Windows, a CI service."""
