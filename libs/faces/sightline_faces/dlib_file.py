"""Reads the layers of a network that dlib has saved.

dlib serialises nested C++ templates: most of a file is bookkeeping that differs from layer to layer. What
carries numbers begins with the layer's name, so the reader walks from name to name. That is exact here,
because every file is known by its hash; it is not a reader for any dlib file.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

TENSOR_VERSION = 2


@dataclass(frozen=True, slots=True)
class Input:
    """The colour (red, green, blue) that the network calls zero."""

    mean: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Convolution:
    """Weights are filters x channels x height x width; stride and padding are (vertical, horizontal)."""

    weights: Floats
    bias: Floats
    stride: tuple[int, int]
    padding: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Affine:
    scale: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class Dense:
    """Weights are inputs x outputs; there is no bias."""

    weights: Floats


Layer = Input | Convolution | Affine | Dense


def read_layers(content: bytes) -> list[Layer]:
    """The layers that carry numbers, in the order in which a picture passes them."""
    reader = _Reader(content)
    layers = []
    while (read := reader.next_layer()) is not None:
        layers.append(read(reader))
    return layers


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def next_layer(self) -> "Callable[[_Reader], Layer] | None":
        """Go to just behind the next layer's name."""
        while (found := NAME.search(self._content, self._at)) is not None:
            length, name = found.groups()
            if length[0] == len(name):
                self._at = found.end()
                return READERS[name]
            self._at = found.start() + 1
        return None

    def integer(self) -> int:
        # A control byte (low nibble: how many bytes follow; high bit: negative), then little-endian bytes.
        control = self._content[self._at]
        end = self._at + 1 + (control & 0x0F)
        value = int.from_bytes(self._content[self._at + 1 : end], "little")
        self._at = end
        return -value if control & 0x80 else value

    def integers(self, count: int) -> list[int]:
        return [self.integer() for _ in range(count)]

    def real(self) -> float:
        mantissa, exponent = self.integers(2)
        return float(mantissa) * 2.0**exponent

    def tensor(self) -> Floats:
        if self.integer() != TENSOR_VERSION:
            raise ValueError("not a dlib tensor of version 2")
        count = int(np.prod(self.integers(4)))
        values = np.frombuffer(self._content, "<f4", count, self._at)
        self._at += 4 * count
        return values

    def skip_aliases(self, count: int) -> None:
        # A view into another tensor: its version and its shape.
        self.integers(5 * count)


def _input(reader: _Reader) -> Layer:
    return Input((reader.real(), reader.real(), reader.real()))


def _convolution(reader: _Reader) -> Layer:
    values = reader.tensor()
    filters, height, width, *moves = reader.integers(7)
    weights = values[:-filters].reshape(filters, -1, height, width)
    return Convolution(weights, values[-filters:], (moves[0], moves[1]), (moves[2], moves[3]))


def _affine(reader: _Reader) -> Layer:
    scale, bias = np.split(reader.tensor(), 2)
    return Affine(scale, bias)


def _batch_normalisation(reader: _Reader) -> Layer:
    # Saved as trained: the running mean and variance make it the affine layer that it is in use.
    gamma, beta = np.split(reader.tensor(), 2)
    reader.skip_aliases(2)
    _means, _inverse_deviations, mean, variance = (reader.tensor() for _ in range(4))
    reader.integers(2)
    _learning_rates_and_decays = [reader.real() for _ in range(4)]
    scale = gamma / np.sqrt(variance + reader.real())
    return Affine(scale.astype(np.float32), (beta - mean * scale).astype(np.float32))


def _dense(reader: _Reader) -> Layer:
    outputs, inputs = reader.integers(2)
    return Dense(reader.tensor()[: inputs * outputs].reshape(inputs, outputs))


READERS: dict[bytes, Callable[[_Reader], Layer]] = {
    b"input_rgb_image_sized": _input,
    b"input_rgb_image_pyramid": _input,
    b"con_4": _convolution,
    b"con_5": _convolution,
    b"affine_": _affine,
    b"bn_con2": _batch_normalisation,
    b"fc_2": _dense,
}
NAME = re.compile(rb"\x01(.)(" + b"|".join(READERS) + b")", re.DOTALL)
