"""Where activations sit: networks with a slot at every place of use.

import activations, models
net = models.build("cnn", input_shape=(3, 32, 32), num_classes=10,
                   activation=lambda shape: activations.build("prelu", shape=shape))
"""

from models._registry import ActivationFactory, Equal, Model, build, info, names
from models.initialise import INITIALISATIONS, initialise

__all__ = ["INITIALISATIONS", "ActivationFactory", "Equal", "Model", "build", "info", "initialise", "names"]
