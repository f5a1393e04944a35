"""Text by a network of characters: written by it, and how well it knows what comes next."""

from __future__ import annotations

import numpy as np

from ..equations.sequences import machine_of, run_sequence
from ..trained.text import Alphabet
from ..values.arrays import Array
from ..values.errors import InputError
from .forecast import Stepper


def generate(
    machine: Stepper,
    alphabet: Alphabet,
    prompt: str,
    *,
    length: int,
    temperature: float,
    rng: np.random.Generator | None = None,
) -> str:
    """Return `length` characters that follow the prompt, each drawn from softmax(y / temperature) and read in turn.

    `machine`: reads characters one-hot and gives a logit for each. `temperature`: 0 takes the most likely one, and
    needs no `rng`. Raises InputError for an empty prompt, characters that are not in the alphabet, a negative
    temperature, one above 0 without `rng`, and a machine of another size.
    """
    if not prompt:
        raise InputError("`prompt` is empty: must have at least one character")
    if not 0.0 <= temperature < np.inf:
        raise InputError(f"`temperature` = {temperature}: must be 0 or above")
    if temperature > 0.0 and rng is None:
        raise InputError(f"`temperature` = {temperature}: needs `rng`, such as numpy.random.default_rng(1)")
    stepper = machine_of(machine)
    states, written, unread = None, "", prompt
    for _ in range(length):
        run = run_sequence(stepper, alphabet.one_hot(unread), initial=states)
        logits, states = run.outputs[-1, 0], run.states
        _check(logits, alphabet)
        if temperature > 0.0 and rng is not None:
            chances = np.exp((logits - logits.max()) / temperature)
            k = int(rng.choice(alphabet.size, p=chances / chances.sum()))
        else:
            k = int(np.argmax(logits))
        unread = alphabet.characters[k]
        written += unread
    return written


def bits_per_character(machine: Stepper, alphabet: Alphabet, text: str, *, context: str) -> float:
    """Return the mean of -log2 p(character | all before it) over a text.

    `context`: what the machine reads before the text, at least one character; it does not count. Raises InputError for
    an empty text or context, and as `generate` does.
    """
    if not text or not context:
        raise InputError("`text` or `context` is empty: each must have at least one character")
    read = context + text[:-1]
    logits = run_sequence(machine, alphabet.one_hot(read)).outputs[len(context) - 1 :, 0]
    _check(logits, alphabet)
    likely = logits[np.arange(len(text)), alphabet.indices(text)]
    top = logits.max(axis=1)
    norms = top + np.log(np.exp(logits - top[:, np.newaxis]).sum(axis=1))
    return float(np.mean(norms - likely) / np.log(2.0))


def _check(logits: Array, alphabet: Alphabet) -> None:
    if logits.shape[-1] != alphabet.size:
        raise InputError(f"the machine has {logits.shape[-1]} outputs: must have {alphabet.size}, one a character")
