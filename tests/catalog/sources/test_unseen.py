"""The photo that README searches with."""

from pathlib import Path

from catalog.media import decode_image, media_id
from catalog.sources.sample import SampleSource
from catalog.sources.unseen import main


def test_the_photo_is_a_picture_that_the_sample_does_not_hold(tmp_path: Path, capsys) -> None:
    main(tmp_path / "deep" / "photo.jpg")
    data = (tmp_path / "deep" / "photo.jpg").read_bytes()
    assert decode_image(data).size == (224, 224)
    assert "shows:" in capsys.readouterr().out
    sample = SampleSource()
    first = [record.images[0] for _, record in zip(range(40), sample.records(), strict=False) if record.images]
    assert media_id(data) not in {media_id(sample.media(reference)) for reference in first}
