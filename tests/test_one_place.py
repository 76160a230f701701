"""What is added to its list alone appears everywhere: a toy member of each kind, from outside."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from reports.pages import study_page
from reports.sections.order import EVIDENCE
from reports.sections.section import Section
from study.measures.metrics import METRICS
from tests.reports.page_reader import read_page
from tests.reports.synthetic import config, write_study

# Tables are laid out as modules are read, so the toy is there before any of them is.
METRIC = """
import sys
from pathlib import Path

import numpy as np

from study.measures import metrics

metrics.METRICS = (
    *metrics.METRICS,
    metrics.Metric(
        "peak_error", lambda y, p, _: float(np.abs(y - p).max()), "max |y - p|", "V", "higher"
    ),
)

from data import audio, files
from reports.pages import study_page
from study.dataset import Datasets
from study.store import tables
from tests.reports.synthetic import config, write_study

run = config()
store = write_study(Path(sys.argv[1]), [run])
folder = store.run(run.run_id)
target = Datasets(store.pairs).of(run).test_target
prediction = audio.read(folder.prediction_file(None)).samples
stored = folder.stored_result()
stored["rows"][-1] |= metrics.evaluate(target, prediction, run.sample_rate_hz)
files.write_json(folder.result_file, stored)
tables.write(store)
study_page.build(store)
print(float(np.abs(target - prediction).max()))
"""

BOARD = """
import sys
from dataclasses import replace
from pathlib import Path

from study.selection import boards

boards.BOARDS["toy"] = replace(
    boards.BOARDS["daisy"], name="toy", title="Toy 7", kind="teensy", clock_hz=700_000_000
)

from typer.testing import CliRunner

from embedded import cli as embedded_cli
from embedded.budget import budget
from embedded.firmware import sources
from reports.sections.boards import boards_section
from reports.sources.cache import Cache
from reports.sources.results import read
from study import cli as study_cli
from tests.reports.synthetic import config, write_study

for app, command in ((embedded_cli.app, "deploy"), (study_cli.app, "choose")):
    told = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert "teensy41, teensy40, daisy, daisy_sram or toy" in told.output, told.output

run = config(family="dense").model_copy(update={"sample_rate_hz": 48_000})
store = write_study(Path(sys.argv[1]), [run])
table = budget.write(store)
own = table[table["board"] == "toy"]
assert len(own) == len(budget.ROUTES)
assert set(own["budget_cycles"]) == {700e6 / 48_000}
assert budget.told(table)[-1].startswith("Toy 7: 1 yes")

section = boards_section(read(store), Cache(store.report_folder))
assert section.boards[-1] == "Toy 7"
assert section.sentences[-1].startswith("Toy 7: 1 of 1 model surely keeps up")

toy, folder = boards.board("toy"), Path(sys.argv[1]) / "firmware"
sources.copy_sources(toy.kind, folder)
sources.write_build_files(folder, toy)
assert "board = toy" in (folder / "platformio.ini").read_text()
assert "PEDAL_BOARD_RATE_HZ 48000u" in sources.config_header(toy, 48_000)
"""

# Two families: one of recurrent layers, with its C; and causal convolutions with what they still
# need of the past carried in arrays, which no firmware is written for.
FAMILY = """
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embedded.c import cells
from embedded.network import reference
from models import families, layers

import keras  # on the backend that the room models names


@dataclass(frozen=True, kw_only=True)
class Ring(families.Family):
    def inputs(self, a):
        return [1] + [a.units] * (a.layers - 1)

    def weight_shapes(self, a):
        own = [s for n in self.inputs(a) for s in ((2, n, a.units), (a.units,))]
        return [*own, (a.units, 1), (1,)]

    def streaming_macs(self, a):
        return sum(2 * n * a.units for n in self.inputs(a)) + a.units

    def state_sizes(self, a):
        return [2**layer * n for layer, n in enumerate(self.inputs(a))]


def ring(a, seed, block, states):
    signal, after = block, []
    for layer in range(a.layers):
        dilation, channels = 2**layer, signal.shape[-1]
        if states is not None:
            past = keras.layers.Reshape((dilation, channels))(states[layer])
            signal = keras.layers.Concatenate(axis=1)([past, signal])
            newest = keras.layers.Reshape((dilation * channels,))(signal[:, -dilation:])
            after.append(newest)
        signal = keras.layers.Conv1D(
            a.units, 2, dilation_rate=dilation, activation="tanh",
            padding="causal" if states is None else "valid",
            kernel_initializer=layers.glorot(seed, layer + 1),
        )(signal)
    return signal, after


