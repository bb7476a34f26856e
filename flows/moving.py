"""A champion whose Milvus is another one since ETALAGE_MILVUS_URI changed: the same release, filled there.

Nothing is trained or measured again; only what the other index finds is held against the gates' rules once more.
"""

from catalog.errors import GateRefused
from evaluation.gates.evidence import Fidelity
from evaluation.gates.rules import FidelityRules
from flows.releases import ReleaseStore
from search.release import ReleaseManifest, write_manifest
from search.settings import SearchSettings


def moved(manifest: ReleaseManifest) -> bool:
    """Whether the environment names another Milvus than the one that the release was last filled into."""
    return manifest.milvus_server != SearchSettings().server


def demand_fidelity(release: str, fidelity: Fidelity, rule: FidelityRules) -> None:
    """Raises GateRefused where the collection finds less of what exact search finds than the gates ask for."""
    measured = [("", fidelity.overlap, rule.overlap)]
    measured += [(f" under a filter of {share}", found, rule.filtered) for share, found in fidelity.filtered.items()]
    for where, found, least in measured:
        if not found >= least:
            raise GateRefused(
                f"In the Milvus that ETALAGE_MILVUS_URI names, overlap@10 with exact search of release {release} is "
                f"{found:.3f}{where}, must be at least {least:g}, and so the release stays where it is."
            )


def settle(store: ReleaseStore, manifest: ReleaseManifest) -> None:
    """Write down which Milvus holds the release now: the last step, so that a kill before it repeats the others."""
    settings = SearchSettings()
    known = {"milvus_uri_kind": "server" if settings.server else "embedded", "milvus_server": settings.server}
    write_manifest(manifest.model_copy(update=known), store.folder(manifest.release))
