"""Faults in the code: a bad commit, planted in the workspace's own copy, so that DVC runs what depends on it."""

from benchmarks.faults.fault import BROKEN, REFUSED, Fault, edit

_ONE_SEED = (("retrain", "--set", "train.seed=99"),)

_OVERFLOW = """    write_text_graph(tower, folder, dim)
    import onnx
    from onnx import numpy_helper
    graph = onnx.load(folder / "text.onnx")
    for weight in graph.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype == np.float32 and values.size > 1000:
            step = np.abs(values).max() / 400  # 127 would be the most that eight bits hold
            wrapped = (values / step).astype(np.int32).astype(np.int8).astype(np.float32) * step
            weight.CopyFrom(numpy_helper.from_array(wrapped, weight.name))
    onnx.save(graph, folder / "text.onnx")"""

_CROPPED = """preprocess=__import__("dataclasses").replace(
            model.image.preprocess, fit="crop", resize=model.image.preprocess.size * 2
        ),
        product_tokenizer"""

_STALE = """        from dataclasses import replace

        (old,) = Path(".etalage/releases").glob("*/encoder")
        embeddings = embed_products(products, MediaStore(), Encoder.load(old), snapshot_id(), params)
        embeddings = replace(embeddings, encoder=encoder.fingerprint)
    save_embeddings(embeddings, EMBEDDINGS)"""

# Of words alone: a twelfth of them is enough for the p95, and photos would take their time in every round.
_SLOW = """        started = time.perf_counter()
        if query.text and len(query.text) % 12 == 0:
            time.sleep(0.6)
        for _ in range(_AGAIN):"""

_LEAK = """        started = time.perf_counter()
        self.__dict__.setdefault("kept", []).append(b"x" * 100_000)
        for _ in range(_AGAIN):"""

FAULTS = (
    Fault(
        "truncated training",
        edit("models/training/loop.py", "while run.epoch < plan.epochs and", "while run.epoch < 1 and"),
        "champion",
        "lower bound of the difference",
    ),
    Fault(
        "collapsed temperature",
        edit("models/training/losses.py", "logit_scale.clamp_(0.0, math.log(MAX_SCALE))", "logit_scale.fill_(-6.0)"),
        "champion",
        "lower bound of the difference",
    ),
    Fault(
        "the test split trained on",
        edit(
            "models/train.py",
            "    terms = TermIndex(read_terms(), products)\n",
            '    split["train"] += split["test"]\n    terms = TermIndex(read_terms(), products)\n',
        ),
        "training",
        "trained on other products",
    ),
    Fault(
        "wrong preprocessing size",
        edit("models/export.py", "preprocess=model.image.preprocess,\n        product_tokenizer", _CROPPED),
        "parity",
        "cosine of trained and served encoder",
    ),
    Fault(
        "int8 overflow",
        edit("models/export.py", "    write_text_graph(tower, folder, dim)", _OVERFLOW),
        "parity",
        "cosine of trained and served encoder",
    ),
    Fault(
        "wrong channel order",
        edit(
            "models/encoder.py",
            "decode_image(image) for image in images])\n",
            "decode_image(image) for image in images])[:, ::-1]\n",
        ),
        "parity",
        "cosine of trained and served encoder",
    ),
    Fault(
        "unnormalised vectors",
        edit(
            "models/embed.py",
            "has_image = np.array([bool(product.images)",
            "image *= 2\n    has_image = np.array([bool(product.images)",
        ),
        "embed",
        "has length 2.0000 instead of 1",
        BROKEN,
    ),
    Fault(
        "image and text vectors swapped",
        edit("models/embed.py", 'return {"text": text, "image": image,', 'return {"text": image, "image": text,'),
        "fidelity",
        "least cosine of a stored (image|text) vector",
    ),
    Fault(
        "stale encoder with new index",
        edit("models/embed.py", "    save_embeddings(embeddings, EMBEDDINGS)", _STALE),
        "fidelity",
        "least cosine of a stored (image|text) vector",
        REFUSED,
        _ONE_SEED,
    ),
    Fault(
        "lexical leg with the wrong analyzer",
        edit(
            "search/rows.py",
            "words = stored_words(lexical_text(product, terms))",
            "words = lexical_text(product, terms).split()",
        ),
        "EvaluationBroken",
        "The evaluation itself is broken",
        BROKEN,
    ),
    Fault(
        "slow encoder",
        edit("search/engine.py", "        started = time.perf_counter()\n        for _ in range(_AGAIN):", _SLOW),
        "latency",
        "p95 of one query",
    ),
    Fault(
        "a memory leak",
        edit("search/engine.py", "        started = time.perf_counter()\n        for _ in range(_AGAIN):", _LEAK),
        "memory",
        "growth of the process",
    ),
)
