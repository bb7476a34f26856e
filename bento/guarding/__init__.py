"""Who comes in, from where and how often, and what every answer carries."""
