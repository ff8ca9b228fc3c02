"""A person's knowledge graph as a picture.

What enters: the graph, named and cleaned by `graphs`. What leaves: a PNG's bytes. `layout` says where each box lies;
here they are drawn. matplotlib comes with the extra `picture` and loads only here.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from memoria.errors import InvalidInput, ModelUnavailable
from memoria.extract.proposals import SELF
from memoria.serve.layout import LINE, SMALL_LINE, Box, boxes_of

if TYPE_CHECKING:
    import networkx as nx

    Graph = nx.MultiDiGraph[str]

_MOST = 200  # beliefs: with more, no letter could be read
_DPI = 150
_MARGIN, _HEAD, _FOOT = 0.35, 0.75, 0.4  # inches
_INK, _SOFT = "#22303a", "#6b7780"
_COLOURS = {
    "is so": "#2b6c8f",
    "likes": "#3f8f4f",
    "does not like": "#b5493b",
    "needs confirmation": "#c98a1b",
    "no longer so": "#a3a3a3",
}


def draw(graph: Graph, user: str) -> bytes:
    """The graph as a PNG: current beliefs in solid lines, retired ones dashed and grey, the person in the middle.

    Raises `InvalidInput` where there is nothing to draw, `ModelUnavailable` without matplotlib.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ModelUnavailable('A picture needs matplotlib: pip install "memoria-lifelong[picture]"') from error
    if not graph.number_of_edges():
        raise InvalidInput(f"Nothing is believed of {user} that could be drawn; remember something first.")
    shown = _latest(graph)
    boxes = boxes_of(shown)
    low = [min(box.low[i] for box in boxes.values()) - _MARGIN for i in (0, 1)]
    high = [max(box.high[i] for box in boxes.values()) + _MARGIN for i in (0, 1)]
    low[1], high[1] = low[1] - _FOOT, high[1] + _HEAD
    figure = Figure(figsize=(max(high[0] - low[0], 7.0), high[1] - low[1]), facecolor="white")
    canvas = FigureCanvasAgg(figure)
    axes: Any = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(low[0], low[0] + figure.get_figwidth())
    axes.set_ylim(low[1], high[1])
    axes.axis("off")
    _Sheet(axes, _fonts()).draw(shown, boxes)
    _caption(axes, graph, shown, user, _fonts())
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a script that no font here has: boxes stand in
        canvas.print_figure(file, format="png", dpi=_DPI)
    return file.getvalue()


class _Sheet:
    """Draws boxes and arrows on axes whose unit is an inch."""

    def __init__(self, axes: Any, fonts: list[str]) -> None:
        self._axes = axes
        self._font = {"fontfamily": fonts, "parse_math": False, "ha": "center", "va": "center"}  # a "$" is a dollar

    def draw(self, graph: Graph, boxes: Mapping[str, Box]) -> None:
        """All of the graph."""
        patches = {node: self._box(graph, node, box) for node, box in boxes.items()}
        for (source, target, edge), bend in _with_bends(graph):
            self._arrow(patches[source], patches[target], boxes[source], boxes[target], edge, bend)

    def _box(self, graph: Graph, node: str, box: Box) -> Any:
        from matplotlib.patches import FancyBboxPatch

        person = node == SELF
        colour = _INK if person else _colour_of_node(graph, node)
        patch = FancyBboxPatch(
            (box.low[0] + 0.06, box.low[1] + 0.06),
            box.width - 0.12,
            box.height - 0.12,
            boxstyle="round,pad=0.06,rounding_size=0.1",
            facecolor=_INK if person else "white",
            edgecolor=colour,
            linewidth=1.2,
            linestyle="--" if colour == _COLOURS["no longer so"] else "-",
            zorder=3,
        )
        self._axes.add_patch(patch)
        x, y = box.centre
        below = SMALL_LINE * len(box.says) / 2
        ink = "white" if person else (_SOFT if colour == _COLOURS["no longer so"] else _INK)
        size = 12 if person else 8.5
        self._axes.text(
            x, y - below, "\n".join(box.name), fontsize=size, color=ink, zorder=4, linespacing=1.15, **self._font
        )
        if box.says:
            above = LINE * len(box.name) / 2
            said = "\n".join(box.says)
            self._axes.text(x, y + above, said, fontsize=6.8, color=colour, zorder=4, style="italic", **self._font)
        return patch

    def _arrow(self, tail: Any, head: Any, source: Box, target: Box, edge: Mapping[str, Any], bend: float) -> None:
        from matplotlib.patches import FancyArrowPatch

        current = edge["current"]
        arrow = FancyArrowPatch(
            source.centre,
            target.centre,
            patchA=tail,
            patchB=head,
            arrowstyle="-|>",
            mutation_scale=8,
            connectionstyle=f"arc3,rad={bend}",
            color=_colour(edge),
            linestyle="-" if current else (0, (4, 3)),
            linewidth=1.1 if current else 0.9,
            alpha=0.75,
            zorder=1 if current else 0,
        )
        self._axes.add_patch(arrow)
        if not target.says:  # several arrows meet there: each says for itself what it is
            (ax, ay), (bx, by) = source.centre, target.centre
            x, y = (ax + bx) / 2 + bend * (by - ay) / 2, (ay + by) / 2 - bend * (bx - ax) / 2
            back = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
            self._axes.text(
                x,
                y,
                edge["predicate"],
                fontsize=6.8,
                color=_colour(edge),
                style="italic",
                bbox=back,
                zorder=2,
                **self._font,
            )


