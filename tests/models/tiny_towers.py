"""A dual encoder small enough to train in a second, and a handful of products drawn as plain coloured squares."""

import io
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from catalog.media import media_id
from catalog.products import Product, Term
from catalog.shards import write_shards
from models.dual_encoder import DualEncoder
from models.heads import ProjectionHead
from models.params import ModelParams
from models.preprocess import ImagePreprocess
from models.towers.tower import ImageTower, TextTower

COLOURS = {"Red": (220, 30, 30), "Green": (30, 170, 60), "Blue": (40, 60, 210), "Black": (20, 20, 20)}
CHINESE = {"Red": "红色", "Green": "绿色", "Blue": "蓝色", "Black": "黑色", "Shirts": "衬衫", "Bags": "包"}
TERMS = [Term("colour" if value in COLOURS else "category", value, "zh", term) for value, term in CHINESE.items()]
SIDE = 16


class TinyText(TextTower):
    """A bag of hashed words."""

    def __init__(self, params: ModelParams) -> None:
        super().__init__()
        torch.manual_seed(1)  # stands for pretrained weights: the same whatever else the model has
        self.bag = nn.EmbeddingBag(512, 24, mode="mean", padding_idx=0)
        self.head = ProjectionHead(24, params.dim)
        self.set_trainable(params.text)

    def tokenize(self, texts: Sequence[str]) -> dict[str, Tensor]:
        words = [[zlib.crc32(word.encode()) % 511 + 1 for word in text.lower().split()] for text in texts]
        longest = max(map(len, words))
        return {"ids": torch.tensor([row + [0] * (longest - len(row)) for row in words])}

    def pooled(self, tokens: Mapping[str, Tensor]) -> Tensor:
        return self.bag(tokens["ids"])


class TinyImage(ImageTower):
    """Average colours of a 4 x 4 grid, then one layer."""

    def __init__(self, params: ModelParams) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.mix = nn.Conv2d(3, 6, 1)
        self.last = nn.Linear(96, 20)
        self.head = ProjectionHead(20, params.dim)
        self.preprocess = ImagePreprocess(size=SIDE)
        self.set_trainable(params.image)

    def early(self, pixels: Tensor) -> Tensor:
        return nn.functional.adaptive_avg_pool2d(self.mix(pixels), 4).flatten(1)

    def late(self, features: Tensor) -> Tensor:
        return torch.tanh(self.last(features))

    def late_modules(self) -> Sequence[nn.Module]:
        return [self.last]


def tiny_model(seed: int = 0, **params: object) -> DualEncoder:
    """A DualEncoder of TinyText and TinyImage with D = 8."""
    torch.manual_seed(seed)
    chosen = ModelParams.model_validate({"dim": 8, **params})
    return DualEncoder(chosen, TinyText(chosen), TinyImage(chosen))


def square(colour: str, number: int) -> bytes:
    """A PNG of one colour; `number` makes its bytes unlike any other's."""
    image = Image.new("RGB", (SIDE, SIDE), COLOURS[colour])
    image.putpixel((number % SIDE, number // SIDE % SIDE), (255, 255, 255))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def tiny_shop(count: int, media: Path | None = None) -> list[Product]:
    """`count` products, two of each group; every seventh has no picture. Pictures are packed into `media`."""
    products, pictures = [], []
    for number in range(count):
        colour = list(COLOURS)[number % 4]
        kind = "Shirts" if number % 3 else "Bags"
        data = square(colour, number)
        has_picture = number % 7 != 6
        if has_picture:
            pictures.append((media_id(data), data))
        products.append(
            Product(
                id=f"p{number}",
                group_id=f"g{number // 2}",
                title=f"Make {number // 2} {colour} {kind}",
                category=("All", kind),
                attributes={"colour": colour},
                images=(media_id(data),) if has_picture else (),
            )
        )
    if media is not None:
        write_shards(pictures, media)
    return products
