"""Cellular networks: what templates make of images, exact to the pixel; images in and out; discrete time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.cbook import get_sample_data
from oracles.images import EXPECTED, noise_removal, photograph, written
from PIL import Image
from scipy import ndimage

import hopfield_hw as hh
from hopfield_hw.families import TEMPLATES, CellularNetwork, Template, binary, read_image, write_image
from hopfield_hw.graph import Input, Stencil, parse_graph
from hopfield_hw.problems import Settled, cellular_image

PAGE = written("Rae4&8")
PORTRAIT = binary(photograph())


def run(network: CellularNetwork, **arguments: Any) -> Any:
    """Return the picture that a network ends with; its cells must be black or white where they are compared."""
    options = {"t_stop": network.t_stop, "accuracy": 1e-2, "points": 2, **arguments}
    return network.picture(hh.reference(network.graph(), inputs=network.inputs, **options))


def pixels(black: Any) -> Any:
    return np.where(black, 1.0, -1.0)


@pytest.mark.parametrize("name", [name for name in EXPECTED if name != "noise_removal"])
@pytest.mark.parametrize("image", [PAGE, PORTRAIT], ids=["page", "portrait"])
def test_templates_are_exact_to_the_pixel(name: str, image: Any) -> None:
    expected = pixels(EXPECTED[name](image > 0))
    assert np.sum(expected != image) > 0
    assert np.array_equal(run(CellularNetwork(template=TEMPLATES[name], image=image)), expected)


def test_noise_is_removed_to_the_pixel() -> None:
    """Away from edges every pixel of the wrong colour goes, and nothing else changes."""
    clean = noise_removal(PORTRAIT > 0)
    least, most = (rank(clean, 5, mode="constant") for rank in (ndimage.minimum_filter, ndimage.maximum_filter))
    grid = np.zeros(clean.shape, dtype=bool)
    grid[::4, ::4] = True
    noisy = clean ^ (grid & (least == most))
    assert min(np.sum(noisy & ~clean), np.sum(clean & ~noisy)) > 20
    assert np.array_equal(noise_removal(noisy), clean)
    network = CellularNetwork(template=TEMPLATES["noise_removal"], image=pixels(noisy))
    assert np.array_equal(run(network), pixels(clean))


def test_diffusion_is_the_exact_solution() -> None:
    """A periodic linear network in Fourier space: each wave falls by itself."""
    image = photograph(step=20)
    kernel = np.zeros(image.shape)
    kernel[:3, :3] = TEMPLATES["diffusion"].feedback
    rates = 1.0 - np.fft.fft2(np.roll(kernel, (-1, -1), axis=(0, 1))).real  # A is symmetric
    network = CellularNetwork(template=TEMPLATES["diffusion"], image=image, resistance=2e3, capacitance=5e-9)
    found = run(network, t_stop=3e-5, accuracy=1e-6)  # three R C
    expected = np.fft.ifft2(np.fft.fft2(image) * np.exp(-3.0 * rates)).real
    assert np.max(np.abs(found - expected)) < 1e-9
    assert abs(found.mean() - image.mean()) < 1e-12


@pytest.mark.parametrize("boundary", ["zero", "fixed", "periodic", "zero_flux"])
def test_boundaries(boundary: Any) -> None:
    """x' = -x + z + the input one row below: what a row sees below the last one is the boundary."""
    template = Template(
        feedback=[[0.0]],
        control=[[0], [0], [1]],
        bias=0.25,
        boundary=boundary,
        edge=-0.5 if boundary == "fixed" else 0.0,
        start=0.0,
    )
    image = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, -0.6]])
    outside = {"zero": [0.0, 0.0], "fixed": [-0.5, -0.5], "periodic": [0.1, 0.2], "zero_flux": [0.5, -0.6]}
    below = outside[boundary]
    expected = 0.25 + np.vstack([image[1:], [below]])
    assert np.allclose(run(CellularNetwork(template=template, image=image), t_stop=4e-5), expected, atol=1e-6)


def test_grey_levels_are_marginal_for_the_edge_template() -> None:
    """8 u - (sum of the eight) = 1 leaves a cell without a drift: it stays where it starts."""
    image = np.zeros((5, 5))
    image[2, 2] = 0.125
    found = run(CellularNetwork(template=TEMPLATES["edge"], image=image))
    assert found[2, 2] == pytest.approx(0.0, abs=1e-9)
    assert found[1, 1] == -1.0


