"""An encoder folder in which one tower's graph takes the place of another's: exporting all of them takes long."""

from pathlib import Path

from models.encoder import Encoder
from models.encoder_folder import EncoderConfig
from models.export_graphs import write_image_graph, write_text_graph
from models.towers.tower import ImageTower, TextTower


def encoder_with(text: TextTower | None, image: ImageTower | None, folder: Path) -> Encoder:
    """The served encoder after one of its towers was exchanged."""
    before = Encoder.load(folder, threads=1).config
    if text is not None:
        text.write_files(folder)
        write_text_graph(text, folder)
    if image is not None:
        write_image_graph(image, folder)
    EncoderConfig(
        name=before.name,
        dim=before.dim,
        spaces=before.spaces,
        tokenizer=before.tokenizer if text is None else text.tokens.spec,
        preprocess=before.preprocess if image is None else image.preprocess,
    ).write(folder)
    return Encoder.load(folder, threads=1)
