"""A Bento that was really built, served by `bentoml serve` in a process of its own, over a real embedded store."""

import json
import shutil
import time
from pathlib import Path

import pytest
import yaml

from bento.packing.build import build_bento, built_content, half_built, stage_files
from bento.process.serve import bento_folder
from catalog.errors import NotReady, ReleaseNotFound, TamperedRelease
from search.contents import sealed
from search.logic import SearchLogic
from search.ranking import Ranking
from search.release import read_manifest, write_manifest
from tests.bento.hostile import body, form, part
from tests.bento.running import TAG, Served, Shop
from tests.bento.telling.promql import faults
from tests.bento.telling.test_operations import EXPRESSIONS, RECORDED
from tests.bento.tiny_encoder import photo

pytestmark = pytest.mark.slow


def test_a_bento_holds_the_serving_code_the_release_and_pinned_packages_and_nothing_else(shop: Shop):
    source = bento_folder(TAG, shop.home) / "src"
    assert {path.name for path in source.iterdir()} == {
        "bento", "bentofile.yaml", "catalog", "models", "release", "requirements.txt", "sbom.cdx.json", "search",
    }  # fmt: skip
    assert {path.name for path in (source / "release").iterdir()} == {"encoder", "manifest.json", "ranking"}
    assert not (source / "release" / "encoder" / "baseline").exists()
    assert not (source / "models" / "train.py").exists()
    info = yaml.safe_load((source.parent / "bento.yaml").read_text())
    assert info["labels"]["release"] == "r20261121-1" and info["labels"]["snapshot"] == "s1"
    assert len(info["labels"]["encoder"]) == 16
    lines = (source.parent / "env" / "python" / "requirements.txt").read_text().split()
    assert all("==" in line for line in lines) and not any(line.startswith(("torch", "transformers")) for line in lines)
    assert [line for line in lines if line.startswith("bentoml==")] == lines[-1:]