def test_a_graph_is_one_text_and_back() -> None:
    graph = CellularNetwork(template=TEMPLATES["hole_filling"], image=PAGE).graph()
    again = parse_graph(graph.text)
    assert (again.text, again.hash) == (graph.text, graph.hash)
    assert graph.labels(graph.by_name["x"])[73] == "1_1"
    assert len(graph.text) < 100 * PAGE.size


@pytest.mark.parametrize("seed", range(3))
def test_discrete_time_is_a_plain_loop(seed: int) -> None:
    """Harrer and Nossek 1992, over random templates, with SciPy's correlation."""
    rng = np.random.default_rng(seed)
    image = rng.uniform(-1.0, 1.0, size=(7, 9))
    edge = rng.choice([-1.0, 1.0])
    template = Template(feedback=rng.normal(size=(3, 3)), control=rng.normal(size=(3, 5)), bias=rng.normal(), edge=edge)
    wave = hh.reference(CellularNetwork(template=template, image=image).map(), inputs=image.reshape(-1), t_stop=6.0)
    y = np.where(image >= 0.0, 1.0, -1.0)
    outside = {"mode": "constant", "cval": template.edge}
    driven = ndimage.correlate(image, template.control, **outside) + template.bias
    for step in wave["output"].to_numpy():
        assert np.array_equal(step.reshape(image.shape), y)
        y = np.sign(ndimage.correlate(y, template.feedback, **outside) + driven)


def test_holes_are_filled_in_discrete_time() -> None:
    """y' = sign(y + the four beside + 4 u): a white pixel stays black where the four are; A holds the colour."""
    template = Template(feedback=[[0, 1, 0], [1, 1, 1], [0, 1, 0]], control=[[4]], start=1.0)
    network = CellularNetwork(template=template, image=PAGE)
    wave = hh.reference(network.map(1e-6), inputs=network.inputs, t_stop=100e-6)
    assert np.array_equal(network.picture(wave), pixels(ndimage.binary_fill_holes(PAGE > 0)))


def test_a_cell_whose_sum_is_zero_keeps_its_output() -> None:
    template = Template(feedback=[[1, 0, 0]], boundary="zero", edge=0.0)
    wave = hh.reference(CellularNetwork(template=template, image=[[-1.0, 1.0]]).map(), t_stop=3.0)
    assert wave["output"].to_numpy().tolist() == [[-1.0, 1.0], [-1.0, -1.0], [-1.0, -1.0], [-1.0, -1.0]]


@pytest.mark.parametrize("name", ["edge", "hole_filling", "diffusion"])
def test_an_image_as_a_network_of_neurons_is_the_same_equation(name: str, tmp_path: Path) -> None:
    write_image(tmp_path / "page.png", PAGE[:, :12])
    network = cellular_image(template=name, image=tmp_path / "page.png", resistance=2e3)
    cells = CellularNetwork(template=TEMPLATES[name], image=PAGE[:, :12], resistance=2e3)
    options: dict[str, Any] = {"t_stop": 2e-6, "points": 11, "accuracy": 1e-6}
    first = hh.reference(network.graph(), **options)
    second = hh.reference(cells.graph(), inputs=cells.inputs, **options)
    assert np.allclose(first["state"], second["state"], atol=1e-6)
    assert first["neuron"].to_numpy().tolist() == second["neuron"].to_numpy().tolist()


def test_the_shipped_design_expects_what_a_fill_gives() -> None:
    design = hh.load_design("hole_filling")
    image = binary(read_image(design.folder / "image.png"))
    filled = pixels(ndimage.binary_fill_holes(image > 0))
    assert np.sum(filled != image) == 11
    assert isinstance(design.expected, Settled)
    assert np.array_equal(design.expected.outputs, filled.reshape(-1))


def test_images_go_out_and_come_back(tmp_path: Path) -> None:
    levels = np.linspace(-1.0, 1.0, 256).reshape(16, 16)
    write_image(tmp_path / "grey.png", levels)
    assert np.allclose(read_image(tmp_path / "grey.png"), levels, atol=1e-7)
    write_image(tmp_path / "page.png", PAGE)
    assert np.array_equal(read_image(tmp_path / "page.png"), PAGE)
    assert np.asarray(Image.open(tmp_path / "page.png"))[0, 0] == 255  # white paper


