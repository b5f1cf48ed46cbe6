"""The durable queue: jobs in SQLite, and files from which a damaged list is made again."""
