"""Settings of section `model` that cannot work together: refused in one sentence, before anything is read."""

from catalog.errors import InvalidParams
from models.params import ImageKind, ModelParams, TextKind

JOINT = frozenset({"clip", "siglip", "chinese_clip"})  # one model has both towers
SMALLEST = {  # pixels of a side that still leave a map of 2 x 2
    "vgg11_bn": 64, "vgg16": 64, "resnet18": 64, "resnet50": 64, "densenet121": 64, "inception_v3": 107,
    "efficientnet_b0": 64, "convnext_tiny": 64, "vit_b_16": 32,
}  # fmt: skip
TORCHVISION = frozenset(SMALLEST)
PATCH = 16  # pixels of a side of a patch of vit_b_16
WORDS = frozenset({"bag_of_words", "word_vectors", "text_cnn", "bilstm", "gru"})
FROM_NOTHING = frozenset({"text_cnn", "bilstm", "gru"})
WITH_A_MAP = frozenset({"lite0"}) | TORCHVISION - {"vit_b_16"}


def check(
    params: ModelParams, text: TextKind, text_backbone: str | None, image: ImageKind, image_backbone: str | None
) -> None:
    """Raise InvalidParams for the first thing that is impossible with these towers and backbones."""
    shared = share_a_space(text, text_backbone, image, image_backbone)
    for impossible, reason in (
        *_of_text(params, text, text_backbone),
        *_beside_text(params, text, shared),
        *_of_image(params, image, image_backbone),
    ):
        if impossible:
            raise InvalidParams(reason)


def share_a_space(text: TextKind, text_backbone: str | None, image: ImageKind, image_backbone: str | None) -> bool:
    """Whether the pretrained towers agree already, so text finds pictures before any training."""
    return text in JOINT and (text, text_backbone) == (image, image_backbone)


def _of_text(params: ModelParams, kind: TextKind, backbone: str | None) -> list[tuple[bool, str]]:
    return [
        (
            kind == "word_vectors" and backbone is None,
            "model.text_tower word_vectors needs model.text_backbone: a word2vec or GloVe file.",
        ),
        (
            kind in FROM_NOTHING and params.text == "frozen",
            f"The text tower {kind} has no pretrained weights to keep frozen: set model.text to finetuned.",
        ),
        (
            params.text == "lora" and (kind in WORDS or kind == "use3"),
            f"LoRA adapts pretrained transformers, which {kind} is not: set model.text to finetuned.",
        ),
    ]


def _beside_text(params: ModelParams, kind: TextKind, shared: bool) -> list[tuple[bool, str]]:
    if params.words_beside in ("auto", "none"):
        return []
    return [
        (kind in WORDS, f"model.words_beside stands beside a pretrained text tower, and {kind} reads words itself."),
        (
            params.text != "frozen",
            f"model.words_beside learns beside a text tower that rests, and model.text is {params.text}: set one of "
            "them to none or frozen.",
        ),
        (shared, f"model.words_beside would take apart the space that the towers of {kind} share: set it to none."),
    ]


def _of_image(params: ModelParams, kind: ImageKind, backbone: str | None) -> list[tuple[bool, str]]:
    size = params.image_size
    return [
        (
            backbone == "random" and params.image != "finetuned",
            f"Random weights know nothing that model.image '{params.image}' could keep: set model.image to finetuned.",
        ),
        (
            params.image_pooling == "pyramid" and kind not in WITH_A_MAP,
            f"model.image_pooling 'pyramid' needs a map of features, which {kind} does not make.",
        ),
        (
            size is not None and kind not in SMALLEST and kind != "lite0",
            f"model.image_size does nothing with {kind}, which takes pictures as its weights were trained on them.",
        ),
        (
            size is not None and size < SMALLEST.get(kind, 0),
            f"model.image_size {size} leaves {kind} nothing to see: it takes {SMALLEST.get(kind)} pixels or more.",
        ),
        (
            size is not None and kind == "vit_b_16" and size % PATCH != 0,
            f"model.image_size {size} does not divide into vit_b_16's patches of {PATCH} pixels.",
        ),
    ]