def test_colours_and_transparency(tmp_path: Path) -> None:
    colours = np.array([[[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255], [0, 0, 0, 0], [0, 0, 0, 255]]])
    Image.fromarray(colours.astype(np.uint8)).save(tmp_path / "c.png")
    assert np.allclose(read_image(tmp_path / "c.png"), [[0.402, -0.174, 0.772, -1.0, 1.0]], atol=1e-6)
    real = read_image(get_sample_data("Minduka_Present_Blue_Pack.png", asfileobj=False))
    assert (real.shape, real.min()) == ((128, 128), -1.0)
    assert real.max() > 0.0


def test_binary_images() -> None:
    assert binary([[-1.0, -0.2, 0.0, 0.3]]).tolist() == [[-1.0, -1.0, 1.0, 1.0]]
    assert binary([[-1.0, -0.2, 0.0, 0.3]], threshold=0.2).tolist() == [[-1.0, -1.0, -1.0, 1.0]]


CROSS = [[0, 1, 0], [1, 2, 1], [0, 1, 0]]
WHITE = np.full((2, 3), -1.0)
EDGE = TEMPLATES["edge"]
REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "even template": (
        lambda _: Template(feedback=np.ones((2, 3))),
        "`Template.feedback` has shape (2, 3): both sides must be odd, as in 3 x 3",
    ),
    "even control": (
        lambda _: Template(feedback=CROSS, control=np.ones((3, 4))),
        "`Template.control` has shape (3, 4): both sides must be odd, as in 3 x 3",
    ),
    "flat template": (
        lambda _: Template(feedback=[1, 2, -1]),
        "`Template.feedback` has shape (3,): both sides must be odd, as in 3 x 3",
    ),
    "deep template": (
        lambda _: Template(feedback=np.ones((3, 3, 1))),
        "`Template.feedback` has shape (3, 3, 1): both sides must be odd, as in 3 x 3",
    ),
    "nan template": (
        lambda _: Template(feedback=[[np.nan]]),
        "`Template.feedback[0, 0] = nan`: must be finite; replace missing or infinite values",
    ),
    "infinite bias": (lambda _: Template(feedback=CROSS, bias=np.inf), "`Template.bias = inf`: must be finite"),
    "boundary": (
        lambda _: Template(feedback=CROSS, boundary="mirror"),  # type: ignore[arg-type]
        "`Template.boundary` = 'mirror': must be one of zero, fixed, periodic, zero_flux",
    ),
    "boundary as a table": (
        lambda _: Template(feedback=CROSS, boundary=np.ones(2)),  # type: ignore[arg-type]
        "`Template.boundary` = array([1., 1.]): must be one of zero, fixed, periodic, zero_flux",
    ),
    "pace": (lambda _: Template(feedback=CROSS, pace=-1.0), "`Template.pace` = -1.0 R C: must be at least 0"),
    "pace as a row": (
        lambda _: Template(feedback=CROSS, pace=[1.0, 2.0]),  # type: ignore[arg-type]
        "`Template.pace` has shape (2,): must have shape ()",
    ),
    "edge of a stencil": (
        lambda _: Stencil(template=CROSS, shape=(2, 2), boundary="fixed", edge=np.ones(2)),  # type: ignore[arg-type]
        "`Stencil.edge` has shape (2,): must have shape ()",
    ),
    "template by name": (
        lambda _: CellularNetwork(template="edge", image=WHITE),  # type: ignore[arg-type]
        "`CellularNetwork.template` = 'edge': must be a Template, as in TEMPLATES",
    ),
    "row": (
        lambda _: CellularNetwork(template=EDGE, image=[1.0, -1.0]),
        "`CellularNetwork.image` has shape (2,): must be a table (rows, columns) of at least one pixel",
    ),
    "empty": (
        lambda _: CellularNetwork(template=EDGE, image=np.ones((0, 3))),
        "`CellularNetwork.image` has shape (0, 3): must be a table (rows, columns) of at least one pixel",
    ),
    "grey of 8 bits": (
        lambda _: CellularNetwork(template=EDGE, image=[[0, 255]]),
        "`CellularNetwork.image` holds 255: must be from -1 (white) to +1 (black); scale it",
    ),
    "nan image": (
        lambda _: CellularNetwork(template=EDGE, image=[[np.nan]]),
        "`CellularNetwork.image[0, 0] = nan`: must be finite; replace missing or infinite values",
    ),
    "initial": (
        lambda _: CellularNetwork(template=EDGE, image=WHITE, initial=WHITE.T),
        "`CellularNetwork.initial` has shape (3, 2): must have shape (2, 3)",
    ),
    "ragged initial": (
        lambda _: CellularNetwork(template=EDGE, image=WHITE, initial=[[1.0, 2.0], [3.0]]),
        "`CellularNetwork.initial` = [[1.0, 2.0], [3.0]]: must be real numbers in a rectangular array",
    ),
    "resistance": (
        lambda _: CellularNetwork(template=EDGE, image=WHITE, resistance=-1.0),
        "`CellularNetwork.resistance = -1.0 Ohm`: must be positive",
    ),
    "wave of another": (
        lambda _: CellularNetwork(template=EDGE, image=WHITE).picture(
            hh.reference(CellularNetwork(template=EDGE, image=[[1.0]]).graph(), points=2)
        ),
        "wave: has 1 outputs: must be of this network, with 6",
    ),
    "no wave": (
        lambda _: CellularNetwork(template=EDGE, image=WHITE).picture(WHITE),  # type: ignore[arg-type]
        "[-1., -1., -1.]]): must be a waveform with outputs, as from `reference`",
    ),
    "no time": (
        lambda _: CellularNetwork(template=EDGE, image=[[1.0]]).picture(
            hh.reference(CellularNetwork(template=EDGE, image=[[1.0]]).graph(), points=2),
            time=[0.0, 1.0],  # type: ignore[arg-type]
        ),
        "`time` has shape (2,): must have shape ()",
    ),
    "templates of a problem": (
        lambda path: cellular_image(template=["edge"], image=path),  # type: ignore[arg-type]
        "cellular_image: template ['edge'] is unknown: must be one of edge, corner,",
    ),
    "template of a problem": (
        lambda path: cellular_image(template="holes", image=path),
        "cellular_image: template 'holes' is unknown: must be one of edge, corner, noise_removal, hole_filling,",
    ),
    "image as text": (
        lambda _: cellular_image(template="edge", image="page.png"),  # type: ignore[arg-type]
        "`cellular_image.image` = 'page.png': must be a Path; in a design.toml, in network.files",
    ),
    "no file": (lambda path: read_image(path / "none.png"), "cannot be read (No such file or directory); give a whole"),
    "no image": (lambda path: read_image(_file(path, b"A B z\n")), "is not a PNG (not a PNG file); convert it to one"),
    "half an image": (lambda path: read_image(_file(path, _png(path)[:60])), "give a whole PNG|is not a PNG"),
    "image not written": (lambda path: write_image(path / "no" / "x.png", WHITE), "cannot be written (No such file"),
    "image not finite": (lambda path: write_image(path / "x.png", [[np.inf]]), "`image[0, 0] = inf`: must be finite"),
    "threshold": (lambda _: binary(WHITE, threshold=np.nan), "`threshold = nan`: must be finite"),
}


def _file(folder: Path, content: bytes) -> Path:
    path = folder / "file.png"
    path.write_bytes(content)
    return path


def _png(folder: Path) -> bytes:
    write_image(folder / "whole.png", PAGE)
    return (folder / "whole.png").read_bytes()


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused(name: str, tmp_path: Path) -> None:
    attempt, message = REFUSED[name]
    with pytest.raises(hh.InputError) as caught:
        attempt(tmp_path)
    assert any(part in str(caught.value) for part in message.split("|")), str(caught.value)


@pytest.mark.parametrize("name", ["edge", "connected_components"])
def test_an_image_may_be_a_part_of_the_bias(name: str) -> None:
    network = CellularNetwork(template=TEMPLATES[name], image=PAGE[:6, :9])
    still = network.graph(driven=False)
    assert not still.of_type(Input)
    driven = hh.reference(network.graph(), inputs=network.inputs, points=5)
    assert np.allclose(hh.reference(still, points=5)["state"], driven["state"], rtol=0, atol=1e-9)