looks = {"marker": "X", "symbol": "M0 0h1v1z"}
families.FAMILIES |= {
    "ring": Ring(
        name="ring", label="Ring", colour="#000001", has_framed_form=False, streams=True, **looks
    ),
    "echo": families.Recurrent(
        name="echo", label="Echo", colour="#000002", gates=1, has_firmware=True, **looks
    ),
}
layers.HIDDEN["ring"] = layers.Hidden(streaming=ring)
layers.HIDDEN["echo"] = layers.recurrent("echo", keras.layers.SimpleRNN)
reference.HIDDEN["echo"] = reference.HIDDEN["rnn"]
cells.CELLS["echo"] = cells.CELLS["rnn"]

from data import audio
from data.errors import InputError
from embedded.budget import cost_model
from embedded.firmware import deploy
from embedded.tflite import networks
from models import sequence
from reports.pages import study_page
from study.dataset import Datasets
from study.execution import run_worker
from study.rendering import numba_cells, sound_card, trained_model
from study.store import tables
from tests.embedded.c import generated
from tests.reports import synthetic

common = {"training": "sequence", "frame_size": 64, "training_frames": 40_000, "units": 4,
          "epochs": 1, "layers": 2, "window_samples": 256, "sequence_seconds": 0.2}
runs = [synthetic.config(family=name, **common) for name in ("ring", "echo")]
store = synthetic.write_study(Path(sys.argv[1]), runs)
for run in runs:
    store.run(run.run_id).result_file.unlink()
run_worker.work(store, lambda event: None)
tables.write(store)

for run in runs:
    folder, a = store.run(run.run_id), run.architecture
    result = folder.result()
    assert result["status"] == "ok", result
    assert result["rows"][-1]["rendering"] == "streaming"
    trained = trained_model.load(folder)
    whole = sequence.build(a, 0)
    for variable, value in zip(whole.trainable_variables, trained.weights, strict=True):
        variable.assign(value)
    dry = np.random.default_rng(0).uniform(-1, 1, 512).astype(np.float32)
    live = sound_card.live_model(trained, 64)
    wet = np.concatenate([live(block[:, None])[:, 0] for block in np.split(dry, 8)])
    np.testing.assert_allclose(wet, np.asarray(whole(dry[None, :, None]))[0, :, 0], atol=1e-5)
    for objection in (numba_cells.objection, networks.objection, cost_model.objection):
        assert a.family in objection(a)
    try:
        deploy.deploy(store, "teensy41", run.run_id)
    except InputError as error:
        assert f"the family {a.family}" in str(error)
    else:
        raise AssertionError("firmware of an unknown cost")

program = generated.build(generated.source(a), Path(sys.argv[1]))
exact = reference.respond(a, generated.random_weights(a), dry)
assert generated.esr(exact, generated.run(program, dry)) < 1e-8

study_page.build(store)
"""

# A field has to stand in its class: the module is read with one line more.
SETTING = """
import sys
import types
from pathlib import Path

import study.config

path = Path(study.config.__file__).with_name("run.py")
line = '''    toy: Annotated[
        float, Field(ge=0, le=1), About("how much of a toy", searched="numbers", neutral=0.0)
    ] = 0.0
'''
before = "    loss: Annotated["
source = path.read_text().replace(before, line + before, 1)
module = types.ModuleType("study.config.run")
sys.modules[module.__name__] = study.config.run = module
exec(compile(source, str(path), "exec"), module.__dict__)

from reports.pages import study_page
from study.config import grid
from study.search import search_file
from study.store import knob_table, tables
from tests.reports.synthetic import config, write_study

assert config().run_id == sys.argv[2]
configs = [config(), config(toy=0.5)]
assert configs[0].run_id != configs[1].run_id
(own,) = [n for n, name in enumerate(tables.COLUMNS) if name == "toy"]
assert [*tables.COLUMNS][own + 1] == "loss"
assert knob_table.MODEL_COLUMNS["toy"] == tables.COLUMNS["toy"] == ("Float64", "how much of a toy")

root = Path(sys.argv[1])
root.parent.mkdir(exist_ok=True)
(root.parent / "toys.toml").write_text(
    'title = "Toys"\\ntrials = 2\\n[run]\\neffect = "sd1"\\n'
    '[space]\\ntoy = {low = 0.1, high = 0.9}\\n'
)
assert search_file.load(str(root.parent / "toys.toml")).space["toy"].high == 0.9
(root.parent / "grid.toml").write_text(
    'title = "Toys"\\n[[runs]]\\neffect = "sd1"\\ntoy = [0.0, 0.5, 1.0]\\n'
)
assert [run.toy for run in grid.load(str(root.parent / "grid.toml")).runs] == [0.0, 0.5, 1.0]
store = write_study(root, configs)
tables.write(store)
study_page.build(store)
"""

LOSS = """
import sys
from pathlib import Path

from models import losses

losses.LOSSES["toy"] = losses.Loss("toy", "keras.losses:LogCosh", shortest_window=2)

import numpy as np
import pandas as pd

