"""An index of PyPI's kind on this machine: the same rules, words and statuses, with users and tokens of one's own.

A plain WSGI application on SQLite and a directory of files; loopback only. Where its answers come from:
warehouse 6b62157 (2026-08-21), read, and run with Postgres, Redis and gunicorn (observed 2026-11-22).

    world     who is there: users, projects, tokens, as a file says it
    store     the state directory          population  world → store
    auth      header → identity            caveats     what a token allows
    upload    POST /legacy/, in order      form        its body, read in constant memory
    projects  what the index has           quotas      new projects an hour
    simple, json_api, files                what installers read
    app       address → answer             answers     status line and body, as PyPI words them
    log       the requests so far          server      the thread that serves it all
"""
