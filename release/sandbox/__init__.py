"""An index on this machine that behaves like PyPI: the same rules, messages and statuses, its own users and tokens.

A WSGI application on SQLite and a directory of files, reachable from this machine only. Its responses are taken from
warehouse 6b62157 (2026-08-21), which was read, and run with Postgres, Redis and gunicorn (observed 2026-11-22).

    server             starts the sandbox            http_server        HTTP/1.1 with kept connections
    app                routes paths to handlers      connection         throughput and end of a connection
    request_context    what handlers get             request_log        all requests so far
    responses          status lines and bodies in PyPI's form
    upload             POST /legacy/                 multipart          its form, parsed in constant memory
    auth               users, tokens and caveats     attestations       checked at uploads, and shown
    projects           projects, releases, files     index_store        the state directory
    project_endpoints  simple API, JSON API, files
    oidc_exchange      trusted publishing            oidc_provider      identity tokens of a CI job
    publishers         publishers and CI jobs        seed_schema        users, projects and tokens of the seed data
    seed               writes seed data into the state directory

Faults are applied between the request log and the application:

    faults             as data; the active ones      fault_json         as JSON
    fault_middleware   applies them to requests, and controls them over HTTP
"""
