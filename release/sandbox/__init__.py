"""An index on this machine that behaves like PyPI: the same rules, messages and statuses, its own users and tokens.

A WSGI application on SQLite and a directory of files, reachable from this machine only. Its responses are taken from
warehouse 6b62157 (2026-08-21), which was read, and run with Postgres, Redis and gunicorn (observed 2026-11-22).

    server             starts the sandbox            http_server        HTTP/1.1 with kept connections
    app                routes paths to handlers      connection         throughput and end of a connection
    request_context    what handlers get; the log    responses          status lines and bodies in PyPI's form
    upload             POST /legacy/                 multipart          its form, parsed in constant memory
    auth               users, tokens and caveats     attestations       checked at uploads, and shown
    project_endpoints  simple API and files          index_store        state directory: projects, releases, files
    json_endpoints     JSON API                      project_quota      limits on new projects
    project_pages      pages of projects             sandbox_host       sandboxes for the pytest plug-in
    oidc_exchange      trusted publishing            oidc_provider      identity tokens of a CI job
    publishers         publishers and CI jobs        seed               users, projects and tokens at first

Faults are applied between the request log and the application:

    faults             what they are; active ones    fault_middleware   applies them, and controls them over HTTP
    fault_json         faults as JSON
"""
