"""Section `train` of params.yaml: everything about training that changes the bytes of the model."""

from typing import Annotated, Literal

from pydantic import Field

from catalog.params import Section

LossName = Literal["contrastive", "sigmoid", "triplet"]
OrderName = Literal["joint", "sequential"]
Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "fp32", "bf16"]
PhraseLanguage = Literal["en", "zh"]
QuerySource = Literal["judgements", "interactions"]
Grade = Annotated[float, Field(ge=0, le=1)]


class PairWeights(Section):
    """What each pair of sides counts for in the matching loss, a weighted mean; 0 leaves a pair out.

    A title, a phrase or a shop's query is on the query side; a picture or a fused product is on the product side. In
    photo_photo two views of one picture find each other, so that what tells it from its like is not forgotten.
    """

    title_image: float = Field(default=1.0, ge=0)
    phrase_image: float = Field(default=1.0, ge=0)
    phrase_product: float = Field(default=1.0, ge=0)
    title_product: float = Field(default=0.5, ge=0)
    query_image: float = Field(default=1.0, ge=0)  # of train.queries
    query_product: float = Field(default=1.0, ge=0)
    photo_photo: float = Field(default=0.0, ge=0)


class TrainParams(Section):
    """How the dual encoder is trained."""

    seed: int = 7
    epochs: int = Field(default=12, ge=1)
    warmup_epochs: int = Field(default=0, ge=0)  # before these: pictures and words by themselves, without labels
    batch_size: int = Field(default=256, ge=2)
    min_steps: int = Field(default=16, ge=1)  # batches per epoch at least: a small catalogue gets smaller batches
    balance: float = Field(default=0.0, ge=0, le=1)  # 0 = every product once an epoch, 1 = every category equally often
    hard_negatives: float = Field(default=0.0, ge=0, le=0.5)  # share of a batch that is mined for the rest; 0 = none
    mine_every: int = Field(default=2, ge=1)  # epochs between minings; before the first, batches hold none
    negative_margin: float = Field(default=0.95, gt=0, le=1)  # of the right product's score; above, nothing is negative
    accumulate: int = Field(default=1, ge=1)  # batches per update
    grad_cache: int = Field(default=0, ge=0)  # rows a tower takes at once, for batches larger than memory; 0 = all
    learning_rate: float = Field(default=1e-3, gt=0)  # heads and fusion
    backbone_learning_rate: float = Field(default=1e-4, gt=0)  # what is trained of the pretrained parts
    weight_decay: float = Field(default=0.05, ge=0)
    warmup_fraction: float = Field(default=0.05, ge=0, lt=1)
    gradient_clip: float = Field(default=1.0, gt=0)  # largest norm of all gradients together
    average: float = Field(default=0.0, ge=0, lt=1)  # decay of the moving average of weights that is kept; 0 = none
    patience: int = Field(default=4, ge=1)  # epochs without a better validation score

    order: OrderName = "joint"  # sequential: first the towers, then the fusion alone
    fusion_share: float = Field(default=0.25, gt=0, lt=1)  # last share of the epochs, the fusion's (order: sequential)

    teacher: str | None = None  # folder of a finished model: only a tower for its queries is trained, of section model
    distil_weight: float = Field(default=1.0, gt=0)  # of asking as the teacher does, beside the matching loss

    loss: LossName = "contrastive"
    weights: PairWeights = PairWeights()
    temperature: float = Field(default=0.07, gt=0)  # at the start; it is learned
    margin: float = Field(default=0.2, gt=0, le=2)  # of the triplet loss, in cosines
    graded: bool = False  # products that answer in part count in part; else a text is true of a product or not
    partial: float = Field(default=0.2, ge=0, lt=1)  # most that a product with some of a phrase's facets counts
    queries: tuple[QuerySource, ...] = ()  # tables of the shop whose queries join the batches
    actions: dict[str, Grade] = Field(default={"view": 0.1, "click": 0.3, "cart": 0.6, "buy": 1.0})  # others: nothing
    consistency: float = Field(default=0.0, ge=0)  # weight beside the matching loss; 0.25 in CyCLIP
    attribute_weight: float = Field(default=0.0, ge=0)  # of heads that predict the facets, beside the matching loss
    attribute_support: int = Field(default=20, ge=1)  # training products that a facet value needs to be predicted

    tail_epochs: int = Field(default=3, ge=0)  # last epochs in which the image tower's tail trains too (image: tail)
    rounds: int = Field(default=4, ge=1)  # epochs after which texts repeat; a frozen text tower then computes none anew
    phrases: int = Field(default=2, ge=0)  # attribute phrases of each product in a batch
    languages: tuple[PhraseLanguage, ...] = ("en", "zh")  # of the phrases
    plain_titles: float = Field(default=0.4, ge=0, le=1)  # share of titles taken as they are; others are thinned out
    word_dropout: float = Field(default=0.25, ge=0, lt=1)  # share of words that a thinned-out text loses
    attributes_shown: float = Field(default=0.5, ge=0, le=1)  # share of products whose words name the attributes too
    text_noise: float = Field(default=0.3, ge=0)  # on a frozen text backbone's output, in its own standard deviations
    description_share: float = Field(default=0.0, ge=0, le=1)  # how often the description stands in for the title
    modality_dropout: float = Field(default=0.15, ge=0, lt=1)  # how often fusion sees only words, or only the picture
    pictures: int = Field(default=4, ge=1)  # first pictures of a product that are trained on
    views: int = Field(default=1, ge=1, le=8)  # cached views of a picture: 2 = also mirrored, more = also altered
    photo_noise: float = Field(default=0.1, ge=0)  # on a second view's cached features, in their standard deviations
    validation_products: int = Field(default=2000, ge=1)  # at most; the score is taken on these

    device: Device = "auto"
    precision: Precision = "auto"  # auto: bf16 on a GPU that has it, fp32 otherwise
    compile: bool = False
