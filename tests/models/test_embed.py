"""models/embed.py, models/embeddings.py, models/probes.py"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog.errors import NotReady
from catalog.media import MediaStore, media_id
from catalog.products import Product, Term
from catalog.shards import write_shards
from models.embed import embed_products
from models.embeddings import load_embeddings, save_embeddings
from models.encoder import Encoder
from models.params import EmbedParams
from models.probes import FIXED, probe_images, probe_texts


@pytest.fixture(scope="module")
def encoder(exported: Any) -> Encoder:
    return Encoder.load(exported.folder, threads=1)


@pytest.fixture(scope="module")
def media(pictures: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> MediaStore:
    folder = tmp_path_factory.mktemp("media")
    write_shards([(media_id(data), data) for data in pictures], folder)
    return MediaStore(folder)


@pytest.fixture(scope="module")
def products(pictures: list[bytes]) -> list[Product]:
    one, two, three, four = map(media_id, pictures)
    return [
        Product("both", "g", "red dress", images=(one,)),
        Product("words", "g", "红色连衣裙"),
        Product("picture", "g", "", images=(two,)),
        Product("several", "g", "shoes", images=(one, two, three, four)),
        Product("nothing", "g", ""),
    ]


class Counting:
    """The real encoder, counting what it is asked."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder, self.texts, self.images = encoder, 0, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.encoder, name)

    def encode_product_text(self, texts: Sequence[str]) -> np.ndarray:
        self.texts += len(texts)
        return self.encoder.encode_product_text(texts)

    def encode_image(self, images: Sequence[bytes]) -> np.ndarray:
        self.images += len(images)
        return self.encoder.encode_image(images)


class Broken(Counting):
    """Answers NaN for pictures."""

    def encode_image(self, images: Sequence[bytes]) -> np.ndarray:
        return self.encoder.encode_image(images) * np.nan


def test_every_product_has_the_vectors_of_what_it_has(
    encoder: Encoder, media: MediaStore, products: list[Product], pictures: list[bytes]
) -> None:
    made = embed_products(products, media, encoder, "snap", EmbedParams(batch_size=2, pictures=2))
    assert list(made.ids) == ["both", "words", "picture", "several", "nothing"]
    assert made.has_text.tolist() == [True, True, False, True, False]
    assert made.has_image.tolist() == [True, False, True, True, False]
    text, image = encoder.encode_text(["red dress"])[0], encoder.encode_image(pictures)
    assert np.allclose(made.text[0], text, atol=1e-5) and np.allclose(made.image[0], image[0], atol=1e-5)
    mean = image[0] + image[1]  # the first two of four pictures
    assert np.allclose(made.image[3], mean / np.linalg.norm(mean), atol=1e-5)
    assert np.array_equal(made.fused[1], made.text[1]) and np.array_equal(made.fused[2], made.image[2])
    assert not made.fused[4].any() and not made.text[2].any() and not made.image[1].any()
    assert (made.encoder, made.snapshot) == (encoder.fingerprint, "snap")


def test_a_stage_that_was_killed_goes_on_where_it_was(
    encoder: Encoder, media: MediaStore, products: list[Product], tmp_path: Path
) -> None:
    class Killed(Exception):
        pass

    def kill_after_four(done: int, total: int) -> None:
        if done == 4:
            raise Killed

    params, first, second = EmbedParams(batch_size=2), Counting(encoder), Counting(encoder)
    with pytest.raises(Killed):
        embed_products(products, media, first, "snap", params, tmp_path, kill_after_four)
    made = embed_products(products, media, second, "snap", params, tmp_path)
    assert (first.texts, first.images) == (3, 6) and (second.texts, second.images) == (0, 0)
    plain = embed_products(products, media, encoder, "snap", params)
    assert np.array_equal(made.fused, plain.fused)


def test_a_changed_title_is_encoded_again(
    encoder: Encoder, media: MediaStore, products: list[Product], tmp_path: Path
) -> None:
    params, counting = EmbedParams(batch_size=2), Counting(encoder)
    embed_products(products, media, encoder, "snap", params, tmp_path)
    changed = [Product("both", "g", "blue dress", images=products[0].images), *products[1:]]
    embed_products(changed, media, counting, "snap", params, tmp_path)
    assert counting.texts == 2  # its batch of two alone


def test_a_vector_that_is_not_a_number_stops_the_stage(
    encoder: Encoder, media: MediaStore, products: list[Product]
) -> None:
    with pytest.raises(NotReady, match="image vector of product 'both'"):
        embed_products(products, media, Broken(encoder), "snap")


def test_what_is_saved_is_what_is_loaded(
    encoder: Encoder, media: MediaStore, products: list[Product], tmp_path: Path
) -> None:
    made = embed_products(products, media, encoder, "snap")
    save_embeddings(made, tmp_path / "one")
    loaded = load_embeddings(tmp_path / "one")
    assert list(loaded.ids) == list(made.ids) and len(loaded) == 5
    for field in ("fused", "text", "image", "has_text", "has_image"):
        assert np.array_equal(getattr(loaded, field), getattr(made, field))
    assert (loaded.encoder, loaded.snapshot) == (made.encoder, made.snapshot)
    save_embeddings(made, tmp_path / "two")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_missing_or_unfitting_parts_are_refused(
    encoder: Encoder, media: MediaStore, products: list[Product], tmp_path: Path
) -> None:
    with pytest.raises(NotReady, match="holds no embeddings"):
        load_embeddings(tmp_path)
    save_embeddings(embed_products(products, media, encoder, "snap"), tmp_path)
    np.save(tmp_path / "text.npy", np.zeros((4, 32), dtype=np.float32))
    with pytest.raises(NotReady, match="does not hold 5 products of 32"):
        load_embeddings(tmp_path)


def test_an_empty_catalogue_has_no_vectors(encoder: Encoder, media: MediaStore) -> None:
    assert embed_products([], media, encoder, "snap").fused.shape == (0, 32)


def test_probes_speak_both_languages_and_do_not_depend_on_the_order(
    media: MediaStore, products: list[Product], pictures: list[bytes]
) -> None:
    terms = [Term("colour", "Red", "zh", "红色"), Term("colour", "Red", "en", "crimson")]
    texts = probe_texts(products, terms, 8)
    assert texts[:4] == list(FIXED) and "红色" in texts and "crimson" not in texts and "red dress" in texts
    assert len(texts) == len(set(texts)) <= 8 and "" not in texts
    assert probe_texts(products[::-1], terms[::-1], 8) == texts
    images = probe_images(products, media, 2)
    assert len(images) == 2 and set(images) <= set(pictures) and probe_images(products[::-1], media, 2) == images
