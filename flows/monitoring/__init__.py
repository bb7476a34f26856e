"""`etalage monitor`: has what is asked, answered, clicked or sold moved away from what the champion was made for?

params -> windows (two stretches of the journal) -> shifts (tests of two samples) -> checks (alarm or not) -> page.
"""
