"""Is this snapshot fit to train on? Great Expectations suites, a JSON report, Data Docs, the validate stage."""
