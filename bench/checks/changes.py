"""Changes: what stands in the place of a function, class or dict of torch or ours while a fault is planted."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

Change: TypeAlias = Callable[[Any], Any]  # of what is there now


def with_keywords(**changed: Any) -> Change:
    """The same function, called with other keywords."""
    return lambda old: lambda *args, **kwargs: old(*args, **{**kwargs, **changed})


def with_argument(name: str, value: Callable[[Any], Any]) -> Change:
    """The same function, called with another argument: what `value` makes of the one given."""

    def change(old: Any) -> Any:
        signature = inspect.signature(old)

        def called(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            bound.arguments[name] = value(bound.arguments[name])
            return old(*bound.args, **bound.kwargs)

        return called

    return change


def then(after: Callable[..., Any]) -> Change:
    """The same function, whose result goes through another one: `after(result, *arguments)`."""
    return lambda old: lambda *args, **kwargs: after(old(*args, **kwargs), *args)


def in_float32(change: Change) -> Change:
    """A change for what is called with float32 alone."""

    def changed(old: Any) -> Any:
        import torch

        new = change(old)
        return lambda x, *args, **kwargs: (new if x.dtype == torch.float32 else old)(x, *args, **kwargs)

    return changed


def instead(name: str) -> Change:
    """Another function or class."""

    def change(old: Any) -> Any:
        import pkgutil

        return pkgutil.resolve_name(name)

    return change


def pooled_by_mean(old: Any) -> Any:
    from torch.nn import functional

    return lambda x, *args, **kwargs: functional.avg_pool2d(x, 2)


def brighter(old: Any) -> Any:
    """Evaluation on other inputs."""
    from dataclasses import replace

    return lambda net, part, *rest: old(net, replace(part, inputs=part.inputs + 1e-4), *rest)


def shorter(old: Any) -> Any:
    """Recipes of half the epochs."""

    def halved(recipe: Any) -> None:
        object.__setattr__(recipe, "epochs", -(-recipe.epochs // 2))
        old(recipe)

    return halved


def leaking(y: Tensor, x: Tensor, *rest: Any) -> Tensor:
    """The gradient of the identity besides, a thousandth of it; the value stays."""
    return y + 1e-3 * (x - x.detach())


def short_gradient(y: Tensor, *rest: Any) -> Tensor:
    return y.detach() + 0.999 * (y - y.detach())


def through(dtype: str) -> Callable[..., Tensor]:
    """Rounded to a dtype of fewer bits on the way."""

    def rounded(y: Tensor, *rest: Any) -> Tensor:
        import torch

        return y.to(getattr(torch, dtype)).to(y.dtype)

    return rounded


def one_wrong(taken: tuple[Tensor, Tensor], *rest: Any) -> tuple[Tensor, Tensor]:
    inputs, labels = taken
    labels = labels.clone()
    labels[-1] = (labels[-1] + 1) % (labels.max() + 1)
    return inputs, labels


def unshuffled(old: Any) -> Any:
    import torch

    return lambda n, **kwargs: torch.arange(n)


def wrong_neighbour(order: Tensor, *rest: Any) -> Tensor:
    """Two rows that change places."""
    order[[0, -1]] = order[[-1, 0]]
    return order


def one_further(old: Any) -> Any:
    """Embeddings of places taken one place further, behind the last of them the first."""
    return lambda ids, *args, **kwargs: old(ids.roll(-1) if ids.ndim == 1 else ids, *args, **kwargs)


def floored(factor: float) -> Change:
    """A schedule whose rate ends at a share of the highest one in the place of zero."""

    def change(old: dict[str, Any]) -> dict[str, Any]:
        from torch.optim.lr_scheduler import CosineAnnealingLR

        def cosine(optimizer: Any, steps: int) -> Any:
            return CosineAnnealingLR(optimizer, steps, eta_min=factor * optimizer.param_groups[0]["lr"])

        return {**old, "cosine": cosine}

    return change


def late_drop(old: dict[str, Any]) -> dict[str, Any]:
    """A constant rate that falls to a tenth for the last hundredth of the run."""
    from torch.optim.lr_scheduler import LambdaLR

    return {**old, "constant": lambda opt, steps: LambdaLR(opt, lambda step: 0.1 if step > 0.99 * steps else 1.0)}


def later_half(old: dict[str, Any]) -> dict[str, Any]:
    from torch.optim.lr_scheduler import LambdaLR

    return {**old, "linear_from_half": lambda opt, steps: LambdaLR(opt, lambda at: min(1.0, 2.02 * (1 - at / steps)))}


def noisier(old: Any) -> Any:
    return lambda inputs, amplitude, generator: old(inputs, 1.01 * amplitude, generator)


def biased(loss: Tensor, *rest: Any) -> Tensor:
    return loss * 1.001


def with_metrics(name: str, **changed: Any) -> Change:
    """Objectives, one of them with other functions."""

    def change(old: dict[str, Any]) -> dict[str, Any]:
        from dataclasses import replace

        return {**old, name: replace(old[name], **changed)}

    return change


def top_two(logits: Tensor, labels: Tensor) -> dict[str, float]:
    hits = logits.topk(2).indices == labels[:, None]
    rows = len(labels)
    return {"accuracy": hits[:, 0].sum().item() / rows, "top3_accuracy": hits.sum().item() / rows}


def frozen(network: Any, *rest: Any) -> Any:
    """An activation's parameters that are not trained."""
    for site in network.sites:
        site.requires_grad_(False)
    return network


def clipped(network: Any, *rest: Any) -> Any:
    for parameter in network.net.parameters():
        parameter.register_hook(lambda gradient: gradient.clamp(-0.02, 0.02))
    return network


def half_of_steps(old: Any) -> Any:
    return lambda self, rows: old(self, rows) // 2 + 1


def ones(mask: Any) -> Any:
    return lambda *args, **kwargs: mask(*args, **{**kwargs, "attn_mask": None})


def attended(factor: float) -> Change:
    """Attention with another temperature."""

    def change(old: Any) -> Any:
        def attention(query: Tensor, *args: Any, **kwargs: Any) -> Any:
            kwargs["scale"] = factor * query.shape[-1] ** -0.5
            return old(query, *args, **kwargs)

        return attention

    return change


def dropped(p_change: float, rescale: float = 1.0) -> Change:
    """Dropout of another rate, or of another scale."""

    def change(old: Any) -> Any:
        def dropout(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
            out = old(x, p + p_change, training, inplace)
            return out * rescale if training else out

        return dropout

    return change


def slower(old: Any) -> Any:
    from dataclasses import replace

    return lambda name, groups, recipe, *rest: old(
        name, groups, replace(recipe, learning_rate=recipe.learning_rate / 3), *rest
    )


def decaying(old: Any) -> Any:
    return lambda name, groups, *rest: old(name, [{**one, "weight_decay": 1e-5} for one in groups], *rest)


def undecayed(old: Any) -> Any:
    return lambda name, groups, *rest: old(
        name, [groups[0], *({**one, "weight_decay": 0} for one in groups[1:])], *rest
    )
