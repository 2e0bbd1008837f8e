"""SegNet labels every pixel of an image: `models.build("segnet", input_shape=(3, 64, 64), num_classes=12, ...)`."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from models.narrow import narrow, outline, scaled
from models.slot import LazyActivation, Slot

# VGG16's convolutions: channels and layers of each stage. Simonyan and Zisserman 2014, arXiv 1409.1556, table 1, D.
_STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


def segnet(
    input_shape: tuple[int, ...], num_classes: int, slot: Slot, width: float = 1.0, depth: float = 1.0
) -> nn.Module:
    """VGG16's convolutions as an encoder, and their mirror image as a decoder.

    Badrinarayanan, Kendall and Cipolla 2015, arXiv 1511.00561, section 3.

    Args:
        input_shape: `(channels, height, width)`, 32 pixels or more a side, since each of five poolings halves them.
        num_classes: of the pixels.
        slot: what makes the activations.
        width: multiplies every channel count.
        depth: multiplies the convolutions of each stage.

    Shape:
        Input `(N, channels, height, width)`; output `(N, num_classes, height, width)`, logits.
    """
    with outline(width):
        net = SegNet(input_shape[0], num_classes, depth)
    return slot.fill(narrow(net, width, input_shape), input_shape)


class SegNet(nn.Module):
    """Max pooling notes where each maximum was, and the decoder puts its features back there."""

    def __init__(self, channels: int, num_classes: int, depth: float) -> None:
        super().__init__()
        encoder: list[nn.Module] = []
        decoder: list[nn.Sequential] = []
        inputs = channels
        for outputs, layers in _STAGES:
            hidden = [outputs] * scaled(layers, depth)
            encoder.append(_convolutions([inputs, *hidden]))
            decoder.append(_convolutions([*hidden, inputs if decoder else num_classes]))
            inputs = outputs
        decoder[0] = decoder[0][:-2]  # logits: neither batch norm nor activation
        self.encoder = nn.ModuleList(encoder)
        self.decoder = nn.ModuleList(reversed(decoder))

    def forward(self, x: Tensor) -> Tensor:
        pooled = []
        for stage in self.encoder:
            x = stage(x)
            size = x.shape[2:]
            x, indices = F.max_pool2d(x, 2, return_indices=True)
            pooled.append((indices, size))
        for stage in self.decoder:
            indices, size = pooled.pop()
            x = stage(F.max_unpool2d(x, indices, [2, 2], output_size=size))
        return x


def _convolutions(channels: list[int]) -> nn.Sequential:
    """3x3 from each number of channels to the next, each with batch norm and activation: section 3 of the paper."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(channels):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), LazyActivation()]
    return nn.Sequential(*layers)
