"""dlib's two networks, rebuilt layer by layer as ONNX; needed only to fill the cache."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from sightline_faces.dlib_file import Affine, Convolution, Dense, Input, Layer

# The oldest that has every operator used here, so that any supported onnxruntime reads the file.
OPSET = 17
IR_VERSION = 8

Kind = TypeVar("Kind", bound=Layer)

CHIP_PX = 150
COLOURS = 3
FAST_CHANNELS = 16

DETECTOR_PADDING_PX = 11
"""Zeros around a picture, so that the 80 px window may hang over its edge as dlib lets it."""


def embedder_network(layers: Sequence[Layer]) -> bytes:
    """`chips` (N x 150 x 150 x 3 uint8) → `descriptors` (N x 128)."""
    graph = _Graph()
    convolutions = _folded(layers)
    x = graph.centred("chips", _only(layers, Input))
    x = graph.relu(graph.convolution(x, next(convolutions)))
    x = graph.operator("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    side = 35
    for first in convolutions:
        x, side = graph.residual_block(x, side, first, next(convolutions))
    x = graph.operator("Flatten", graph.operator("GlobalAveragePool", x))
    graph.operator("MatMul", x, graph.constant(_only(layers, Dense).weights), output="descriptors")
    return graph.serialised(("chips", ["N", CHIP_PX, CHIP_PX, 3]), ("descriptors", ["N", 128]))


def detector_network(layers: Sequence[Layer]) -> bytes:
    """`picture` (1 x height x width x 3 uint8) → `scores` (1 x 1 x rows x columns), one of each per 8 px."""
    graph = _Graph()
    first, *hidden, last = map(_widened, _folded(layers))
    x = graph.centred("picture", _only(layers, Input))
    x = graph.relu(graph.convolution(x, replace(first, padding=(DETECTOR_PADDING_PX, DETECTOR_PADDING_PX))))
    for convolution in hidden:
        x = graph.relu(graph.convolution(x, convolution))
    rows, sum_of_rows = _split_by_rows(last)
    graph.convolution(graph.convolution(x, rows), sum_of_rows, output="scores")
    return graph.serialised(("picture", [1, "H", "W", 3]), ("scores", [1, 1, "rows", "columns"]))


def _only(layers: Sequence[Layer], kind: type[Kind]) -> Kind:
    return next(layer for layer in layers if isinstance(layer, kind))


def _folded(layers: Sequence[Layer]) -> Iterator[Convolution]:
    """Each convolution with the affine layer behind it worked into its weights, 1/256 in the first."""
    scale = np.float32(1 / 256)
    for layer, following in zip(layers, [*layers[1:], None], strict=True):
        if not isinstance(layer, Convolution):
            continue
        weights, bias = layer.weights * scale, layer.bias
        if isinstance(following, Affine):
            weights = weights * following.scale[:, None, None, None]
            bias = bias * following.scale + following.bias
        yield replace(layer, weights=weights, bias=bias)
        scale = np.float32(1)


def _split_by_rows(layer: Convolution) -> tuple[Convolution, Convolution]:
    """A convolution to one channel as one channel per row of its window, then their sum: 5 times as fast."""
    height = layer.weights.shape[2]
    rows = layer.weights[0].transpose(1, 0, 2)[:, :, None]
    total = np.eye(height, dtype=np.float32)[None, :, :, None]
    down, across = layer.padding
    return (
        _widened(Convolution(rows, np.zeros(height, np.float32), layer.stride, (0, across))),
        _widened(Convolution(total, layer.bias, layer.stride, (down, 0))),
    )


def _widened(layer: Convolution) -> Convolution:
    """With channels of zeros up to a multiple of 16, for which onnxruntime has a faster way; 3 and 1 stay."""
    filters, channels, _, _ = layer.weights.shape
    more_filters = -filters % FAST_CHANNELS if filters > 1 else 0
    more_channels = -channels % FAST_CHANNELS if channels > COLOURS else 0
    weights = np.pad(layer.weights, ((0, more_filters), (0, more_channels), (0, 0), (0, 0)))
    return replace(layer, weights=weights, bias=np.pad(layer.bias, (0, more_filters)))


class _Graph:
    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, values: NDArray[Any]) -> str:
        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def operator(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"value{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def centred(self, pixels: str, layer: Input) -> str:
        # Colours first: subtracting from the last of four dimensions took an eighth of the detector's time.
        planes = self.operator("Transpose", pixels, perm=[0, 3, 1, 2])
        mean = self.constant(np.array(layer.mean, np.float32).reshape(1, 3, 1, 1))
        return self.operator("Sub", self.operator("Cast", planes, to=TensorProto.FLOAT), mean)

    def relu(self, x: str) -> str:
        return self.operator("Relu", x)

    def convolution(self, x: str, layer: Convolution, output: str = "") -> str:
        weights, bias = self.constant(layer.weights), self.constant(layer.bias)
        return self.operator(
            "Conv", x, weights, bias, strides=layer.stride, pads=layer.padding * 2, output=output
        )

    def residual_block(self, x: str, side: int, first: Convolution, second: Convolution) -> tuple[str, int]:
        """Two convolutions beside a shortcut, a mean of 2 x 2 when the stride is 2; and the new side."""
        inner = self.convolution(self.relu(self.convolution(x, first)), second)
        if first.stride == (1, 1):
            return self.relu(self.operator("Add", inner, x)), side
        shortcut = self.operator("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        inner_side, shortcut_side = (side - 3) // 2 + 1, side // 2
        larger = max(inner_side, shortcut_side)
        # dlib adds tensors of different sizes as if the smaller one were filled up with zeros.
        inner = self._filled(inner, channels=0, pixels=larger - inner_side)
        missing_channels = second.weights.shape[0] - first.weights.shape[1]
        shortcut = self._filled(shortcut, channels=missing_channels, pixels=larger - shortcut_side)
        return self.relu(self.operator("Add", inner, shortcut)), larger

    def _filled(self, x: str, channels: int, pixels: int) -> str:
        if not channels and not pixels:
            return x
        return self.operator(
            "Pad", x, self.constant(np.array([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64))
        )

    def serialised(self, takes: tuple[str, list[Any]], gives: tuple[str, list[Any]]) -> bytes:
        inputs = [helper.make_tensor_value_info(takes[0], TensorProto.UINT8, takes[1])]
        outputs = [helper.make_tensor_value_info(gives[0], TensorProto.FLOAT, gives[1])]
        graph = helper.make_graph(self._nodes, "sightline", inputs, outputs, self._constants)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        onnx.checker.check_model(model)
        content: bytes = model.SerializeToString()
        return content