def test_where_a_bento_is_put_together_is_known_and_nothing_of_that_is_left(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    seen: list[Path] = []

    def watched(release: Path, stage: Path) -> None:
        seen.extend(half_built(shop.home))
        stage_files(release, stage)

    monkeypatch.setattr("bento.packing.build.stage_files", watched)
    assert build_bento(shop.release, shop.home) == TAG
    assert len(seen) == 1 and list(half_built(shop.home)) == []


def test_the_bill_of_materials_of_a_bento_names_what_will_be_installed_and_lies_in_the_release_too(shop: Shop):
    bento = bento_folder(TAG, shop.home)
    text = (shop.release / "sbom.cdx.json").read_text()
    assert text == (bento / "src" / "sbom.cdx.json").read_text()
    named = {
        f"{part['name']}=={part['version']}" for part in json.loads(text)["components"] if part["type"] == "library"
    }
    assert named == set((bento / "env" / "python" / "requirements.txt").read_text().split())


def test_the_last_user_of_the_image_is_not_root_and_owns_no_more_than_its_own_folder(shop: Shop):
    dockerfile = (bento_folder(TAG, shop.home) / "env" / "docker" / "Dockerfile").read_text()
    lines = [line.split() for line in dockerfile.splitlines()]
    users = [line[1] for line in lines if line[:1] == ["USER"]]
    entry = max(at for at, line in enumerate(lines) if line[:1] == ["ENTRYPOINT"])
    assert users[-1:] == ["bentoml"]
    assert max(at for at, line in enumerate(lines) if line[:1] == ["USER"]) < entry
    assert "ARG BENTO_USER_UID=1034" in dockerfile and "useradd -m -u $BENTO_USER_UID" in dockerfile


def test_words_in_two_languages_and_a_photo_find_what_they_show(served: Served):
    for text in ("blue shoes", "蓝色鞋", "blue 鞋"):
        first = served.client.post("/search", json={"text": text, "k": 1}).json()["hits"][0]
        assert first["title"] == "Blue shoes"
    found = served.client.post("/search", data={"k": "9"}, files={"image": ("my photo.jpg", photo("Green"))}).json()
    assert {hit["attributes"]["colour"] for hit in found["hits"]} == {"Green"}
    assert found["release"] == "r20261121-1"
    both = form(part("text", b"dress"), part("image", photo("Blue"), "a.jpg"), part("k", b"1"))
    assert served.client.post("/search", **both).json()["hits"][0]["title"] == "Blue dress"


def test_filters_similar_and_single_products_work_over_the_real_store(served: Served):
    asked = {"text": "dress", "filters": {"colour": "Red", "price": {"lt": 25}, "in_stock": True}}
    hits = served.client.post("/search", json=asked).json()["hits"]
    assert hits and all(hit["attributes"]["colour"] == "Red" and hit["price"] < 25 and hit["stock"] for hit in hits[:3])
    like = served.client.post("/similar", json={"id": "p0", "k": 2}).json()["hits"]
    assert {hit["title"] for hit in like} == {"Red dress"}
    assert served.client.get("/products/p6").json()["product"]["title"] == "Blue shirt"


def test_our_own_probes_metrics_and_page_answer_and_not_bentomls(served: Served):
    ready = served.client.get("/readyz")
    assert ready.json()["release"] == ready.headers["X-Etalage-Release"] == "r20261121-1"
    assert served.client.get("/healthz").json()["status"] == "alive"
    assert 'etalage_release_info{collection="products_r20261121_1"' in served.client.get("/metrics").text
    assert "bentoml_service" not in served.client.get("/metrics").text
    assert "<title>Etalage</title>" in served.client.get("/").text
    assert served.client.get("/openapi.json").json()["openapi"] == "3.1.0"
    for path in ("/docs.json", "/schema.json", "/static_content/index.css"):
        assert served.client.get(path).status_code == 404


def test_hostile_requests_over_the_wire_do_not_hold_up_the_next_one(served: Served):
    huge = b"a" * (50 * 2**20)
    for request, status in (
        (body(huge), 413),
        ({"content": (b" " * 2**20 for _ in range(50)), "headers": {"content-type": "application/json"}}, 413),
        (form(part("image", huge, "a.jpg")), 413),
        (form(part("image", b"Dear shop" * 99, "photo.jpg")), 415),
        (body("[" * 5000), 400),
        (body(json.dumps({"text": "a" * 100_000})), 400),
    ):
        refused = served.client.post("/search", **request)
        assert (refused.status_code, set(refused.json())) == (status, {"error", "kind"})
        assert served.client.post("/search", json={"text": "red", "k": 1}).status_code == 200


def test_the_worker_never_loaded_torch(served: Served):
    mapped = Path(f"/proc/{served.worker}/maps").read_text()
    assert "onnxruntime" in mapped
    assert "libtorch" not in mapped and "/torch/" not in mapped


def test_an_answer_takes_milliseconds(served: Served):
    took = []
    for _ in range(50):
        started = time.perf_counter()
        served.client.post("/search", json={"text": "red dress"})
        took.append((time.perf_counter() - started) * 1000)
    print(f"ready in {served.seconds_to_ready:.1f} s, p50 {sorted(took)[25]:.1f} ms over HTTP")
    assert sorted(took)[25] < 250


def test_alerts_and_dashboard_find_what_they_ask_for_at_the_real_service(served: Served):
    for _ in range(2):
        served.client.post("/search", json={"text": "black shirt"})
    page = served.client.get("/metrics").text
    assert [(name, wrong) for name, asked in EXPRESSIONS.items() if (wrong := faults(asked, page, RECORDED))] == []
    hits = 'etalage_query_cache_lookups_total{modality="text",outcome="hit",release="r20261121-1"} '
    assert float(page.split(hits)[1].split()[0]) >= 1
    assert "etalage_query_cache_limit_vectors 10000.0" in page


def test_every_request_is_one_line_of_json_in_the_log_of_the_process(served: Served, shop: Shop):
    asked = served.client.post("/search", json={"text": "green hat"}, headers={"X-Request-Id": "order-66"})
    assert asked.headers["X-Request-Id"] == "order-66"
    until, lines, log = time.monotonic() + 60, [], shop.home / "service.log"
    while not lines and time.monotonic() < until:
        lines = [line for line in log.read_text(errors="replace").splitlines() if "order-66" in line]
    (line,) = map(json.loads, lines)
    assert (line["request"], line["kind"], line["status"], line["release"]) == ("order-66", "text", 200, "r20261121-1")
    assert line["phases_ms"]["encode"] > 0 and "hat" not in lines[0]


def test_the_service_does_not_keep_the_embedded_store(served: Served, shop: Shop):
    assert shop.store.has_release("r20261121-1")  # would wait for the lock, and give up


def test_building_the_same_release_again_changes_nothing(shop: Shop):
    built = bento_folder(TAG, shop.home) / "bento.yaml"
    before = built.stat().st_mtime_ns
    assert build_bento(shop.release, shop.home) == TAG
    assert built.stat().st_mtime_ns == before


def test_a_half_written_or_outdated_bento_is_built_again(shop: Shop, tmp_path: Path):
    home = tmp_path / "home"
    shutil.copytree(shop.home / "bentoml", home / "bentoml")
    source = bento_folder(TAG, home) / "src"
    whole = built_content(source.parent)
    (source / "bento" / "app.py").unlink()  # what a kill in the middle of the copy leaves
    assert whole is not None and built_content(source.parent) is None

    changed = tmp_path / "release"
    shutil.copytree(shop.release, changed)
    SearchLogic(Ranking(candidates=7)).save(changed / "ranking")
    with pytest.raises(TamperedRelease, match=r"ranking/ranking\.json was changed"):
        build_bento(changed, home)
    unsealed = read_manifest(changed).model_copy(update={"files": None})
    write_manifest(sealed(unsealed, changed), changed)
    assert build_bento(changed, home) == TAG
    assert (source / "bento" / "app.py").is_file()
    assert built_content(source.parent) not in (None, whole)
    assert SearchLogic.load(source / "release" / "ranking").ranking.candidates == 7


def test_an_incomplete_release_is_refused_with_what_it_lacks(shop: Shop, tmp_path: Path):
    with pytest.raises(ReleaseNotFound, match="holds no manifest"):
        build_bento(tmp_path, tmp_path)
    folder = tmp_path / "release"
    shutil.copytree(shop.release, folder)
    shutil.rmtree(folder / "ranking")
    with pytest.raises(NotReady, match=r"has no ranking/"):
        build_bento(folder, tmp_path)
