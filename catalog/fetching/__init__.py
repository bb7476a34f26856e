"""Pictures from URLs, from addresses that were checked: the client that the service and the ingest share."""
