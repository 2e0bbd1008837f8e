"""Where activations sit: networks with a slot at every place of use.

import models
net = models.build("cnn", input_shape=(3, 32, 32), num_classes=10, activation="prelu")
models.swap(torchvision.models.resnet18(), "apl")  # any network, whatever it calls its activations
models.swap(net, nn.Mish)  # any module
"""

from models._build import build
from models._registry import ActivationFactory, Equal, Model, info, names
from models.initialise import INITIALISATIONS, initialise
from models.sites import Site, sites
from models.swap import swap

__all__ = [
    "INITIALISATIONS",
    "ActivationFactory",
    "Equal",
    "Model",
    "Site",
    "build",
    "info",
    "initialise",
    "names",
    "sites",
    "swap",
]
