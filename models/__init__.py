"""Where activations sit: networks that take one at every site.

import models
net = models.build("cnn", input_shape=(3, 32, 32), num_classes=10, activation="prelu")
models.swap(torchvision.models.resnet18(), "apl")  # any network, whatever it calls its activations
models.swap(net, nn.Mish)  # any module
"""

from models._build import build
from models._find import sites
from models._initialise import INITIALISATIONS, initialise
from models._registry import ActivationFactory, Equal, Model, info, names, register
from models._site import Site
from models._swap import swap

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
    "register",
    "sites",
    "swap",
]
