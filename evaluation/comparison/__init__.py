"""Named configurations trained and scored on one snapshot: what each part is worth, with what lost as well."""
