"""From a request to an answer: its bytes, its form, the checked query, the endpoints that ask the engine."""
