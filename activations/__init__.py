"""What is compared: activation functions, as a registry of frozen records.

import activations
activations.names()                        # all of them
activations.info("lrelu").source           # aliases resolve
activations.build("apl", shape=(6, 28, 28))  # an nn.Module, its parameters sized for the place
"""

from activations._registry import Activation, build, info, names, register
from activations._user import load

__all__ = ["Activation", "build", "info", "load", "names", "register"]
