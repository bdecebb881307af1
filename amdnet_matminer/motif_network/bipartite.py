"""A network as a bipartite graph of networkx, and its communities."""

from __future__ import annotations

import networkx as nx
import pandas as pd

from amdnet_matminer.motif_network.content import Content
from amdnet_matminer.motif_network.tables import all_links


def bipartite_graph(content: Content) -> nx.Graph:
    """Make a graph of networkx.

    Args:
        content: The network.

    Returns:
        What ``MotifNetwork.to_networkx`` says.
    """
    graph = nx.Graph()
    n = len(content.ids)
    materials = zip(content.ids, content.formulas, strict=True)
    graph.add_nodes_from(
        (i, {"bipartite": 0, "name": name, "formula": formula}) for i, (name, formula) in enumerate(materials)
    )
    graph.add_nodes_from((n + i, {"bipartite": 1, "name": name}) for i, name in enumerate(content.motifs))
    links = all_links(content).drop(columns=["id", "formula", "motif"])
    ends = zip(content.links.material.tolist(), (n + content.links.kind).tolist(), strict=True)
    values = links.to_dict("records")
    graph.add_edges_from((*pair, value) for pair, value in zip(ends, values, strict=True))
    return graph


def find_communities(content: Content, resolution: float) -> pd.Series:
    """Group materials and motifs by the method of Louvain.

    Args:
        content: The network.
        resolution: Above 1 there are more and smaller groups.

    Returns:
        The number of its group by id or name, 0 the largest; materials first.
    """
    graph = bipartite_graph(content)
    groups = nx.community.louvain_communities(graph, resolution=resolution, seed=0)
    groups.sort(key=lambda group: (-len(group), min(group)))
    number = {node: i for i, group in enumerate(groups) for node in group}
    nodes = pd.Index([*content.ids, *content.motifs], name="node")
    return pd.Series([number[i] for i in graph], nodes, name="community")