from study.store.folders import RunFolder
from study.training import loop
from tests import tiny

for config in (tiny.config(loss="toy", epochs=2), tiny.sequence_config(loss="toy", epochs=2)):
    folder = RunFolder(Path(sys.argv[1]) / config.run_id)
    loop.train(config, tiny.dataset(), folder)
    found = pd.read_csv(folder.history_file)
    assert len(found) == 2 and np.isfinite(found["loss"]).all()
    assert found["loss"].iloc[1] < found["loss"].iloc[0]

losses.LOSSES["toy"] = losses.Loss("toy", "keras.losses:LogCosh", shortest_window=200)
for wrong in (lambda: tiny.config(loss="toy"), lambda: tiny.sequence_config(loss="toy")):
    try:
        wrong()
    except ValueError as error:
        assert 'loss = "toy"' in str(error), error
    else:
        raise AssertionError("a loss that needs more than it gets")
"""


@pytest.mark.slow
def test_a_metric_of_the_list_is_computed_stored_explained_and_shown(tmp_path: Path) -> None:
    root = tmp_path / "toy"
    words = [sys.executable, "-c", METRIC, str(root)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(root / "results.csv")
    names = [*(metric.name for metric in METRICS), "peak_error", "onsets"]
    start = list(table).index("mae")
    assert list(table)[start : start + len(names)] == names
    assert table["peak_error"].iloc[-1] == pytest.approx(float(done.stdout), rel=1e-6)
    told = "test: max |y - p|, V; higher is better"
    dictionary = (root / "columns.md").read_text()
    escaped = told.replace("|", "\\|")
    of_each = dictionary.split("## ")
    for name in ("results", "settings"):
        [own] = [part for part in of_each if part.startswith(f"{name}.parquet")]
        assert f"| `peak_error` | Float64 | {escaped} |" in own
    page = read_page(root / "report" / "index.html")
    [heading] = [a for tag, a in page.tags if tag == "th" and a.get("data-name") == "peak_error"]
    assert heading["title"] == told
    assert f"{told} (float64)" in page.text


@pytest.mark.slow
def test_a_section_of_the_list_is_on_the_page_and_in_the_navigation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    templates = tmp_path / "templates"
    shutil.copytree(study_page.TEMPLATES, templates)
    (templates / "toy.html").write_text(
        '<section id="{{ section.anchor }}">\n<h2>A toy</h2>\n<p>{{ content }}</p>\n</section>\n'
    )
    toy = Section("toy", "Toys", "toy.html", lambda own: f"{len(own.results.finals)} < 2")
    empty = Section("nothing", "Nothing", "toy.html", lambda _: ())
    place = [section.anchor for section in EVIDENCE].index("learning")
    monkeypatch.setattr(study_page, "TEMPLATES", templates)
    monkeypatch.setattr(study_page, "EVIDENCE", (*EVIDENCE[:place], toy, empty, *EVIDENCE[place:]))
    store = write_study(tmp_path / "toy", [config()])
    page = read_page(study_page.build(store))
    anchors = [a["id"] for tag, a in page.tags if tag == "section"]
    assert anchors[anchors.index("learning") - 1] == "toy" and "nothing" not in anchors
    links = [link for link in page.links() if link.startswith("#")]
    assert links[links.index("#learning") - 1] == "#toy"
    assert "Toys" in page.text and "1 < 2" in page.text


@pytest.mark.slow
def test_a_board_of_the_list_is_in_budget_firmware_report_and_help(tmp_path: Path) -> None:
    words = [sys.executable, "-c", BOARD, str(tmp_path / "toy")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
def test_a_family_is_trained_judged_played_and_shown_or_refused_by_name(tmp_path: Path) -> None:
    root = tmp_path / "toy"
    words = [sys.executable, "-c", FAMILY, str(root)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(pd.read_csv(root / "results.csv")["family"]) == {"ring", "echo"}
    page = read_page(root / "report" / "index.html")
    assert "Ring 2\N{MULTIPLICATION SIGN}4" in page.text
    assert "Echo 2\N{MULTIPLICATION SIGN}4" in page.text


@pytest.mark.slow
def test_a_setting_is_in_ids_tables_searches_labels_and_pages(tmp_path: Path) -> None:
    root = tmp_path / "toy"
    words = [sys.executable, "-c", SETTING, str(root), config().run_id]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(pd.read_csv(root / "results.csv")["toy"]) == {0.0, 0.5}
    assert "| `toy` | Float64 | how much of a toy |" in (root / "columns.md").read_text()
    page = read_page(root / "report" / "index.html")
    assert "toy 0.5" in page.text and "toy 0.0" in page.text


@pytest.mark.slow
def test_a_loss_of_the_list_is_trained_with_and_refused_where_it_needs_more(tmp_path: Path) -> None:
    words = [sys.executable, "-c", LOSS, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
