"""The squeeze-and-excitation network of Mish's experiments: `models.build("senet18", input_shape=(3, 32, 32), ...)`."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.ops import SqueezeExcitation

from models.narrow import scaled
from models.slot import LazyActivation, Slot

# The last one is what the notebook has, 516 and not 512.
STAGES = (64, 128, 256, 516)
REDUCTION = 16  # Hu et al. 2017, arXiv 1709.01507, section 3.2


class SENet18(nn.Sequential):
    """A 3x3 convolution of 64 channels and four stages of two blocks, for small images.

    Of the two SENet-18 for CIFAR in use this is the one of github.com/digantamisra98/Mish
    (cifar-10-senet18-mish.ipynb): blocks as in ResNet, an activation also before the squeeze, convolutions with biases.
    That of github.com/kuangliu/pytorch-cifar has pre-activation blocks. The gates' sigmoids are no sites.

    Args:
        input_shape: `(channels, height, width)`, 8 pixels or more a side.
        num_classes: width of the output.
        slot: what makes the activations.
        width: what all channel counts are multiplied by.
        depth: what the number of blocks of a stage is multiplied by.

    Shape:
        Input `(N, *input_shape)`; output `(N, num_classes)`.

    Raises:
        ValueError: width or depth not positive.
    """

    def __init__(
        self, input_shape: tuple[int, ...], num_classes: int, slot: Slot, width: float = 1.0, depth: float = 1.0
    ) -> None:
        channels = scaled(STAGES[0], width)
        layers: list[nn.Module] = [*_conv_norm(input_shape[0], channels), LazyActivation()]
        for stage, full in enumerate(STAGES):
            for block in range(scaled(2, depth)):
                outputs = scaled(full, width)
                layers.append(SEBlock(channels, outputs, stride=2 if stage and not block else 1))
                channels = outputs
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))
        slot.fill(self, input_shape)


class SEBlock(nn.Module):
    """Two 3x3 convolutions, each channel multiplied by a gate that sees the means of all, and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            *_conv_norm(inputs, outputs, stride=stride),
            LazyActivation(),
            *_conv_norm(outputs, outputs),
            LazyActivation(),
        )
        self.gate = SqueezeExcitation(outputs, scaled(outputs, 1 / REDUCTION), activation=LazyActivation)
        changes = stride > 1 or inputs != outputs
        self.shortcut = nn.Sequential(*(_conv_norm(inputs, outputs, 1, stride) if changes else ()))
        self.activation = LazyActivation()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.activation(self.gate(self.residual(x)) + self.shortcut(x))
        return out


def _conv_norm(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2), nn.BatchNorm2d(outputs)
