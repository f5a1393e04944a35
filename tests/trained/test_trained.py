"""The shipped networks: where their weights come from, and what they reach on data that they have not seen."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.analysis.gradients import gradient_flow
from hopfield_hw.equations import MapProgram
from hopfield_hw.integers.fixed_point import QFormat
from hopfield_hw.integers.lowering import FixedPoint, lower_to_integers
from hopfield_hw.integers.machine import FixedMachine
from hopfield_hw.tasks import bits_per_character, forecast, generate, ngram_bits, relative_error
from hopfield_hw.trained import Alphabet, Forecaster, Scale, latch_sequences
from hopfield_hw.trained.weights import DATA, load_arrays
from hopfield_hw.values.arrays import Array

# What the scripts wrote: SHA-256 of the file, and how many numbers it holds.
WEIGHTS = {
    "alice": ("ae67704f0079cfa8c8509b6cd8b4a809eeeb5b6bf6ee13197fb4c358a4a91a7c", 56969),
    "latch_gru": ("1724cea380a6d1e12b7ac2cdac2cd2b348416de1b4ae9307f8ccf4e33caaa9e3", 249),
    "latch_lstm": ("dff8cad4cf1e6fbec0608eac37e86c506cebc6bc3528e4ce0dd21c713cd08742", 329),
    "latch_rnn": ("367808819b23cf154e6012896b79768fe10c27e4a427f3dcafedf6e565ebe8fe", 89),
    "logic": ("63add901558c3dee14c6c3e4b0858377712b6ec7831af3c22be84a26c97086af", 193),
    "mackey_glass": ("afdc1e4b59a52371d570c25198a741563266d1d4d251ef5f324788ba12ab0e53", 101),
    "sunspots": ("7cfa14bb11294b8bf2e9ca5648bd3a796e17664fa81e12e28a75119c13384547", 77),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_weights_are_those_that_the_script_wrote(name: str) -> None:
    digest, count = WEIGHTS[name]
    assert sha256((DATA / f"{name}.npz").read_bytes()).hexdigest() == digest
    arrays = load_arrays(name)
    assert sum(array.size for array in arrays.values()) == count
    assert max(float(np.abs(array).max()) for array in arrays.values()) < 3.0  # what a circuit can build


def test_no_file_of_data_is_without_its_loader_and_all_are_small() -> None:
    found = {entry.name for entry in DATA.iterdir()}
    assert found == {f"{name}.npz" for name in WEIGHTS} | {"alice.txt", "sunspots.csv"}
    assert sum(len(entry.read_bytes()) for entry in DATA.iterdir()) < 250_000


def test_the_mackey_glass_series_follows_its_equation() -> None:
    # By a rule of low order with a far smaller step, from the same start; the series is chaotic, so only its beginning.
    step, lag = 0.005, 3400
    x = [1.2] * (lag + 1)
    for _ in range(round(60 / step)):
        now, then = x[-1], x[-1 - lag]
        x.append(now + step * (0.2 * then / (1.0 + then**10) - 0.1 * now))
    expected = np.array(x[lag :: round(6 / step)])
    found = hh.trained.mackey_glass_series(11, transient=0)
    np.testing.assert_allclose(found, expected, atol=2e-3)  # Euler's first order: 1e-3 at this step


def test_the_mackey_glass_forecaster_is_what_it_says() -> None:
    found = hh.trained.mackey_glass()
    assert (found.cell.input_size, found.cell.hidden_size, found.readout.weights.shape) == (1, 4, (1, 4))
    assert (found.train.size, found.test.size) == (1000, 500)
    assert np.abs(found.scale.normalise(np.concatenate([found.train, found.test]))).max() < 1.0


def test_it_is_twenty_times_better_than_as_it_is_now_and_nine_times_than_a_linear_forecast() -> None:
    found = hh.trained.mackey_glass()
    u = found.scale.normalise(np.concatenate([found.train, found.test]))
    said = forecast(found.graph(), u)[999:-1]
    errors = [relative_error(y, u[1000:]) for y in (said, u[999:-1], autoregressive(u, 1000, 9))]
    # As measured; the tolerance is for what other processors make of the last digit of exp.
    assert errors == pytest.approx([0.0423, 0.8185, 0.3854], abs=5e-4)


def autoregressive(series: Array, train: int, order: int) -> Array:
    """Least squares on the training part: a constant and `order` values before; forecasts of what follows it."""
    rows = np.stack([np.append(series[k : k + order], 1.0) for k in range(len(series) - order)])
    weights = np.linalg.lstsq(rows[: train - order], series[order:train], rcond=None)[0]
    forecasts: Array = (rows @ weights)[train - order :]
    return forecasts


def test_sunspots_better_than_persistence_but_not_than_a_linear_forecast() -> None:
    found = hh.trained.sunspots()
    numbers = np.concatenate([found.train, found.test])
    assert (found.train.size, found.test.size, numbers[0], numbers[-1], numbers.max()) == (221, 88, 5.0, 2.9, 190.2)
    said = found.scale.restore(forecast(found.graph(), found.scale.normalise(numbers)))[220:-1]
    candidates = (said, numbers[220:-1], autoregressive(numbers, 221, 9))
    errors = [float(np.sqrt(np.mean((y - found.test) ** 2))) for y in candidates]
    assert errors == pytest.approx([19.50, 30.44, 17.44], abs=0.02)


ALICE = hh.trained.alice()
# Few characters, so that the integers do not take long; all of them in tests/verify_tasks.py.
CONTEXT, PIECE = ALICE.train[-200:], ALICE.test[:600]
LETTERS = Alphabet("ab")
COIN = hh.recurrent.RNN(input_weights=np.zeros((2, 2)), recurrent_weights=np.zeros((2, 2)), bias=np.zeros(4))


def words(word: int, fraction: int) -> FixedPoint:
    kept = QFormat(word=word, fraction=fraction)
    return FixedPoint(signals=kept, weights=kept)


def test_a_machine_that_knows_nothing_needs_one_bit_for_two_letters() -> None:
    assert bits_per_character(COIN, LETTERS, "abba", context="a") == 1.0
    assert generate(COIN, LETTERS, "b", length=3, temperature=0.0) == "aaa"
    drawn = generate(COIN, LETTERS, "b", length=400, temperature=1.0, rng=np.random.default_rng(1))
    assert abs(drawn.count("a") - 200) < 50  # five deviations of 10


def test_ngrams_by_hand() -> None:
    # Unigrams of "aab": a 2, b 1, two kinds: p(a) = (2 + 2/2) / (3 + 2). After a: a 1, b 1: (1 + 2 p(a)) / (2 + 2).
    assert ngram_bits("aab", "a", order=1, context="") == pytest.approx(-np.log2(0.6))
    assert ngram_bits("aab", "a", order=2, context="a") == pytest.approx(-np.log2((1.0 + 2.0 * 0.6) / 4.0))
    assert ngram_bits("aab", "a", order=3, context="bb") == pytest.approx(-np.log2(0.6))  # nothing follows b


def test_the_text_model_is_better_than_trigrams_but_not_than_longer_counts() -> None:
    assert (len(ALICE.train), len(ALICE.test), ALICE.alphabet.size) == (83064, 13588, 41)
    found = [bits_per_character(ALICE.graph(), ALICE.alphabet, ALICE.test, context=CONTEXT)]
    found += [ngram_bits(ALICE.train, ALICE.test, order=n, context=CONTEXT) for n in (1, 2, 3, 5)]
    assert found == pytest.approx([2.314, 4.327, 3.350, 2.649, 2.217], abs=0.002)


def test_text_in_fixed_point() -> None:
    """16 bits lose a hundredth of a bit, since logits beyond 8 saturate; with a bit more before the point, nothing."""
    graph, context = ALICE.graph(), CONTEXT[-20:]
    floating, fixed = MapProgram([graph]), FixedMachine(lower_to_integers(graph, words(16, 12)))
    wider = replace(words(16, 12), formats={"y": QFormat(word=16, fraction=11)})
    machines = (floating, fixed, FixedMachine(lower_to_integers(graph, wider)))
    bits = [bits_per_character(machine, ALICE.alphabet, PIECE, context=context) for machine in machines]
    assert bits[1] - bits[0] == pytest.approx(0.0116, abs=1e-3)
    assert abs(bits[2] - bits[0]) < 1e-3
    said = [generate(m, ALICE.alphabet, "alice was ", length=40, temperature=0.0) for m in (floating, fixed)]
    assert said[0] == said[1]
    assert set(said[0].split()[:-1]) <= set(ALICE.train.split())  # it writes words of the book


def test_gates_keep_what_a_simple_network_forgets() -> None:
    """The RNN has not learnt the latch problem, since its gradients vanish; LSTM and GRU have."""
    noise, _ = latch_sequences(120, 1, np.random.default_rng(3))
    right, rates = {}, {}
    for kind, model in hh.trained.latch().items():
        inputs, first = latch_sequences(200, 400, np.random.default_rng(5))
        right[kind] = float(np.mean((hh.run_sequence(model.graph(), inputs).outputs[-1, :, 0] > 0.0) == (first > 0.0)))
        rates[kind] = gradient_flow(model.cell.graph(), noise[:, 0], lags=60).rate
    assert right == pytest.approx({"RNN": 0.52, "LSTM": 1.0, "GRU": 0.9975}, abs=1e-9)
    assert rates == pytest.approx({"RNN": 0.7214, "LSTM": 0.9785, "GRU": 1.0004}, abs=5e-4)


MACKEY_GLASS = hh.trained.mackey_glass()
PLAIN = hh.recurrent.RNN(input_weights=np.ones((2, 1)), recurrent_weights=np.eye(2))
REFUSED = {
    "outputs": (
        lambda: Forecaster(
            cell=MACKEY_GLASS.cell,
            readout=hh.recurrent.Readout(weights=np.ones((2, 4))),
            scale=Scale(centre=0.0, half_range=1.0),
            train=[0.0],
            test=[0.0],
        ),
        "`Forecaster` has 1 inputs and 2 outputs: must have one of each",
    ),
    "no output": (lambda: MACKEY_GLASS.readout.after(PLAIN.graph(), "h"), "'h' is not an Output: `Readout.weights` of"),
    "size": (lambda: MACKEY_GLASS.readout.beside(PLAIN.graph(), "y", "z"), r"'y' has 2 elements: .* \(1, 4\) reads 4"),
    "shape": (
        lambda: hh.recurrent.Readout(weights=[1.0]),
        r"`Readout.weights` has shape \(1,\): must be \(outputs, H\)",
    ),
    "scale": (lambda: Scale(centre=0.0, half_range=0.0), "`Scale.half_range = 0.0`: must be positive"),
    "letters": (lambda: Alphabet("aba"), "`Alphabet.characters` = 'aba': must hold each character once"),
    "letter": (lambda: LETTERS.indices("abc"), "`text` holds 'c': must be of the characters 'ab'"),
    "prompt": (lambda: generate(COIN, LETTERS, "", length=1, temperature=0.0), "`prompt` is empty: must have at least"),
    "cold": (
        lambda: generate(COIN, LETTERS, "a", length=1, temperature=-1.0),
        "`temperature` = -1.0: must be 0 or above",
    ),
    "rng": (lambda: generate(COIN, LETTERS, "a", length=1, temperature=1.0), "`temperature` = 1.0: needs `rng`"),
    "context": (lambda: bits_per_character(COIN, LETTERS, "a", context=""), "`text` or `context` is empty: each must"),
    "order": (lambda: ngram_bits("ab", "a", order=3, context="a"), "`order` = 3, `context` of 1 and `text` of 1"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused(call: object, message: str) -> None:
    with pytest.raises(hh.InputError, match=f"^{message}"):
        call()  # type: ignore[operator]
