"""Decoding is heard by who asks, in the thread that asks."""

from threading import Thread

import pytest

from models.decoding import decoding, decodings
from tests.bento.tiny_encoder import photo
from tests.bento.world import tiny_encoder


def test_an_encoder_tells_of_every_chunk_of_pictures_and_of_no_text():
    encoder = tiny_encoder()
    with decodings() as heard:
        encoder.encode_text(["red", "blue"])
        assert heard == []
        encoder.encode_image([photo("Red")] * 9)  # eight at once
    assert len(heard) == 2 and all(seconds > 0 for seconds in heard)
    encoder.encode_image([photo("Red")])
    assert len(heard) == 2


def test_who_asks_inside_hears_for_itself_and_another_thread_hears_nothing():
    def decode() -> None:
        with decoding():
            pass

    with decodings() as outer:
        with decodings() as inner:
            decode()
        thread = Thread(target=decode)
        thread.start()
        thread.join()
    assert (len(inner), len(outer)) == (1, 0)


def test_a_picture_that_cannot_be_decoded_is_no_decoding():
    with decodings() as heard, pytest.raises(ValueError), decoding():
        raise ValueError
    assert heard == []
