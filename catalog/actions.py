"""What a shop's users do with a product, and how the time of it is written: for interactions and for feedback."""

from typing import Literal, get_args

Action = Literal["view", "click", "cart", "buy"]
ACTIONS: tuple[Action, ...] = get_args(Action)
VIEW, CLICK, CART, BUY = ACTIONS
ISO_TIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}(:\d{2})?)$"  # with a time zone
