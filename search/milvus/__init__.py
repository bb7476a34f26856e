"""Collections in Milvus, embedded or on a server: schema, rows, sessions, changes, and the store of all releases."""
