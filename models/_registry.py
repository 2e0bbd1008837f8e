"""The networks: one frozen record a network. `models.info("mlp")` is one, `models.build("mlp", ...)` makes the network.

Importing this module does not load torch. A new network is one entry in `_ENTRIES` and its class.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from torch import nn

    # Called once for every site with the shape of one example behind it, batch left out:
    # each site gets an instance of its own, so that trainable activations train per site.
    ActivationFactory: TypeAlias = Callable[[tuple[int, ...]], nn.Module]
    AnyActivation: TypeAlias = str | nn.Module | type[nn.Module] | ActivationFactory
else:
    ActivationFactory = AnyActivation = Callable

# What one example is: an image or other numbers, or the ids of a sentence, of which 0 is padding.
Takes: TypeAlias = Literal["numbers", "ids"]
# What stays when an activation takes several inputs for each output: the number of parameters, or hidden widths.
Equal: TypeAlias = Literal["parameters", "width"]


@dataclass(frozen=True)
class Model:
    """What the suite knows about one network.

    Attributes:
        name: the key everywhere.
        module: what makes it, as `"package.module:Name"`, or itself where it is a network of your own; it takes
            `input_shape`, `num_classes`, a `models.slot.Slot` that it asks for the activation of each site, and sizes
            of its own.
        source: the paper or tutorial that defines it.
        activation: name of the source's own, or `relu` where the source compares several.
        minimum_image_size: smallest height and width in pixels that it accepts; smaller images are resized
            to it, and None means that any shape will do.
        widens: whether the layer before each site can widen, for activations that take several inputs for each output.
            It cannot where an activation follows a sum of branches, as in a ResNet.
        takes: `numbers` (float32), as of images, or `ids` of sentences (int64, 0 for padding).
    """

    name: str
    module: str | Callable[..., nn.Module]
    source: str
    activation: str = "relu"
    minimum_image_size: int | None = None
    widens: bool = False
    takes: Takes = "numbers"

    @property
    def make(self) -> Callable[..., nn.Module]:
        """What `module` names."""
        found: Callable[..., nn.Module] = (
            pkgutil.resolve_name(self.module) if isinstance(self.module, str) else self.module
        )
        return found


_ENTRIES = (
    Model(
        name="mlp",
        module="models.mlp:MLP",
        source="Hendrycks and Gimpel 2016, arXiv 1606.08415, section 3.1",
        widens=True,
    ),
    Model(
        name="timit_mlp",
        module="models.mlp:timit_mlp",
        source="Hendrycks and Gimpel 2016, arXiv 1606.08415, section 3.4",
        widens=True,
    ),
    Model(
        name="cnn",
        module="models.cnn:CNN",
        source="pytorch.org/tutorials/beginner/blitz/cifar10_tutorial",
        minimum_image_size=28,
        widens=True,
    ),
    Model(
        name="tagger",
        module="models.tagger:tagger",
        source="Hendrycks and Gimpel 2016, arXiv 1606.08415, section 3.3",
        widens=True,
    ),
    Model(
        name="bert",
        module="models.bert:BERT",
        source="Devlin et al. 2018, arXiv 1810.04805; transformers",
        activation="gelu",
        widens=True,
        takes="ids",
    ),
    Model(
        name="gpt",
        module="models.gpt:GPT",
        source="Radford et al. 2019 (GPT-2)",
        activation="gelu_tanh",
        widens=True,
        takes="ids",
    ),
    Model(
        name="vit",
        module="models.vit:ViT",
        source="Dosovitskiy et al. 2020, arXiv 2010.11929; Touvron et al. 2020, arXiv 2012.12877 (DeiT)",
        activation="gelu",
        minimum_image_size=1,
        widens=True,
    ),
    Model(
        name="autoencoder",
        module="models.autoencoder:Autoencoder",
        source="Hendrycks and Gimpel 2016, arXiv 1606.08415, section 3.2",
        widens=True,
    ),
    Model(
        name="rnn",
        module="models.rnn:RNN",
        source="document B9; Krueger et al. 2016, arXiv 1606.01305",
        activation="tanh",
        minimum_image_size=1,
        widens=True,
    ),
    Model(
        name="gelu_cnn",
        module="models.gelu_cnn:GELUCNN",
        source="Hendrycks and Gimpel 2016, arXiv 1606.08415, appendix A",
        minimum_image_size=12,
        widens=True,
    ),
    *(
        Model(
            name=f"apl_cnn{convolutions}",
            module=f"models.apl_cnn:apl_cnn{convolutions}",
            source="documents A5, A6; Agostinelli et al. 2014, arXiv 1412.6830",
            minimum_image_size=8,
            widens=True,
        )
        for convolutions in (3, 5, 7)
    ),
    Model(
        name="wrn_40_4",
        module="models.wrn:wrn_40_4",
        source="Zagoruyko and Komodakis 2016, arXiv 1605.07146",
        minimum_image_size=8,
    ),
    Model(
        name="wrn_22",
        module="models.wrn:wrn_22",
        source="fastai 1.0, fastai/vision/models/wrn.py",
        minimum_image_size=8,
    ),
    *(
        Model(
            name=f"xresnet{layers}",
            module=f"models.xresnet:xresnet{layers}",
            source="He et al. 2018, arXiv 1812.01187; fastai",
            minimum_image_size=8,
        )
        for layers in (18, 34, 50)
    ),
    Model(
        name="senet18",
        module="models.senet:SENet18",
        source="Hu et al. 2017, arXiv 1709.01507; github.com/digantamisra98/Mish",
        minimum_image_size=8,
    ),
    Model(
        name="resnet18",
        module="models.torchvision_nets:resnet18",
        source="He et al. 2015, arXiv 1512.03385, table 1",
        minimum_image_size=1,
    ),
    Model(
        name="resnet50",
        module="models.torchvision_nets:resnet50",
        source="He et al. 2015, arXiv 1512.03385, table 1",
        minimum_image_size=1,
    ),
    Model(
        name="resnext50",
        module="models.torchvision_nets:resnext50",
        source="Xie et al. 2016, arXiv 1611.05431, table 1",
        minimum_image_size=1,
    ),
    Model(
        name="densenet121",
        module="models.torchvision_nets:densenet121",
        source="Huang et al. 2016, arXiv 1608.06993, table 1",
        minimum_image_size=8,
    ),
    Model(
        name="mobilenet_v2",
        module="models.torchvision_nets:mobilenet_v2",
        source="Sandler et al. 2018, arXiv 1801.04381, table 2",
        activation="relu6",
        minimum_image_size=1,
    ),
    Model(
        name="alexnet",
        module="models.torchvision_nets:alexnet",
        source="Krizhevsky 2014, arXiv 1404.5997",
        minimum_image_size=63,
    ),
    Model(
        name="vgg16",
        module="models.torchvision_nets:vgg16",
        source="Simonyan and Zisserman 2014, arXiv 1409.1556, table 1, D",
        minimum_image_size=32,
    ),
    Model(
        name="googlenet",
        module="models.torchvision_nets:googlenet",
        source="Szegedy et al. 2014, arXiv 1409.4842, table 1",
        minimum_image_size=15,
    ),
    Model(
        name="squeezenet",
        module="models.torchvision_nets:squeezenet",
        source="Iandola et al. 2016, arXiv 1602.07360, version 1.1",
        minimum_image_size=17,
    ),
    Model(
        name="nin",
        module="models.nin:nin",
        source="Lin, Chen and Yan 2013, arXiv 1312.4400",
        minimum_image_size=4,
    ),
    Model(
        name="zfnet",
        module="models.zfnet:zfnet",
        source="Zeiler and Fergus 2013, arXiv 1311.2901, figure 3",
        minimum_image_size=47,
    ),
    Model(
        name="mobilenet_v1",
        module="models.mobilenet_v1:mobilenet_v1",
        source="Howard et al. 2017, arXiv 1704.04861, table 1",
        minimum_image_size=1,
    ),
    Model(
        name="segnet",
        module="models.segnet:segnet",
        source="Badrinarayanan, Kendall and Cipolla 2015, arXiv 1511.00561",
        minimum_image_size=32,
    ),
)

_REGISTRY = {entry.name: entry for entry in _ENTRIES}


def register(entry: Model) -> None:
    """Make a network of your own known by its name; one registered before under that name gives way.

    Raises:
        ValueError: a name of one of the suite's networks, or one that no case can have.
    """
    if any(entry.name == one.name for one in _ENTRIES):
        raise ValueError(f"model {entry.name!r} is one of the suite's; give yours another name")
    if not re.fullmatch(r"[a-z0-9_.]+", entry.name):
        raise ValueError(f"model {entry.name!r}: a name is made of a-z, 0-9, _ and . only")
    _REGISTRY[entry.name] = entry


def names(widens: bool | None = None) -> list[str]:
    """Names of the registered networks: of all, or of those that can or cannot take several inputs for each output."""
    return [name for name, entry in _REGISTRY.items() if widens in (None, entry.widens)]


def info(name: str) -> Model:
    """The record of a network.

    Raises:
        ValueError: no such network; the message lists the known ones.
    """
    if name not in _REGISTRY:
        raise ValueError(f"unknown model {name!r}; known: {', '.join(_REGISTRY)}")
    return _REGISTRY[name]
