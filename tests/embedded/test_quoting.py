"""Effects' names in generated C and Markdown: the compiler sees no more of them than of "sd1"."""

import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from embedded.budget import budget
from embedded.c import generate
from embedded.c.generate import Metadata
from embedded.exports import neuralseed
from embedded.exports.model import SNAPSHOT_SAMPLES, Model
from embedded.firmware import deploy
from models.architecture import Architecture
from study.selection import boards
from study.store.folders import RunFolder
from tests.embedded.c.generated import random_weights
from tests.study import finished

GRU = Architecture("gru", 1, 10, 64, residual=True)
WEIGHTS = random_weights(GRU)
PLAIN = "sd1"
INJECTED = "*\\\n/\nint injected = 1; /*"

# Half of them of what ends comments, lines, cells and links, the other half of anything.
NAMES = st.text(st.sampled_from("*/\\?\n\r\t\0\"'`#<>|%{}[]()!&_~+-.:;a1 \u2028\x85\x0b\u202e")) | (
    st.text()
)
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc: make system")


def neuralseed_text(name: str) -> str:
    silence = np.zeros(SNAPSHOT_SAMPLES, np.float32)
    return neuralseed.text(
        Model(GRU, WEIGHTS, 48_000, "run", "streaming", name, 0.1, "Pedalframe", silence)
    )


def generated_source(name: str) -> str:
    return generate.generate(GRU, WEIGHTS, Metadata("model", name, 48_000, "run")).header


WRITERS = {"neuralseed": neuralseed_text, "generated C": generated_source}


def code(text: str) -> str:
    """What is left for the compiler once its own preprocessor took the comments away."""
    done = subprocess.run(
        ["gcc", "-E", "-P", "-w", "-trigraphs", "-std=c99", "-x", "c", "-"],
        input=text.encode("utf-8", "surrogateescape"), capture_output=True, timeout=60,
    )  # fmt: skip
    return done.stdout.decode() + done.stderr.decode()


@lru_cache
def plain_code(writer: str) -> str:
    return code(WRITERS[writer](PLAIN))


@pytest.mark.slow
@needs_gcc
@pytest.mark.parametrize("writer", WRITERS)
@settings(max_examples=40, deadline=None, derandomize=True)
@example(INJECTED)
@example("*??/\n/ int injected = 1;")
@example("*/ int injected = 1; /*")
@example("ends with a star *")
@example("ends with a backslash \\")
@given(name=NAMES)
def test_no_name_adds_to_the_code(writer: str, name: str) -> None:
    assert code(WRITERS[writer](name)) == plain_code(writer)


@needs_gcc
def test_what_was_injected_is_not_there_when_it_is_compiled(tmp_path: Path) -> None:
    """The statements in a function, as the firmware has them; the linker finds no such name."""
    body = neuralseed_text(INJECTED)
    fields = ("rec_weight_ih_l0", "rec_weight_hh_l0", "rec_bias", "lin_weight", "lin_bias")
    struct = "#include <vector>\nstruct M { " + "".join(
        f"std::vector<{'float' if name == 'lin_bias' else 'std::vector<float>'}> {name}; "
        for name in fields
    )
    text = f"{struct}}} Model1;\nint main()\n{{\n{body}\n  return injected;\n}}\n"
    (tmp_path / "main.cpp").write_text(text, encoding="utf-8")
    (tmp_path / "plain.cpp").write_text(text.replace("return injected", "return 0"), "utf-8")
    command = ["g++", "-std=c++17", "-fsyntax-only"]
    plain = subprocess.run([*command, "plain.cpp"], cwd=tmp_path, capture_output=True, text=True)
    assert plain.returncode == 0, plain.stderr[-2000:]
    done = subprocess.run([*command, "main.cpp"], cwd=tmp_path, capture_output=True, text=True)
    assert re.search(r".injected. was not declared", done.stderr)


def readme(name: str) -> str:
    board = boards.board("teensy41")
    effect = {**finished.config().effect, "name": name}
    config = finished.config(effect=effect, family="gru", sample_rate_hz=44_100)
    line = budget.line(config.architecture, 44_100, board, "c", "run")
    chosen = deploy.Chosen(RunFolder(Path("run")), config, "streaming", [])
    return deploy._readme(chosen, board, "c", line, None, ["proved"])


def markup(text: str) -> list[tuple[Any, ...]]:
    """Everything that Markdown, tables, strikes and links in plain sight too, finds in a text."""
    found = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    return [
        (token.type, token.tag, [(own.type, own.tag) for own in token.children or ()])
        for token in found
    ]


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True)
@example("<script>alert(1)</script>")
@example("[x](javascript:alert(1)) ![x](http://e.vil/x.png) <http://e.vil>")
@example("x\n\n```\n# y")
@example("a | b `c` *d* ~~e~~ &lt; \\")
@given(name=NAMES.filter(lambda name: any(c.isalnum() for c in name)))
def test_a_name_in_the_readme_is_text(name: str) -> None:
    assert markup(readme(name)) == markup(readme(PLAIN))
    heading = MarkdownIt("gfm-like", {"linkify": False}).parse(readme(name))[1]
    shown = "".join(own.content for own in heading.children or ())
    assert shown.endswith(" on a Teensy 4.1")
    if name.isprintable() and len(name) < 200:
        assert name.strip() in shown
