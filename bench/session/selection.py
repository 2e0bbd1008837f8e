"""Exact selection: makes `-k "cifar and elu"` mean ELU, and reads `--activation elu,my_file.py:my_act`.

pytest's `-k` matches substrings: `elu` would also select relu, selu and gelu. Here a word that *is* a value of
an axis, or one setting of a variant, means exactly it, be there cases of it or not; every other word stays pytest's
substring.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import activations
import models
from bench.cases.case import AXES, Case, Experiment, did_you_mean
from bench.cases.variant import Variant
from bench.data import DATASETS
from bench.data.folder import expanded
from bench.training import optimizers

# What pytest's -k takes for a word; see _pytest.mark.expression.
_WORD = re.compile(r"(?:\w|:|\+|-|\.|\[|\]|\\|/)+")
_CASE = re.compile(r"\bcase\([^()]*\)")
_FIELD = re.compile(r"""(\w+)\s*=\s*(["'])(.*?)\2""")
_OPERATORS = {"and", "or", "not", "true", "false", "none"}
PARAMETRIZED = ":parametrized:"
SELECTABLE = ("experiment", "model", "dataset", "activation", "optimizer")


def words_of(parameter: Any) -> set[str]:
    """The words that mean a parameter (a case, or a kernel to time) exactly: its values, their aliases, its id.

    Of a variant of several settings each is one too: `lr0.01` means `dropout0.5_lr0.01` as well.
    """
    values = {str(getattr(parameter, field.name)) for field in fields(parameter)} | {parameter.id}
    if isinstance(parameter, Case):
        values |= set(Variant.parse(parameter.variant).words.values())
    if hasattr(parameter, "activation"):
        values |= set(activations.info(parameter.activation).aliases)
    return {value.lower() for value in values if value}


def keywords_of(parameter: Any) -> set[str]:
    """What an item adds to pytest's keywords so that a rewritten expression finds it."""
    return {PARAMETRIZED, *(f":{word}:" for word in words_of(parameter))}


def is_selectable(parameter: Any) -> bool:
    """Whether a test's parameter takes part in exact selection."""
    return is_dataclass(parameter) and not isinstance(parameter, type) and hasattr(parameter, "id")


def exact_words(expression: str, parameters: Iterable[Any], experiments: Iterable[Experiment]) -> set[str]:
    """The words of a `-k` expression that mean a value exactly, also where no parameter has it.

    These are the words of the parameters, whatever is registered, and what is written as a setting of some variant:
    `psi8` does not stand for `psi80`.
    """
    declared = list(experiments)
    registered = {name for known in _known().values() for name in known} | {one.name for one in declared}
    registered |= {word for name in activations.names() for word in (name, *activations.info(name).aliases)}
    variants = [Variant.parse(variant) for one in declared for variant in one.variants]
    registered |= {word for one in variants for word in (str(one), *one.words.values())}
    words = registered.union(*map(words_of, parameters))
    settings = {name for one in variants for name in one.settings}
    found = {word.lower() for word in _WORD.findall(expression)} - _OPERATORS
    return {word for word in found if word in words or _sets(word, settings)}


def _sets(word: str, settings: set[str]) -> bool:
    """Whether a word is a variant made of these settings, each with its number."""
    try:
        parsed = Variant.parse(word)
    except ValueError:
        return False
    return parsed.words.keys() <= settings and all(text != name for name, text in parsed.words.items())


def exact(expression: str, words: set[str]) -> str:
    """A `-k` expression in which each word out of `words` selects exactly; unit tests keep the substring."""

    def rewrite(match: re.Match[str]) -> str:
        word = match.group()
        if word.lower() in _OPERATORS or word.lower() not in words:
            return word
        return f"(:{word.lower()}: or ({word} and not {PARAMETRIZED}))"

    return _WORD.sub(rewrite, expression)


def marked(expression: str) -> str:
    """A `-m` expression with the aliases in `case(activation='swish')` resolved.

    Raises:
        ValueError: an axis or a name in it that does not exist; the message lists those that do.
    """

    def field(match: re.Match[str]) -> str:
        axis, quote, value = match.groups()
        if axis not in AXES:
            raise ValueError(f"-m: case has no {axis!r}; it has: {', '.join(AXES)}")
        if axis == "activation":
            value = activations.info(value).name
        elif axis in _known():
            _check(axis, [value], _known()[axis])
        return f"{axis}={quote}{value}{quote}"

    return _CASE.sub(lambda match: _FIELD.sub(field, match.group()), expression)


def why_nothing(
    expression: str,
    exactly: set[str],
    names: Iterable[str],
    cases: Mapping[str, Sequence[Any]],
    scale: str,
    given: Sequence[str],
) -> str:
    """Why no test is selected, in a line.

    Args:
        expression: of `-k`, as typed; empty without one.
        exactly: those of its words that mean a value exactly, see `exact_words`.
        names: of all collected tests.
        cases: those that the other options allow, by scale.
        scale: the session's.
        given: all options that may leave tests out, as typed.
    """
    if not cases[scale]:
        return f"nothing is selected: no case fits the options{_elsewhere(cases, scale) or ' at any scale'}"
    words = {name: set().union(*map(words_of, found)) for name, found in cases.items()}
    here = [*words[scale], *map(str.lower, names)]
    reasons = []
    for word in dict.fromkeys(_WORD.findall(expression.lower())):
        if word in _OPERATORS or (word in words[scale] if word in exactly else any(word in name for name in here)):
            continue
        with_it = {
            name: [one for one in known if (one == word if word in exactly else word in one)]
            for name, known in words.items()
        }
        near = did_you_mean(word, set().union(*words.values()))
        reasons.append(f"no test is called {word!r}{_elsewhere(with_it, scale) or (near and f'; {near}')}")
    asked = f"fits all of {', '.join(given)}" if given else "is left by other plugins"
    return f"nothing is selected: {', '.join(reasons) or f'no test at --scale {scale} {asked}'}"


def _elsewhere(found: Mapping[str, Sequence[Any]], scale: str) -> str:
    others = " and ".join(name for name, some in found.items() if some)
    return f" at --scale {scale}; there are some at {others}" if others else ""


@dataclass(frozen=True)
class AxisChoice:
    """What the axis options ask for.

    Attributes:
        chosen: allowed values by axis; an axis that is left out allows all.
        added: activations that are added to the lists of the experiments.
        own: of these, what was given for those from files of the user's, by their names.
    """

    chosen: dict[str, tuple[str, ...]]
    added: tuple[str, ...]
    own: Mapping[str, str]

    def allows(self, parameter: Any) -> bool:
        """Whether a case, a kernel or a test without either (None) is chosen: what lacks an axis asked for is not."""
        return all(getattr(parameter, axis, None) in values for axis, values in self.chosen.items())


@dataclass(frozen=True)
class Shard:
    """One of several about equal parts of the cases, by a hash of their ids: the same whatever else is selected."""

    place: int
    of: int

    def __str__(self) -> str:
        return f"{self.place}/{self.of}"

    @staticmethod
    def parse(text: str) -> Shard:
        """`2/5` is the second of five.

        Raises:
            ValueError: anything else.
        """
        place, _, of = text.partition("/")
        if not (place.isdecimal() and of.isdecimal() and 1 <= int(place) <= int(of)):
            raise ValueError(f"--shard {text}: give I/N with I from 1 to N, such as 2/5")
        return Shard(int(place), int(of))

    def has(self, parameter: Any) -> bool:
        """Whether a case or another selectable parameter is in it; a test without one (None) is in every shard."""
        if parameter is None:
            return True
        return int(hashlib.sha256(parameter.id.encode()).hexdigest(), 16) % self.of == self.place - 1


def choose(options: Mapping[str, Sequence[str] | None]) -> AxisChoice:
    """Read the comma-separated axis options, each as often as it was given.

    `--activation` takes names and aliases, which select exactly, and `file.py:name`, which adds a user's own
    activation to whatever is selected.

    Raises:
        ValueError: an unknown activation; the message lists the known ones. Other axes are checked by `check`.
    """
    chosen: dict[str, tuple[str, ...]] = {}
    added: list[str] = []
    own: dict[str, str] = {}
    for axis, texts in options.items():
        if not texts:
            continue
        values = [value.strip() for text in texts for value in _between_commas(text) if value.strip()]
        if not values:
            raise ValueError(f"--{axis} is empty; give names joined by commas")
        if axis != "activation":
            chosen[axis] = tuple(values)
            continue
        for value in values:
            if ".py:" in value:
                entry = activations.load(value)
                activations.register(entry)
                own[entry.name] = value
        named = [activations.info(value).name for value in values if ".py:" not in value]
        added += [*named, *own]
        if named:
            chosen[axis] = tuple(added)
    return AxisChoice(chosen, tuple(added), own)


def _between_commas(text: str) -> list[str]:
    """The values of an option; a comma in the path of a file that there is belongs to the path."""
    words = text.split(",")
    files = [place for place, word in enumerate(words) if ".py:" in word]
    for start, end in itertools.product(range(len(words)), files):
        whole = ",".join(words[start : end + 1])
        if expanded(whole.rpartition(":")[0].strip()).is_file():
            return [*words[:start], whole, *_between_commas(",".join(words[end + 1 :]))]
    return words


def check(choice: AxisChoice, experiments: Iterable[str]) -> None:
    """That what is chosen exists; models and data sets of a user's own are only known once their files are collected.

    Args:
        experiments: those collected.

    Raises:
        ValueError: an unknown name; the message lists the known ones.
    """
    for axis, known in {"experiment": sorted(experiments), **_known()}.items():
        _check(axis, choice.chosen.get(axis, ()), known)


def check_experiment(experiment: Experiment) -> None:
    """That an experiment names what exists.

    Raises:
        ValueError: an unknown name; the message lists the known ones.
    """
    named = {"model": experiment.models, "dataset": experiment.datasets, "optimizer": experiment.optimizers}
    for axis, known in _known().items():
        _check(axis, named[axis], known)
    for name in experiment.activations:
        activations.info(name)


def _known() -> dict[str, Iterable[str]]:
    return {"model": models.names(), "dataset": DATASETS, "optimizer": optimizers.OPTIMIZERS}


def _check(axis: str, values: Sequence[str], known: Iterable[str]) -> None:
    for value in values:
        if value not in known:
            raise ValueError(f"unknown {axis} {value!r}; known: {', '.join(known)}")