def _latest(graph: Graph) -> Graph:
    """The graph, or of a large one what is so now and then what was, the latest learnt first."""
    edges: list[tuple[str, str, str]] = list(graph.edges(keys=True))
    if len(edges) <= _MOST:
        return graph
    best = sorted(range(len(edges)), key=lambda i: (not graph.edges[edges[i]]["current"], -i))[:_MOST]
    return graph.edge_subgraph([edges[i] for i in sorted(best)])  # pyright: ignore[reportArgumentType]  # with keys


def _with_bends(graph: Graph) -> Iterator[tuple[tuple[str, str, dict[str, Any]], float]]:
    """Each edge, with how far it bends out of the way of others between the same two."""
    seen: dict[frozenset[str], int] = {}
    for source, target, edge in graph.edges(data=True):
        pair = frozenset((source, target))
        number = seen.get(pair, 0)
        seen[pair] = number + 1
        side = 1 if number % 2 else -1
        yield (source, target, edge), side * 0.22 * ((number + 1) // 2)


def _colour_of_node(graph: Graph, node: str) -> str:
    colours = {_colour(edge) for _, _, edge in graph.in_edges(node, data=True)}
    return colours.pop() if len(colours) == 1 else _COLOURS["is so"]


def _colour(edge: Mapping[str, Any]) -> str:
    if not edge["current"]:
        return _COLOURS["no longer so"]
    if edge["needs_confirmation"]:
        return _COLOURS["needs confirmation"]
    if edge["predicate"] == "does not like":
        return _COLOURS["does not like"]
    return _COLOURS["likes" if edge["kind"] == "preference" or edge["predicate"] == "likes" else "is so"]


def _caption(axes: Any, graph: Graph, shown: Graph, user: str, fonts: list[str]) -> None:
    """The title over the drawing and what its colours mean under it."""
    edges = [edge for _, _, edge in graph.edges(data=True)]
    gone = sum(not edge["current"] for edge in edges)
    said = f"{len(edges) - gone} beliefs hold" + (f", {gone} no longer" if gone else "")
    if shown.number_of_edges() < len(edges):
        said += f"; the latest {shown.number_of_edges()} are drawn"
    (left, _), (low, high) = axes.get_xlim(), axes.get_ylim()
    font = {"fontfamily": fonts, "parse_math": False, "ha": "left", "va": "center"}
    title = f"What memoria believes of {user}"
    axes.text(left + _MARGIN, high - 0.35, title, fontsize=15, color=_INK, weight="bold", **font)
    axes.text(left + _MARGIN, high - 0.65, said, fontsize=9.5, color=_SOFT, **font)
    used = {_colour(edge) for _, _, edge in shown.edges(data=True)}
    x = left + _MARGIN
    for name, colour in _COLOURS.items():
        if colour in used:
            style = "--" if name == "no longer so" else "-"
            axes.plot([x, x + 0.35], [low + 0.3] * 2, color=colour, linewidth=1.8, linestyle=style)
            axes.text(x + 0.43, low + 0.3, name, fontsize=8.5, color=_INK, **font)
            x += 0.75 + 0.075 * len(name)


def _fonts() -> list[str]:
    """matplotlib's own font, and after it whichever installed ones know scripts that it does not."""
    from matplotlib.font_manager import fontManager

    wide = ("Noto Sans CJK JP", "Noto Sans CJK SC", "Source Han Sans", "WenQuanYi Zen Hei", "Droid Sans Fallback")
    more = (*wide, "PingFang SC", "Hiragino Sans", "Microsoft YaHei", "Noto Sans Thai", "Noto Sans Arabic", "FreeSans")
    installed = {each.name for each in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in more if name in installed)]
