"""A BERT sentence encoder drawn as an ONNX graph, straight from its weights.

What enters: the tensors of a `safetensors` file by Hugging Face's names. What leaves: an ONNX model that takes the
token ids of one text (int64, [tokens]) and gives its unit vector (float32, [dimension]). It exists so that neither
torch nor transformers is needed, and so that the graph does not change with their versions. One text at a time, hence
no padding and no mask: a text's vector never depends on what it is embedded with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = Mapping[str, NDArray[Any]]
_OPSET = 20  # the first with Gelu
_IR_VERSION = 10
_EPSILON = 1e-12  # layer_norm_eps in the model's config.json


class _Drawing:
    """Collects nodes and constants; every method returns the name of what it drew."""

    def __init__(self, weights: Weights) -> None:
        from onnx import helper, numpy_helper

        self._helper: Any = helper
        self._tensor: Any = numpy_helper.from_array
        self.weights = weights
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, array: NDArray[Any]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(self._tensor(array, name))
        return name

    def ints(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def op(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        name = output or f"{kind}{len(self.nodes)}"
        self.nodes.append(self._helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def linear(self, x: str, weight: NDArray[Any], bias: NDArray[Any]) -> str:
        """torch's Linear: the weight is stored transposed."""
        return self.op("Add", self.op("MatMul", x, self.constant(weight.T)), self.constant(bias))

    def layer(self, x: str, name: str) -> str:
        return self.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def norm(self, x: str, name: str) -> str:
        scale, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return self.op("LayerNormalization", x, self.constant(scale), self.constant(bias), axis=-1, epsilon=_EPSILON)


def _embedding(draw: _Drawing, ids: str) -> str:
    """Words + positions + segment 0, normalised: [tokens, dimension]."""
    weights = draw.weights
    words = draw.op("Gather", draw.constant(weights["embeddings.word_embeddings.weight"]), ids)
    segment = weights["embeddings.token_type_embeddings.weight"][0]
    places = draw.constant(weights["embeddings.position_embeddings.weight"] + segment)
    here = draw.op("Slice", places, draw.ints(0), draw.op("Shape", ids), draw.ints(0))
    return draw.norm(draw.op("Add", words, here), "embeddings.LayerNorm")


def _attention(draw: _Drawing, x: str, name: str, heads: int) -> str:
    """Self-attention, its output layer, and the residual sum, normalised."""
    parts = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
    weights = [draw.weights[f"{part}.weight"] for part in parts]
    biases = [draw.weights[f"{part}.bias"] for part in parts]
    width = weights[0].shape[0]
    shrink = np.float32((width // heads) ** -0.5)  # attention's 1/sqrt(d), folded into the query's weights
    weights[0], biases[0] = weights[0] * shrink, biases[0] * shrink
    joined = draw.linear(x, np.concatenate(weights), np.concatenate(biases))
    split = draw.op("Reshape", joined, draw.ints(-1, 3, heads, width // heads))
    stacked = draw.op("Transpose", split, perm=[1, 2, 0, 3])
    query, key, value = (draw.op("Gather", stacked, draw.constant(np.array(i)), axis=0) for i in range(3))
    scores = draw.op("MatMul", query, draw.op("Transpose", key, perm=[0, 2, 1]))
    mixed = draw.op("MatMul", draw.op("Softmax", scores, axis=-1), value)
    flat = draw.op("Reshape", draw.op("Transpose", mixed, perm=[1, 0, 2]), draw.ints(-1, width))
    output = draw.layer(flat, f"{name}.attention.output.dense")
    return draw.norm(draw.op("Add", output, x), f"{name}.attention.output.LayerNorm")


def draw_encoder(weights: Weights, *, layers: int, heads: int) -> Any:
    """The `onnx.ModelProto` of a BERT encoder with mean pooling and a unit vector at the end.

    Args:
        weights: float32 tensors by Hugging Face's names, without a prefix.
        layers: transformer blocks in `weights`.
        heads: attention heads of a block.

    Raises:
        KeyError: a tensor is missing.
    """
    from onnx import TensorProto, helper

    draw = _Drawing(weights)
    x = _embedding(draw, "ids")
    for index in range(layers):
        block = f"encoder.layer.{index}"
        x = _attention(draw, x, block, heads)
        inner = draw.op("Gelu", draw.layer(x, f"{block}.intermediate.dense"))
        x = draw.norm(draw.op("Add", draw.layer(inner, f"{block}.output.dense"), x), f"{block}.output.LayerNorm")
    pooled = draw.op("ReduceMean", x, draw.ints(0), keepdims=0)
    length = draw.op("ReduceL2", pooled, draw.ints(0), keepdims=1)
    draw.op("Div", pooled, length, output="vector")

    width = weights["embeddings.word_embeddings.weight"].shape[1]
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["tokens"])
    vector = helper.make_tensor_value_info("vector", TensorProto.FLOAT, [width])
    graph = helper.make_graph(draw.nodes, "sentence-encoder", [ids], [vector], draw.constants)
    opset = helper.make_opsetid("", _OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)
