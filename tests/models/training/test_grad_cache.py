"""A batch in chunks: the gradients of the whole batch, with one chunk's activations in memory."""

import gc
import weakref

import pytest
import torch
from torch import Tensor, nn

from catalog.media import MediaStore
from catalog.words.terms import TermIndex
from models.progress import Lines
from models.training.grad_cache import in_chunks
from models.training.params import TrainParams
from models.training.pictures import LivePictures
from models.training.task import DualEncoderTask
from models.training.texts import LiveTexts
from models.training.validation_score import Validation
from tests.models.tiny_towers import TERMS, tiny_model, tiny_shop
from tests.models.tiny_training import a_task


def gradients(task: DualEncoderTask) -> dict[str, Tensor]:
    torch.manual_seed(3)
    task.module.zero_grad()
    task.step(next(task.batches(0, 0))).loss.backward()
    return {name: p.grad.clone() for name, p in task.module.named_parameters() if p.grad is not None}


def assert_same(whole: dict[str, Tensor], chunked: dict[str, Tensor]) -> None:
    assert whole.keys() == chunked.keys()
    for name, gradient in whole.items():
        torch.testing.assert_close(chunked[name], gradient, atol=1e-5, rtol=1e-5, msg=name)
    assert any(gradient.abs().max() > 1e-4 for gradient in whole.values())


@pytest.mark.parametrize("loss", ["contrastive", "sigmoid", "triplet"])
def test_gradients_in_chunks_are_those_of_the_whole_batch(tmp_path, loss):
    options = {"loss": loss, "batch_size": 16, "consistency": 0.3, "weights": {"photo_photo": 0.5}, "views": 2}
    whole = gradients(a_task(tmp_path, grad_cache=0, **options))
    assert_same(whole, gradients(a_task(tmp_path, grad_cache=3, **options)))
    learned = {"model.logit_scale", "model.image.last.weight", "model.text.head.layers.weight"}
    assert learned <= whole.keys()
    assert any(name.startswith("model.fusion.") for name in whole)


def test_gradients_of_finetuned_towers_in_chunks_are_those_of_the_whole_batch(tmp_path):
    def live(chunk: int) -> DualEncoderTask:
        shop = tiny_shop(24, tmp_path / "media")
        params = TrainParams(batch_size=12, min_steps=2, grad_cache=chunk)
        model, index = tiny_model(text="finetuned", image="finetuned"), TermIndex(TERMS, shop)
        pictures = LivePictures(model, MediaStore(tmp_path / "media"), threads=1)
        return DualEncoderTask(
            model, shop, index, params, pictures, LiveTexts(), Validation(shop[:6], index, params), Lines()
        )

    whole = gradients(live(0))
    assert {"model.text.bag.weight", "model.image.mix.weight"} <= whole.keys()
    assert_same(whole, gradients(live(5)))


def test_the_second_run_of_a_chunk_draws_the_dropout_of_the_first():
    module = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    inputs = torch.ones(6, 4)
    torch.manual_seed(0)
    vectors = in_chunks(module, inputs, 2)
    vectors.sum().backward()
    kept = (vectors != 0).float() * 2  # dropout doubles what it keeps
    assert 0 < kept.mean() < 2
    torch.testing.assert_close(module[0].bias.grad, kept.sum(dim=0))


def test_one_chunks_activations_are_in_memory_at_a_time():
    alive: list[weakref.ref[Tensor]] = []
    most = 0

    class Watched(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            nonlocal most
            inner = x.exp()  # its result is what the gradient needs
            gc.collect()
            alive[:] = [reference for reference in alive if reference() is not None]
            alive.append(weakref.ref(inner.untyped_storage()))
            most = max(most, len(alive))
            return inner

    def run(chunk: int) -> int:
        nonlocal most
        most = 0
        alive.clear()
        inputs = torch.randn(8, 3, requires_grad=True)
        if chunk:
            in_chunks(nn.Sequential(Watched(), nn.Tanh()), inputs, chunk).sum().backward()
        else:
            torch.cat([Watched()(part).tanh() for part in inputs.split(2)]).sum().backward()
        return most

    assert run(0) == 4
    assert run(2) == 1
