"""Any activation at every site of any network: `models.swap(torchvision.models.resnet18(), "apl")`.

Importing this module does not load torch.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import activations
from models._find import Found, check_network, find
from models._registry import AnyActivation, names
from models._site import ROLES, Role, Site

if TYPE_CHECKING:
    from torch import nn


def swap(
    net: nn.Module,
    activation: AnyActivation,
    example: Any = None,
    roles: Role | Iterable[Role] = ("hidden",),
) -> nn.Module:
    """Put an activation at every site of a network, an instance of its own in each.

    Every place that was asked for is changed, or an error is raised before any is: the change is rehearsed on a copy.
    A module that is used once is replaced where it is. One that is used several times, as a ResNet's `relu`, becomes
    a `models._redirect.Reused`, whose n-th use in a forward pass is that of its n-th instance. Function calls
    (`F.relu`, `torch.relu`, `x.relu()`) are redirected to modules under the attribute `redirected` of their caller;
    `F.relu(x, inplace=True)` and `x.relu_()` still overwrite x, while modules leave it alone.
    `torch.compile` makes one graph of networks whose sites are modules; it breaks the graph at every function call
    that is redirected. Function calls are redirected in `forward` alone: another method called from outside
    (`net.encode(x)`) keeps its own, and `torch.fx`, `torch.export`, `torch.jit` and `nn.DataParallel` do not see those
    that are. Modules that are used several times take one forward pass at a time, not several threads', and where it
    depends on the numbers how often one is used, as in a loop over experts, the n-th use is not always the same one's.

    Args:
        net: any module, changed in place. Copying, pickling, state_dict, `to`, `train` and `eval` work as before.
        activation: a name of `activations.names()`, a module, a class or a function, as in `models.build`; functions
            are called in the order of first use. Instances of a name get trainable parameters of the right size: one
            set a channel or unit, which behind a linear layer are its features, whatever the number of tokens.
        example: what the network takes, see `models.sites`. Parameters that an activation has one of for each unit
            (`apl`) fit images of its size only: give it where that is not the size of ImageNet's.
        roles: of the sites to swap, or one; the others stay. An activation written out in the body
            (`x * torch.sigmoid(x)`) is seen as the gate in it.

    Returns:
        The network; if it is itself an activation, the instance that replaces it.

    Raises:
        ValueError: unknown activation or role; an activation that takes several inputs for each output; a network
            without a site of these roles, or one that runs with none of the inputs tried; one that is, or holds, what
            torch has wrapped or compiled (DDP, FSDP, `torch.compile`, `torch.jit`), or a graph of `torch.fx` that
            calls functions or runs a module several times; a container of modules that calls functions, or a layer
            with an activation in its kernel; a part that the example does not lead to and that may have
            an activation; a module with hooks in the place of one to swap; one that is run past the attribute that
            holds it; other functions in training than in evaluation, or in a part of a `forward` that is checkpointed.
            The network is as it was.
        TypeError: a network that is no module, or an activation that is none of these.
        RuntimeError: later, from the network: a forward pass uses other activations than were found.
    """
    from models._refused import check_reached, check_sites, check_wrappers

    check_network(net)
    wanted: tuple[Role, ...] = (roles,) if isinstance(roles, str) else tuple(roles)
    for role in wanted:
        if role not in ROLES:
            raise ValueError(f"unknown role {role!r}; known: {', '.join(ROLES)}")
    make = _maker(activation)
    check_wrappers(net)
    found = find(net, example)
    chosen = [site for site in found.sites if site.role in wanted]
    check_reached(net, found, chosen, wanted)
    if not chosen:
        others = ", ".join(sorted({f"{site.op} ({site.role})" for site in found.sites})) or "none"
        raise ValueError(
            f"{type(net).__name__} has no activation of the roles {', '.join(wanted)} to swap: looked for activation "
            f"modules of torch, transformers and ours, and for calls of torch's activation functions; found: {others}"
        )
    check_sites(net, found.sites, chosen)
    instances = {site: _placed(net, make(site), site) for site in chosen}
    if chosen[0].kind == "module" and not chosen[0].name:  # the network itself
        return instances[chosen[0]]
    put = functools.partial(_put, sites=found.sites, calls=found.calls)
    _rehearse(net, found, instances, put)
    put(net, instances)
    return net


def _put(
    net: nn.Module, instances: Mapping[Site, nn.Module], sites: Sequence[Site], calls: Mapping[str, Iterable[str]]
) -> None:
    _replace_modules(net, sites, instances)
    _redirect_functions(net, sites, instances)
    _suspend(net, calls)
    _close_fast_paths(net, instances)


def _rehearse(net: nn.Module, found: Found, instances: Mapping[Site, nn.Module], put: Callable[..., None]) -> None:
    """Change copies of the network and run them; a list or a closure may hold what was replaced, and run it still."""
    from models._find import sites_of

    names: dict[Site, set[str]] = defaultdict(set)

    def change(twin: nn.Module, twins: Mapping[Site, nn.Module]) -> None:
        put(twin, twins)
        places = {module: site for site, module in twins.items()}
        for name, module in twin.named_modules(remove_duplicate=False):
            if module in places:
                names[places[module]].add(name)

    try:
        traces = [found.run(training, instances, change) for training in (True, False)]
        after = sites_of(traces)
    except Exception as error:  # whatever a network raises
        raise ValueError(f"{type(net).__name__} does not run with what is to be put in: {error}") from error
    ran = {site.name for site in after if site.kind == "module"}
    reached = {path for seen in traces for path in seen.ran}
    for site in instances:
        # To an expert perhaps nothing is routed any more, now that other numbers go there.
        if ran.isdisjoint(names[site]) and (site.path in reached or not site.path):
            why = (
                "it holds the module elsewhere too, in a list or a closure; let it call the attribute"
                if site.kind == "module"
                else "it calls the function out of reach, as torch.cond does; let its body call it, or a module"
            )
            raise ValueError(
                f"{type(net).__name__} does not run what replaces {site.name} ({site.op}): {why}, make it anew and "
                "swap again"
            )
    roles = {site.role for site in instances}
    for site in after:
        if site.role in roles and all(site.name not in those for those in names.values()):
            raise ValueError(
                f"{type(net).__name__} still runs {site.name} ({site.op}) in {site.path or 'its own body'} with what "
                "is to be put in; make it a module that it calls by one attribute"
            )


def _maker(activation: AnyActivation) -> Callable[[Site], nn.Module]:
    if isinstance(activation, str):
        _check_inputs(activations.info(activation).name, activations.info(activation).in_features_multiplier)
        build = activations.per_site(activation)
        return lambda site: build(site.parameter_shape, site.channel_dim if site.shape else 0)
    from models._instances import factory

    given = factory(activation)

    def make(site: Site) -> nn.Module:
        module = given(site.shape)
        _check_inputs(str(module), getattr(module, "in_features_multiplier", 1))
        return module

    return make


def _placed(net: nn.Module, module: nn.Module, site: Site) -> nn.Module:
    """On the device of the network and in the mode of the caller."""
    from models._functions import MARK

    setattr(module, MARK, site.role)
    like = next((value for value in net.parameters() if value.is_floating_point()), None)
    if like is not None:
        module.to(device=like.device, dtype=like.dtype)
    return module.train(net.get_submodule(site.path).training)


def _check_inputs(activation: str, in_features_multiplier: int) -> None:
    if in_features_multiplier > 1:
        raise ValueError(
            f"activation {activation!r} takes {in_features_multiplier} inputs for each output, and swap cannot widen "
            f"the layer before it; models.build can, with a network that widens: {', '.join(names(widens=True))}"
        )


def _replace_modules(net: nn.Module, sites: Sequence[Site], instances: Mapping[Site, nn.Module]) -> None:
    from models._redirect import Begin, End, Reused

    uses_of: dict[str, list[Site]] = defaultdict(list)
    for site in sorted(sites, key=lambda site: (site.path, site.index)):
        if site.kind == "module":
            uses_of[site.name].append(site)
    for name, uses in uses_of.items():
        if instances.keys().isdisjoint(uses):
            continue
        holder, _, attribute = name.rpartition(".")
        modules = [instances.get(site, net.get_submodule(name)) for site in uses]
        if len(modules) == 1:
            setattr(net.get_submodule(holder), attribute, modules[0])
            continue
        reused = Reused(modules, name).train(net.get_submodule(uses[0].path).training)
        setattr(net.get_submodule(holder), attribute, reused)
        for path in dict.fromkeys(site.path for site in uses):
            turns = [number for number, site in enumerate(uses) if site.path == path]
            net.get_submodule(path).register_forward_pre_hook(Begin(reused, turns[0], turns[-1] + 1))
            net.get_submodule(path).register_forward_hook(End(reused), always_call=True)


def _redirect_functions(net: nn.Module, sites: Sequence[Site], instances: Mapping[Site, nn.Module]) -> None:
    from torch import nn

    from models._redirect import REDIRECTED, Redirect

    calls_of: dict[str, list[Site]] = defaultdict(list)
    for site in sites:
        redirected_before = site.name.startswith(f"{site.path}.{REDIRECTED}.".lstrip("."))
        if site.kind == "function" or redirected_before:
            calls_of[site.path].append(site)
    for path, calls in calls_of.items():
        new = {str(number): instances[site] for number, site in enumerate(calls) if site in instances}
        caller = net.get_submodule(path)
        if not new or hasattr(caller, REDIRECTED):
            getattr(caller, REDIRECTED, {}).update(new)
            continue
        caller.add_module(REDIRECTED, nn.ModuleDict(new).train(caller.training))
        vars(caller)["forward"] = Redirect(caller, path, [site.op for site in calls])


def _suspend(net: nn.Module, calls: Mapping[str, Iterable[str]]) -> None:
    """Let what a caller with redirected functions runs interrupt it."""
    from models._redirect import REDIRECTED, resume, suspend

    instances = [module for caller in net.modules() for module in getattr(caller, REDIRECTED, {}).values()]
    for path, called in calls.items():
        if not hasattr(net.get_submodule(path), REDIRECTED):
            continue
        for module in map(net.get_submodule, called):
            if module not in instances and suspend not in module._forward_pre_hooks.values():
                module.register_forward_pre_hook(suspend, prepend=True)
                module.register_forward_hook(resume, always_call=True)


def _close_fast_paths(net: nn.Module, chosen: Iterable[Site]) -> None:
    """In evaluation torch's TransformerEncoderLayer computes the activation that it was made with by a fused kernel."""
    from torch import nn

    for site in chosen:
        layer = net.get_submodule(site.path)
        if isinstance(layer, nn.TransformerEncoderLayer):
            layer.activation_relu_or_gelu = 0
    for encoder in net.modules():
        if isinstance(encoder, nn.TransformerEncoder) and not getattr(encoder.layers[0], "activation_relu_or_gelu", 0):
            encoder.use_nested_tensor = False
