"""The rows that a refresh writes: whole ones, with vectors that were made now or are stored already."""

import numpy as np

from flows.refreshing.plan import Plan
from models.embeddings import ProductEmbeddings
from search.milvus.change import CollectionChange
from search.rows import Rows, build_rows


def rows_to_write(change: CollectionChange, plan: Plan, embeddings: ProductEmbeddings | None) -> Rows | None:
    """Rows of all that is new or differs; None where nothing but deletes is. `embeddings`: of `plan.new` and, after
    those, `plan.content`; the vectors of `plan.scalars` are read back. Raises NotReady where one is missing.
    """
    parts = []
    if plan.scalars:
        parts.append(_stored(change.rows([product.id for product in plan.scalars])))
    if embeddings is not None:
        parts.append(embeddings)
    if not parts:
        return None
    joined = ProductEmbeddings(
        ids=[product_id for part in parts for product_id in part.ids],
        fused=np.concatenate([part.fused for part in parts]),
        text=np.concatenate([part.text for part in parts]),
        image=np.concatenate([part.image for part in parts]),
        has_text=np.concatenate([part.has_text for part in parts]),
        has_image=np.concatenate([part.has_image for part in parts]),
        encoder=change.held.encoder,
        snapshot=plan.snapshot,
    )
    return build_rows([*plan.scalars, *plan.new, *plan.content], joined, plan.terms, change.held.metric)


def _stored(rows: Rows) -> ProductEmbeddings:
    """The vectors of stored rows."""
    return ProductEmbeddings(
        ids=rows.ids,
        fused=rows.vectors["fused"],
        text=rows.vectors["text"],
        image=rows.vectors["image"],
        has_text=rows.present["text"],
        has_image=rows.present["image"],
        encoder=rows.encoder,
        snapshot=rows.snapshot,
    )
