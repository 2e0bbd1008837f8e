"""ZFNet, AlexNet with smaller first kernels and strides: `models.build("zfnet", input_shape=(3, 224, 224), ...)`."""

from __future__ import annotations

from torch import nn

from models.narrow import narrow, outline
from models.slot import LazyActivation, Slot


def zfnet(
    input_shape: tuple[int, ...], num_classes: int, slot: Slot, width: float = 1.0, dropout: float = 0.5
) -> nn.Module:
    """Five convolutions and three linear layers. Zeiler and Fergus 2013, arXiv 1311.2901, figure 3.

    'Contrast normalized across feature maps' is AlexNet's response normalisation with its constants: Krizhevsky,
    Sutskever and Hinton 2012, section 3.3. Images of other sizes than 224 pixels are pooled to the 6x6 features that
    the linear layers take, as torchvision's AlexNet does.

    Shape:
        Input `(N, channels, height, width)`; output `(N, num_classes)`.
    """

    def pool() -> nn.Module:
        return nn.MaxPool2d(3, stride=2, ceil_mode=True)  # 110 pixels give 55, and 26 give 13, as in the figure

    def normalize() -> nn.Module:
        return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2)

    with outline(width):
        net = nn.Sequential(
            *(nn.Conv2d(input_shape[0], 96, 7, stride=2, padding=1), LazyActivation(), pool(), normalize()),
            *(nn.Conv2d(96, 256, 5, stride=2), LazyActivation(), pool(), normalize()),
            *(nn.Conv2d(256, 384, 3, padding=1), LazyActivation()),
            *(nn.Conv2d(384, 384, 3, padding=1), LazyActivation()),
            *(nn.Conv2d(384, 256, 3, padding=1), LazyActivation(), pool()),
            *(nn.AdaptiveAvgPool2d(6), nn.Flatten()),
            *(nn.Linear(256 * 6 * 6, 4096), LazyActivation(), nn.Dropout(dropout)),
            *(nn.Linear(4096, 4096), LazyActivation(), nn.Dropout(dropout)),
            nn.Linear(4096, num_classes),
        )
    return slot.fill(narrow(net, width, input_shape), input_shape)
