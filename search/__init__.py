"""The query path: encode -> retrieve -> rank -> explain; and the Milvus collection that a release answers from."""
