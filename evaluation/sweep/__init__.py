"""The search for better params: what may change, how one trial is measured, and what came of all of them."""
