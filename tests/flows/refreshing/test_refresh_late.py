"""A refresh of a release with late interaction: its tokens of changed products are those of a build of the whole."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from catalog.errors import TamperedRelease
from catalog.media import MediaStore
from catalog.products import Product
from flows.opening import open_engine
from models.encoder import Encoder
from models.encoder_folder import IMAGE_GRAPH, PLACES, POOLED
from models.late.encoder import ABOUT, FORMAT, PICTURE_GRAPH, WORDS_GRAPH, LateEncoder
from models.late.export import product_tokens
from models.late.folder import TOKENS
from models.late.params import LateParams
from models.late.tokens import ProductTokens
from search.contents import check_contents, sealed
from search.engine import Query, SearchEngine
from search.late import LATE, LateInteraction
from search.logic import SearchLogic
from search.memory import MemoryCollection
from search.milvus.store import MilvusStore
from search.ranking import Ranking
from search.refreshes import refresh_folder
from search.release import ENCODER, RANKING, write_manifest
from tests.bento.tiny_encoder import DIM, OPSET, photo
from tests.flows.refreshing.refresh_worlds import RELEASE, World, catalogue

PARAMS = LateParams(enabled=True, side=2, width=DIM)
SHARES = {"text": 0.5, "text to pictures": 0.5, "image": 0.5, "text+image": 0.5}


class LateWorld(World):
    """A champion with late interaction: each token of a picture is the colour of a quarter of it, or of all."""

    def make_champion(self, products: list[Product]) -> None:  # type: ignore[override]
        super().make_champion(products)
        encoder, late = self.release / ENCODER, self.release / RANKING / LATE
        tell_places(encoder / IMAGE_GRAPH)
        write_heads(late, Encoder.load(encoder).fingerprint)
        Ranking.model_validate({"late": SHARES}).save(self.release / RANKING / "ranking.json")
        self.whole_tokens(products).save(late / TOKENS)
        self.collections.drop(RELEASE)
        name = self.collections.write(self.full_build(products), RELEASE)
        manifest = self.releases.get(RELEASE).model_copy(
            update={
                "encoder": Encoder.load(encoder).fingerprint,
                "collection": name,
                "params": {"late": PARAMS.model_dump()},
                "files": None,
            }
        )
        write_manifest(sealed(manifest, self.release), self.release)

    def whole_tokens(self, products: list[Product]) -> ProductTokens:
        """Those that a build from nothing makes of `products`."""
        late = LateEncoder.load(self.release / RANKING / LATE, Encoder.load(self.release / ENCODER))
        return product_tokens(products, MediaStore(), late, [], PARAMS)


def tell_places(path: Path) -> None:
    """Let the tiny image graph also give the mean colour of each quarter, and of the whole."""
    model = onnx.load(path)
    quarters = helper.make_node("AveragePool", ["pixels"], [PLACES], kernel_shape=[4, 4], strides=[4, 4])
    model.graph.node.extend([quarters, helper.make_node("Identity", ["colour"], [POOLED])])
    shapes = {PLACES: ["B", 3, 2, 2], POOLED: ["B", 3]}
    for name, shape in shapes.items():
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    onnx.checker.check_model(model)
    onnx.save(model, path)


def write_heads(folder: Path, encoder: str) -> None:
    """Words as they are; of a picture four places and the whole, as colours in the dimensions of the words."""
    folder.mkdir()
    about = f'{{"format": {FORMAT}, "encoder": "{encoder}", "width": {DIM}}}'
    (folder / ABOUT).write_text(about, encoding="utf-8")
    save(folder / WORDS_GRAPH, [helper.make_node("Identity", ["texts"], ["tokens"])], {"texts": ["T", DIM]}, {})
    turn = np.zeros((3, DIM), dtype=np.float32)
    turn[[0, 1, 2], [0, 1, 2]] = 1.0
    nodes = [
        helper.make_node("Reshape", [PLACES, "flat"], ["columns"]),
        helper.make_node("Transpose", ["columns"], ["rows"], perm=[0, 2, 1]),
        helper.make_node("Unsqueeze", [POOLED, "one"], ["whole"]),
        helper.make_node("Concat", ["rows", "whole"], ["colours"], axis=1),
        helper.make_node("MatMul", ["colours", "turn"], ["long"]),
        helper.make_node("LpNormalization", ["long"], ["tokens"], axis=-1, p=2),
    ]
    inputs = {PLACES: ["B", 3, 2, 2], POOLED: ["B", 3]}
    save(folder / PICTURE_GRAPH, nodes, inputs, {"turn": turn, "flat": np.array([0, 3, 4]), "one": np.array([1])})


def save(path: Path, nodes: list, inputs: dict[str, list], constants: dict[str, np.ndarray]) -> None:
    given = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()]
    out = helper.make_tensor_value_info("tokens", TensorProto.FLOAT, None)
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, path.stem, given, [out], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10), path)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LateWorld:
    monkeypatch.chdir(tmp_path)
    world = LateWorld(tmp_path, MilvusStore(str(tmp_path / ".etalage" / "milvus" / "etalage.db")))
    world.make_champion(catalogue())
    return world


def repainted() -> list[Product]:
    """p0 shows black, p1 has another title, and one more blue dress."""
    products = catalogue()
    products[0] = replace(products[0], images=("m-Black",))
    products[1] = replace(products[1], title="Black shirt")
    return [*products, replace(products[0], id="n1", title="Blue dress", images=("m-Blue",))]


def answers(engine: SearchEngine) -> list[tuple[str, float]]:
    """Of a text and of a photo, whose order late interaction has a say in."""
    queries = [Query(text="blue dress", k=40), Query(images=(photo("Black"),), k=40)]
    return [(hit.id, round(hit.score, 4)) for query in queries for hit in engine.search(query).hits]


def whole(world: LateWorld, products: list[Product]) -> SearchEngine:
    """The engine that a build from nothing would give."""
    encoder = Encoder.load(world.release / ENCODER)
    late = LateEncoder.load(world.release / RANKING / LATE, encoder)
    collection = MemoryCollection(world.full_build(products), name="built", release=RELEASE)
    engine = SearchLogic.load(world.release / RANKING).engine(encoder, collection)
    engine.late = LateInteraction(late, world.whole_tokens(products), world.release)
    return engine


def test_answers_with_tokens_of_what_changed_are_those_of_a_build_of_the_whole(world: LateWorld):
    before = answers(open_engine(world.releases, RELEASE, world.collections))
    assert before == answers(whole(world, catalogue()))
    world.ingest(repainted())
    world.refresh().run(None)
    after = answers(open_engine(world.releases, RELEASE, world.collections))
    assert after == answers(whole(world, repainted()))
    assert after != before
    check_contents(world.releases.get(RELEASE), world.release)


def test_tokens_that_did_not_change_are_taken_over_without_an_encoder(
    world: LateWorld, monkeypatch: pytest.MonkeyPatch
):
    world.ingest(repainted())
    world.refresh().run(None)
    dearer = [replace(product, price=77.0) for product in repainted()]
    world.ingest(dearer)
    with monkeypatch.context() as patched:
        patched.setattr(Encoder, "load", lambda *_: pytest.fail("an encoder was loaded"))
        world.refresh().run(None)
    assert answers(open_engine(world.releases, RELEASE, world.collections)) == answers(whole(world, dearer))
    world.ingest(catalogue())
    world.refresh().run(None)
    assert not (refresh_folder(world.release, 3) / "tokens").exists()  # nothing differs from the release as it was made
    assert answers(open_engine(world.releases, RELEASE, world.collections)) == answers(whole(world, catalogue()))


def test_tokens_that_somebody_changed_are_refused(world: LateWorld):
    world.ingest(repainted())
    world.refresh().run(None)
    path = refresh_folder(world.release, 1) / "tokens" / "places.npy"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(TamperedRelease, match=r"tokens/places\.npy was changed"):
        open_engine(world.releases, RELEASE, world.collections)
