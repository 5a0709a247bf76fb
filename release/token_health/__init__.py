"""Token health: check all tokens of a project or fleet, record the results, and notify people of changes.

    fleet file or directory → targets → scan (queries the indexes) → evaluation → history → changes → notifications

- `fleet`: which credentials are checked;
- `scan`: check and evaluate all of them concurrently; a slow or failing one does not stop the others;
- `health_history`: the results over time, in SQLite (`schema.sql`);
- `notify`: what to report, each change once, and the channels that deliver it;
- `rotation`: replace a token; `schedulers`: run the checks regularly.
"""
