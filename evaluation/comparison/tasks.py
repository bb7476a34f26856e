"""The columns of the comparison's table."""

from collections.abc import Mapping

from evaluation.metrics import Metric

# What the table tests, by name: kind, system, metric. `hidden`: on an index without attributes, categories and terms.
TASKS: Mapping[str, tuple[str, str, Metric]] = {
    "title -> photo @1": ("title_to_photo", "engine", "recall@1"),
    "title -> photo @10": ("title_to_photo", "engine", "recall@10"),
    "en, hidden": ("attribute_en", "engine", "nDCG@10"),
    "zh, hidden": ("attribute_zh", "engine", "nDCG@10"),
    "zh other words, hidden": ("other_words_zh", "engine", "nDCG@10"),
    "alike, hidden": ("photo_to_alike", "engine", "nDCG@10"),
    "photo + words, hidden": ("photo_and_words", "engine", "nDCG@10"),
    "en": ("attribute_en", "as_served", "nDCG@10"),
    "zh": ("attribute_zh", "as_served", "nDCG@10"),
    "en other words": ("other_words_en", "as_served", "nDCG@10"),
    "zh other words": ("other_words_zh", "as_served", "nDCG@10"),
    "alike": ("photo_to_alike", "as_served", "nDCG@10"),
    "photo + words": ("photo_and_words", "as_served", "nDCG@10"),
    "altered photo @10": ("photo_to_product", "engine", "recall@10"),
    "words of title @10": ("title_to_product", "engine", "recall@10"),
}
