"""What other people's machinery reads: workflows, units, crontab lines, property lists, task definitions.

Each module turns one of our values into the text that one platform wants; none of them touches that platform.

- `pipeline`, `binary` → `github`, `gitlab`: a release, and the health of tokens, on a CI service;
- `when`, `job` → `systemd`, `cron`, `launchd`, `windows`: one command, again and again, on a machine.
"""
