"""An index of PyPI's kind on this machine: the same rules, words and statuses, with users and tokens of one's own.

A plain WSGI application on SQLite and a directory of files; loopback only. Where its answers come from:
warehouse 6b62157 (2026-08-21), read, and run with Postgres, Redis and gunicorn (observed 2026-11-22).

    world     who is there: users, projects, tokens, faults, as a file says it
    store     the state directory          population  world → store
    auth      header → identity            caveats     what a token allows
    upload    POST /legacy/, in order      form        its body, read in constant memory
    oidc      trusted publishing           issuer      identities, and who signs them (rs256)
    claims    which publisher one is       publishers  they, and the job, in the world file
    projects  what the index has           quotas      new projects an hour
    simple, json_api, files                what installers read
    app       address → answer             answers     status line and body, as PyPI words them
    log       the requests so far          server      starts it all
    serving   HTTP/1.1, connections kept   wire        one connection: its pace, its end

What can be made to go wrong, between the log and the application:

    faults    as data                      fault_json  as JSON
    faulty    how they strike              fault_list  those that are on
    subject   what a request is about      control     put in and taken away over HTTP
"""
