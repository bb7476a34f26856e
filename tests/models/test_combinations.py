"""models/presets.py and models/combinations.py: towers chosen by themselves, and what cannot work refused at once."""

import pytest

from catalog.errors import InvalidParams
from models.combinations import SMALLEST, WITH_A_MAP, check
from models.params import ModelParams
from models.presets import name_of, sources_of


def params(**settings: object) -> ModelParams:
    return ModelParams.model_validate(settings)


def test_a_tower_chosen_by_itself_comes_with_its_own_backbone() -> None:
    mixed = sources_of(params(text_tower="bert", image_tower="vgg16"))
    assert (mixed.text, mixed.image, mixed.image_backbone) == ("bert", "vgg16", "default")
    assert mixed.text_backbone is not None and "MiniLM" in mixed.text_backbone
    half = sources_of(params(preset="vit_bert", image_tower="lite0"))
    assert (half.text, half.image, half.image_backbone) == ("bert", "lite0", None)
    assert name_of(params(preset="vit_bert", image_tower="lite0")) == "bert+lite0"
    assert name_of(params(preset="vit_bert")) == "vit_bert"


def test_two_towers_of_one_joint_model_share_its_space_and_others_do_not() -> None:
    joint = {"text_tower": "clip", "image_tower": "clip"}
    assert sources_of(params(**joint)).shared_space
    assert sources_of(params(**joint, backbone_path="here")).text_backbone == "here"
    assert not sources_of(params(preset="clip", text_tower="gru")).shared_space
    assert not sources_of(params(preset="clip", image_tower="siglip")).shared_space


def test_a_backbone_without_pretrained_weights_is_finetuned_unless_something_else_is_said() -> None:
    assert params(text_tower="gru").text == "finetuned" and params(text_tower="bag_of_words").text == "frozen"
    assert params(image_tower="vgg16", image_backbone="random").image == "finetuned"
    again = ModelParams.model_validate(params(text_tower="gru").model_dump(mode="json"))
    assert again == params(text_tower="gru")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"text_tower": "word_vectors"}, "needs model.text_backbone: a word2vec or GloVe file"),
        *(
            ({"text_tower": kind, "text": "frozen"}, f"{kind} has no pretrained weights")
            for kind in ("text_cnn", "gru")
        ),
        ({"text_tower": "bag_of_words", "text_backbone": "x"}, "model.text_backbone does nothing"),
        ({"text": "lora"}, "LoRA adapts pretrained transformers, which use3 is not"),
        ({"text_tower": "bilstm", "text": "lora"}, "LoRA adapts pretrained transformers"),
        *(
            ({"image_tower": "resnet18", "image_backbone": "random", "image": mode}, f"model.image '{mode}'")
            for mode in ("frozen", "tail", "lora")
        ),
        ({"words_beside": "gru", "text": "finetuned"}, "model.text is finetuned"),
        ({"words_beside": "gru", "text_tower": "text_cnn"}, "text_cnn reads words itself"),
        ({"words_beside": "gru", "preset": "clip"}, "the space that the towers of clip share"),
        ({"image_tower": "vit_b_16", "image_pooling": "pyramid"}, "needs a map of features, which vit_b_16"),
        ({"preset": "clip", "image_pooling": "pyramid"}, "needs a map of features, which clip"),
        ({"preset": "clip", "image_size": 224}, "model.image_size does nothing with clip"),
        ({"image_tower": "inception_v3", "image_size": 75}, "it takes 107 pixels or more"),
        ({"image_tower": "vit_b_16", "image_size": 100}, "patches of 16 pixels"),
    ],
)
def test_what_cannot_work_is_refused_in_one_sentence(settings: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidParams, match=reason) as refused:
        sources_of(params(**settings))
    assert str(refused.value).count(". ") == 0 and str(refused.value).endswith(".")


@pytest.mark.parametrize("kind", sorted(SMALLEST))
def test_the_smallest_picture_is_not_refused(kind: str) -> None:
    pooling = "pyramid" if kind in WITH_A_MAP else "mean"
    sources_of(params(image_tower=kind, image_size=SMALLEST[kind], image_pooling=pooling))
    smaller = ModelParams().model_copy(update={"image_size": SMALLEST[kind] - 1})
    with pytest.raises(InvalidParams, match="pixels or more"):
        check(smaller, "use3", None, kind, None)
